//! A client's socket that notes what moves on it. Below TLS, so that a handshake and its bytes count, too.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::clock::Clock;

/// Most unsent bytes that the kernel takes for one connection. It says "writable" when less than half are left, so a peer that
/// reads at all is seen to read: with the usual megabytes a slow reader would look like one that does not.
const UNSENT: u32 = 512 << 10;

#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    clock: Arc<Clock>,
}

impl Timed {
    pub(super) fn new(stream: TcpStream, clock: Arc<Clock>) -> Self {
        // Best effort, both: without the first small answers wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        Self { stream, clock }
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => self.clock.stuck(),
            Poll::Ready(_) => self.clock.moved(),
        }
        written
    }

    /// Whether the peer is still there, without reading.
    #[cold]
    fn look(&self) {
        let seen = SockRef::from(&self.stream).peek(&mut [MaybeUninit::uninit()]);
        match seen {
            Ok(read) => self.clock.saw(read == 0, false),
            Err(cause) => self.clock.saw(false, cause.kind() != io::ErrorKind::WouldBlock),
        }
    }
}

impl AsyncRead for Timed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        if into.filled().len() > before {
            self.clock.heard();
        }
        read
    }
}

impl AsyncWrite for Timed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes whenever it is polled, which makes this the place to look at the peer.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.clock.takes_look() {
            self.look();
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        if self.clock.is_aborted() {
            // With no time to linger, the kernel does not keep the bytes either.
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}
