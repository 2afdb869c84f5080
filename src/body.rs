//! The one body type that flows both ways, and bounded collecting.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;

/// A body on its way through the gateway.
#[derive(Debug, Default)]
pub struct Body {
    /// What was held already, or was made here.
    front: std::collections::VecDeque<Bytes>,
    /// What is still to come.
    rest: Option<Incoming>,
    /// What is made while it is sent.
    live: Option<mpsc::Receiver<Bytes>>,
    /// Longest silence of `rest`.
    silence: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// The body must not end cleanly: the vendor's did not.
    cut: Option<BodyError>,
    /// What came before the cut had its turn to be sent: an error at once would take it along, and the head, too.
    sent: bool,
    /// Bytes that are to come, where another count than the framing's says so; negative when there were more.
    due: Option<i128>,
    /// Told when the body is over, however it ends.
    ended: Option<Arc<Notify>>,
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
        let mut body = Self::default();
        body.front.extend(pieces.into_iter().filter(|b| !b.is_empty()));
        body
    }

    /// Bytes that were held, then the rest of the stream.
    pub fn stream(front: Bytes, rest: Incoming, silence: Option<Duration>) -> Self {
        let mut body = Self::full(front);
        body.rest = Some(rest);
        body.silence = silence;
        body
    }

    /// Pieces as they are made, until the sender is dropped.
    pub fn live(pieces: mpsc::Receiver<Bytes>) -> Self {
        let mut body = Self::default();
        body.live = Some(pieces);
        body
    }

    /// Bytes of a body that ended early; the reader sees it cut, too.
    pub fn cut(bytes: Bytes) -> Self {
        let mut body = Self::full(bytes);
        body.cut = Some(BodyError::Cut);
        body
    }

    /// Ends as cut unless there are so many bytes.
    #[must_use]
    pub fn due(mut self, bytes: Option<u64>) -> Self {
        self.due = bytes.map(i128::from);
        self
    }

    /// Keeps a permit until the body is over.
    #[must_use]
    pub fn holding(mut self, permit: Option<OwnedSemaphorePermit>) -> Self {
        self.permits.extend(permit);
        self
    }
}

impl Body {
    /// Whether all of it is here already.
    pub fn is_held(&self) -> bool {
        self.rest.is_none()
    }

    /// Something to wait on for the body's end.
    pub fn ended(&mut self) -> Arc<Notify> {
        Arc::clone(self.ended.get_or_insert_default())
    }
}

impl Body {
    fn count(&mut self, bytes: usize) {
        if let Some(due) = &mut self.due {
            *due -= bytes as i128;
        }
    }

    /// The end of what was to come.
    fn end(&mut self, cause: Option<BodyError>) {
        self.rest = None;
        if let Some(ended) = &self.ended {
            ended.notify_one();
        }
        let differs = self.due.take().is_some_and(|due| due != 0);
        self.cut = cause.or(differs.then_some(BodyError::Cut));
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(ended) = &self.ended {
            ended.notify_one();
        }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Some(front) = this.front.pop_front() {
            this.count(front.len());
            return Poll::Ready(Some(Ok(Frame::data(front))));
        }
        if let Some(live) = &mut this.live {
            return live.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))));
        }
        let Some(rest) = &mut this.rest else {
            if this.cut.is_some() && !std::mem::replace(&mut this.sent, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(this.cut.take().map(Err));
        };
        match Pin::new(rest).poll_frame(cx) {
            // Trailers (RFC 9110 section 6.5) end here: nobody reads them, and no header is made of them. None is the end.
            Poll::Ready(Some(Ok(frame))) if frame.is_trailers() => {
                this.end(None);
                self.poll_frame(cx)
            }
            Poll::Ready(None) if this.due.is_some() => {
                this.end(None);
                self.poll_frame(cx)
            }
            Poll::Ready(Some(Err(cause))) => {
                this.end(Some(cause.into()));
                self.poll_frame(cx)
            }
            Poll::Ready(frame) => {
                this.sleep = None;
                if let (None, Some(ended)) = (&frame, &this.ended) {
                    ended.notify_one();
                }
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                let count = data.map_or(0, Bytes::len);
                this.count(count);
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
        self.front.is_empty()
            && self.cut.is_none()
            && self.due.is_none()
            && self.live.is_none()
            && self.rest.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let front = self.front.iter().map(|b| b.len() as u64).sum();
        if self.cut.is_some() || self.live.is_some() {
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

/// A share of the memory that all held bodies have together; given back on drop.
#[derive(Debug)]
pub struct Budget {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

/// Bytes that one permit of the shared semaphore stands for.
pub const GRAIN: usize = 1 << 10;

impl Budget {
    pub fn new(all: Arc<Semaphore>) -> Self {
        Self { all, held: None, bytes: 0 }
    }

    /// Makes the share at least this large; false when there is not that much left.
    pub fn reserve(&mut self, bytes: usize) -> bool {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return true };
        let grains = more.div_ceil(GRAIN);
        let Ok(permit) = Arc::clone(&self.all).try_acquire_many_owned(grains.min(u32::MAX as usize) as u32)
        else {
            return false;
        };
        self.bytes += grains * GRAIN;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        true
    }

    /// Makes the share this large as far as there is room, and gives back what is more.
    pub fn settle(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes) / GRAIN;
        if let Some(held) = &mut self.held
            && held.split(surplus).is_some()
        {
            self.bytes -= surplus * GRAIN;
        }
        self.reserve(bytes);
    }

    /// The share as a permit, for what is held longer than the call: [`Body::holding`].
    pub fn into_permit(self) -> Option<OwnedSemaphorePermit> {
        self.held
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

/// Reads a body up to a limit in bytes and as far as the budget goes, with a longest silence between pieces.
///
/// A body that announces more than that is not read at all.
pub async fn collect(mut body: Incoming, limit: usize, budget: &mut Budget, silence: Duration) -> Collected {
    use http_body_util::BodyExt;
    let announced = body.size_hint().lower();
    if announced > limit as u64 || !budget.reserve(announced as usize) {
        return Collected::Over(Bytes::new(), body);
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    loop {
        let Ok(frame) = tokio::time::timeout(silence, body.frame()).await else {
            return Collected::Broken(join(first, all), BodyError::Silent(silence));
        };
        match frame {
            None => return Collected::Whole(join(first, all)),
            Some(Err(cause)) => return Collected::Broken(join(first, all), cause.into()),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                let len = first.len() + all.len() + data.len();
                let over = len > limit || !budget.reserve(len);
                // One frame, the usual case, is not copied.
                if first.is_empty() && all.is_empty() {
                    first = data;
                } else {
                    if all.is_empty() {
                        all.reserve((announced as usize).max(first.len() + data.len()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_while_there_is_room_and_is_given_back() {
        let all = Arc::new(Semaphore::new(10));
        let mut budget = Budget::new(Arc::clone(&all));
        assert!(budget.reserve(8 * GRAIN) && !budget.reserve(11 * GRAIN));
        budget.settle(2 * GRAIN + 1);
        assert_eq!(all.available_permits(), 7);
        budget.settle(5 * GRAIN);
        assert_eq!(all.available_permits(), 5);
        let permit = budget.into_permit();
        assert_eq!(all.available_permits(), 5);
        drop(permit);
        assert_eq!(all.available_permits(), 10);
    }
}
