//! What the fake vendor does with one request: bytes, pauses and bad manners, one after the other.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// Holds the vendor back until the test lets it go on.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    /// Lets so many waiting steps go on, those to come included.
    pub fn open(&self, times: usize) {
        self.0.add_permits(times);
    }

    pub(super) async fn pass(&self) {
        self.0.acquire().await.expect("never closed").forget();
    }
}

/// One step of the vendor.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Vec<u8>),
    /// Goes on when the test says so.
    Wait(Gate),
    /// A silence that is over by itself.
    Pause(Duration),
    /// Says nothing more and keeps the connection open.
    Silence,
    /// Ends the connection.
    Close,
    /// Ends the connection with a TCP reset.
    Reset,
}

/// All steps for one request. After the last the connection waits for the next request.
pub type Script = Vec<Step>;

/// A reply under construction.
#[derive(Clone, Debug)]
pub struct Reply {
    status: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    framing: Framing,
}

#[derive(Clone, Debug)]
enum Framing {
    Length,
    Chunked(usize),
    /// A `Content-Length` that is not the body's.
    Claims(usize),
    /// The connection's end is the body's end.
    Close,
}

impl Reply {
    /// `200 OK` with JSON.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new("200 OK", body).header("Content-Type", "application/json")
    }

    pub fn new(status: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: status.to_owned(), headers: Vec::new(), body: body.into(), framing: Framing::Length }
    }

    pub fn status(mut self, status: &str) -> Self {
        self.status = status.to_owned();
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The body in a content coding.
    pub fn coded(mut self, coding: &str) -> Self {
        self.body = coded(coding, &self.body);
        self.header("Content-Encoding", coding)
    }

    /// In chunks of so many bytes.
    pub fn chunked(mut self, size: usize) -> Self {
        self.framing = Framing::Chunked(size);
        self
    }

    /// Announces another length than it has.
    pub fn claiming(mut self, length: usize) -> Self {
        self.framing = Framing::Claims(length);
        self
    }

    /// Without length; the vendor must close.
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::Close;
        self
    }

    /// The body with white space behind it, up to so many bytes.
    pub fn padded(mut self, length: usize) -> Self {
        self.body.resize(length, b' ');
        self
    }

    pub fn body_len(&self) -> usize {
        self.body.len()
    }

    /// The reply's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {}\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        match self.framing {
            Framing::Length if self.status.starts_with("204") => out.extend_from_slice(b"\r\n"),
            Framing::Length => {
                out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", self.body.len()).as_bytes())
            }
            Framing::Claims(length) => {
                out.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes())
            }
            Framing::Close => out.extend_from_slice(b"Connection: close\r\n\r\n"),
            Framing::Chunked(size) => {
                out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in self.body.chunks(size) {
                    out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    out.extend_from_slice(chunk);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"0\r\n\r\n");
                return out;
            }
        }
        out.extend_from_slice(&self.body);
        out
    }

    /// Sends the reply and ends the connection where the framing needs it.
    pub fn script(&self) -> Script {
        let send = Step::Send(self.bytes());
        match self.framing {
            Framing::Close | Framing::Claims(_) => vec![send, Step::Close],
            _ => vec![send],
        }
    }

    /// Sends all but the last bytes, then ends the connection.
    pub fn cut(&self, missing: usize) -> Script {
        let mut bytes = self.bytes();
        bytes.truncate(bytes.len() - missing);
        vec![Step::Send(bytes), Step::Close]
    }
}

/// Bytes in a content coding.
pub fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    match coding {
        "gzip" => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            gzip.write_all(body).and_then(|()| gzip.finish()).expect("gzip")
        }
        "deflate" => {
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
            zlib.write_all(body).and_then(|()| zlib.finish()).expect("deflate")
        }
        "br" => {
            let mut out = Vec::new();
            brotli::BrotliCompress(&mut &*body, &mut out, &brotli::enc::BrotliEncoderParams::default())
                .expect("brotli");
            out
        }
        "zstd" => zstd::encode_all(body, 3).expect("zstd"),
        _ => panic!("no coding {coding}"),
    }
}
