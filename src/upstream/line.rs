//! A vendor's socket, which the pool can look at while hyper owns it.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// The socket as hyper has it. The lock is nobody's but for the moment of a [`Look`].
#[derive(Debug)]
pub(super) struct Line {
    socket: Arc<Mutex<TcpStream>>,
    /// Longest time that the vendor may take none of a request's bytes.
    patience: Duration,
    stuck: Option<Pin<Box<Sleep>>>,
}

/// A second hand on the socket.
#[derive(Debug)]
pub(super) struct Look(Arc<Mutex<TcpStream>>);

impl Look {
    /// Whether nothing has come in since the last answer: no end, no reset, no surplus byte. One system call, which sees what the event
    /// loop was not told yet.
    pub(super) fn is_quiet(&self) -> bool {
        let socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = SockRef::from(&*socket).peek(&mut [MaybeUninit::uninit()]);
        seen.is_err_and(|cause| cause.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Line {
    pub(super) fn new(socket: TcpStream, patience: Duration) -> Self {
        Self { socket: Arc::new(Mutex::new(socket)), patience, stuck: None }
    }

    pub(super) fn look(&self) -> Look {
        Look(Arc::clone(&self.socket))
    }

    fn socket(&self) -> MutexGuard<'_, TcpStream> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A vendor that takes nothing for too long is lost. hyper asks again when the clock rings: its task waits for it, too.
    fn wrote(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let patience = self.patience;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        stuck.as_mut().poll(cx).map(|()| {
            let words = format!("it took none of the request's bytes for {patience:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, words))
        })
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.socket()).poll_read(cx, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.socket()).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.socket()).poll_write_vectored(cx, bytes);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.socket()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.socket()).poll_shutdown(cx)
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
