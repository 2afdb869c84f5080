//! As little HTTP/1.1 as two ends of a measurement need: where a head ends, and how long its body is. Both ends are ours
//! or a proxy's, so what is unexpected is an error and not a case.

use memchr::memmem;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::Failure;

/// What a connection has received and nobody has read yet.
#[derive(Debug)]
pub struct Buffer {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

/// How a body says where it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Framing {
    Length(usize),
    Chunked,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { bytes: vec![0; 256 << 10].into_boxed_slice(), start: 0, end: 0 }
    }
}

impl Buffer {
    /// Waits for a whole head. Returns its first line's second word (the status of a reply) and the framing; nothing at the
    /// end of the connection.
    pub async fn head(&mut self, stream: &mut TcpStream) -> Result<Option<(u16, Framing)>, Failure> {
        loop {
            let waiting = &self.bytes[self.start..self.end];
            if let Some(len) = memmem::find(waiting, b"\r\n\r\n") {
                let head = &waiting[..len];
                let status = head.get(9..12).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
                let found = (status.unwrap_or(0), framing(head)?);
                self.start += len + 4;
                return Ok(Some(found));
            }
            if !self.more(stream).await? {
                return Ok(None);
            }
        }
    }

    /// Reads a body to its end. Returns its length; the bytes go to `keep`, if any.
    pub async fn body(
        &mut self,
        stream: &mut TcpStream,
        framing: Framing,
        mut keep: Option<&mut Vec<u8>>,
    ) -> Result<usize, Failure> {
        match framing {
            Framing::Length(len) => {
                self.take(stream, len, &mut keep).await?;
                Ok(len)
            }
            Framing::Chunked => {
                let mut total = 0;
                loop {
                    let len = usize::from_str_radix(self.line(stream).await?.trim(), 16)?;
                    self.take(stream, len, &mut keep).await?;
                    total += len;
                    // The line after a chunk's bytes is empty; so is the one after the last chunk: no trailers here.
                    self.line(stream).await?;
                    if len == 0 {
                        return Ok(total);
                    }
                }
            }
        }
    }

    async fn take(
        &mut self,
        stream: &mut TcpStream,
        mut len: usize,
        keep: &mut Option<&mut Vec<u8>>,
    ) -> Result<(), Failure> {
        while len > 0 {
            if self.start == self.end && !self.more(stream).await? {
                return Err("the connection ended within a body".into());
            }
            let some = len.min(self.end - self.start);
            if let Some(keep) = keep {
                keep.extend_from_slice(&self.bytes[self.start..self.start + some]);
            }
            self.start += some;
            len -= some;
        }
        Ok(())
    }

    async fn line(&mut self, stream: &mut TcpStream) -> Result<String, Failure> {
        loop {
            let waiting = &self.bytes[self.start..self.end];
            if let Some(at) = memmem::find(waiting, b"\r\n") {
                let line = std::str::from_utf8(&waiting[..at])?.to_owned();
                self.start += at + 2;
                return Ok(line);
            }
            if !self.more(stream).await? {
                return Err("the connection ended within a chunk".into());
            }
        }
    }

    /// False at the end of the connection.
    async fn more(&mut self, stream: &mut TcpStream) -> Result<bool, Failure> {
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let got = stream.read(&mut self.bytes[self.end..]).await?;
        self.end += got;
        Ok(got > 0)
    }
}

fn framing(head: &[u8]) -> Result<Framing, Failure> {
    for line in head.split(|&byte| byte == b'\n').skip(1) {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            return Ok(Framing::Length(std::str::from_utf8(value)?.parse()?));
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") && value.eq_ignore_ascii_case(b"chunked") {
            return Ok(Framing::Chunked);
        }
    }
    Ok(Framing::Length(0))
}
