//! The one body type that flows both ways, and bounded collecting.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

/// A body on its way through the gateway.
#[derive(Debug, Default)]
pub struct Body {
    /// What was held already, or was made here.
    front: std::collections::VecDeque<Bytes>,
    /// What is still to come.
    rest: Option<Incoming>,
    /// Longest silence of `rest`.
    silence: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// The body must not end cleanly: the vendor's did not.
    cut: bool,
    /// Freed when the body is over.
    permits: Vec<OwnedSemaphorePermit>,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error(transparent)]
    Transport(#[from] hyper::Error),
    #[error("the body was silent for {0:?}")]
    Silent(Duration),
    #[error("the vendor's body was cut")]
    Cut,
}

impl Body {
    pub fn empty() -> Self {
        Self::default()
    }

    pub fn full(bytes: impl Into<Bytes>) -> Self {
        Self::pieces(vec![bytes.into()])
    }

    /// One body in several pieces.
    pub fn pieces(pieces: Vec<Bytes>) -> Self {
        Self { front: pieces.into_iter().filter(|b| !b.is_empty()).collect(), ..Self::default() }
    }

    /// Bytes that were held, then the rest of the stream.
    pub fn stream(front: Bytes, rest: Incoming, silence: Option<Duration>) -> Self {
        Self { rest: Some(rest), silence, ..Self::full(front) }
    }

    /// Bytes of a body that ended early; the reader sees it cut, too.
    pub fn cut(bytes: Bytes) -> Self {
        Self { cut: true, ..Self::full(bytes) }
    }

    /// Keeps a permit until the body is over.
    #[must_use]
    pub fn holding(mut self, permit: Option<OwnedSemaphorePermit>) -> Self {
        self.permits.extend(permit);
        self
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        if let Some(front) = this.front.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(front))));
        }
        let Some(rest) = &mut this.rest else {
            let cut = std::mem::take(&mut this.cut);
            return Poll::Ready(cut.then_some(Err(BodyError::Cut)));
        };
        match Pin::new(rest).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.sleep = None;
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
            }
            Poll::Pending => {
                let Some(silence) = this.silence else { return Poll::Pending };
                let sleep = this.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(silence)));
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(Some(Err(BodyError::Silent(silence))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.front.is_empty() && !self.cut && self.rest.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let front = self.front.iter().map(|b| b.len() as u64).sum();
        if self.cut {
            return SizeHint::default();
        }
        match &self.rest {
            None => SizeHint::with_exact(front),
            Some(rest) => {
                let hint = rest.size_hint();
                let mut all = SizeHint::new();
                all.set_lower(hint.lower() + front);
                if let Some(upper) = hint.upper() {
                    all.set_upper(upper + front);
                }
                all
            }
        }
    }
}

/// What collecting gave.
#[derive(Debug)]
pub enum Collected {
    /// All of it.
    Whole(Bytes),
    /// More than the limit: what was read, and the rest.
    Over(Bytes, Incoming),
    /// It ended early; what was read.
    Broken(Bytes, BodyError),
}

/// Reads a body up to a limit in bytes, with a longest silence between pieces.
///
/// A body that announces more than the limit is not read at all.
pub async fn collect(mut body: Incoming, limit: usize, silence: Option<Duration>) -> Collected {
    use http_body_util::BodyExt;
    if body.size_hint().lower() > limit as u64 {
        return Collected::Over(Bytes::new(), body);
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let frame = match silence {
            Some(silence) => match tokio::time::timeout(silence, body.frame()).await {
                Ok(frame) => frame,
                Err(_) => return Collected::Broken(join(first, all), BodyError::Silent(silence)),
            },
            None => body.frame().await,
        };
        match frame {
            None => return Collected::Whole(join(first, all)),
            Some(Err(cause)) => return Collected::Broken(join(first, all), cause.into()),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                let over = first.len() + all.len() + data.len() > limit;
                // One frame, the usual case, is not copied.
                if first.is_empty() && all.is_empty() {
                    first = data;
                } else {
                    if all.is_empty() {
                        all.reserve(first.len() + data.len());
                        all.extend_from_slice(&first);
                        first = Bytes::new();
                    }
                    all.extend_from_slice(&data);
                }
                if over {
                    return Collected::Over(join(first, all), body);
                }
            }
        }
    }
}

fn join(first: Bytes, all: BytesMut) -> Bytes {
    if all.is_empty() { first } else { all.freeze() }
}
