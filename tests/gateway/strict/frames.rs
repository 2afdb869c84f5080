//! HTTP/2 written by hand (RFC 9113, RFC 7541), so that what no client library sends can be sent.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Gateway, soon};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Status(u16),
    /// The stream or the connection was reset.
    Reset,
}

/// A name and a value as they go onto the wire.
pub type Field<'f> = (&'f str, &'f [u8]);

/// A connection with one request on it.
pub struct Frames(TcpStream);

impl Frames {
    pub async fn open(gateway: &Gateway) -> Self {
        let stream = TcpStream::connect(gateway.address).await.expect("a connection");
        let mut frames = Self(stream);
        frames.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("sent");
        frames.frame(SETTINGS, 0, 0, &[]).await;
        frames
    }

    async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend(payload);
        // What was refused already may be cut.
        let _ = self.0.write_all(&bytes).await;
    }

    /// Header fields: a request's, or a body's trailers.
    pub async fn fields(&mut self, fields: &[Field<'_>], last: bool) {
        let mut block = Vec::new();
        for (name, value) in fields {
            // A literal that is not kept, name and value without Huffman's coding.
            block.push(0);
            text(&mut block, name.as_bytes());
            text(&mut block, value);
        }
        self.frame(HEADERS, END_HEADERS | if last { END_STREAM } else { 0 }, 1, &block).await;
    }

    pub async fn data(&mut self, bytes: &[u8], last: bool) {
        self.frame(DATA, if last { END_STREAM } else { 0 }, 1, bytes).await;
    }

    /// Reads up to the request's end.
    pub async fn end(&mut self) -> End {
        soon("an answer's head or a reset", async {
            loop {
                let mut head = [0; 9];
                if self.0.read_exact(&mut head).await.is_err() {
                    return End::Reset;
                }
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                let mut payload = vec![0; length];
                self.0.read_exact(&mut payload).await.expect("a frame");
                match head[3] {
                    RST_STREAM | GOAWAY => return End::Reset,
                    HEADERS => return End::Status(status(payload[0])),
                    _ => {}
                }
            }
        })
        .await
    }
}

fn text(block: &mut Vec<u8>, text: &[u8]) {
    match u8::try_from(text.len()) {
        Ok(length @ 0..127) => block.push(length),
        _ => {
            block.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                block.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            block.push(rest as u8);
        }
    }
    block.extend_from_slice(text);
}

/// A status that has a place in HPACK's table; 0 for any other.
fn status(byte: u8) -> u16 {
    match byte {
        0x88 => 200,
        0x8c => 400,
        0x8d => 404,
        _ => 0,
    }
}
