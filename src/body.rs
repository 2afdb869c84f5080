//! The one body type that flows both ways, and bounded collecting.

mod budget; // what held bodies have together

pub use budget::{Budget, GRAIN, Places};

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, Sleep};

/// A body on its way through the gateway.
#[derive(Debug, Default)]
pub struct Body {
    /// What was held already, or was made here.
    front: std::collections::VecDeque<Bytes>,
    /// What is still to come.
    rest: Option<Incoming>,
    /// What is made while it is sent.
    live: Option<mpsc::Receiver<Bytes>>,
    /// How long `rest` is waited for.
    patience: Option<Patience>,
    /// The wait that goes on, and since when.
    wait: Option<(Pin<Box<Sleep>>, Instant)>,
    /// What `rest` took and gave so far, where that counts.
    waited: Duration,
    got: usize,
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

/// How long the next piece of a body is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Longest silence.
    silence: Duration,
    /// Least bytes a second on average, once all waiting together is longer than one silence; 0: any.
    rate: u32,
}

/// What a caller's upload must make at least: a phone on a bad line has more. Waiting for the vendor does not count.
const LEAST_RATE: u32 = 500;

impl Patience {
    /// For a caller's body, which may not come byte by byte for ever.
    pub fn with_callers(silence: Duration) -> Self {
        Self { silence, rate: LEAST_RATE }
    }

    /// How long to wait now, after all the waiting for so many bytes.
    fn left(self, waited: Duration, got: usize) -> Duration {
        match self.rate {
            0 => self.silence,
            rate => {
                let earned = Duration::from_millis(got as u64 * 1000 / u64::from(rate));
                self.silence.min((self.silence + earned).saturating_sub(waited))
            }
        }
    }
}

impl From<Duration> for Patience {
    fn from(silence: Duration) -> Self {
        Self { silence, rate: 0 }
    }
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error(transparent)]
    Transport(#[from] hyper::Error),
    #[error("the body was silent, or slower than is waited for, after {0:?}")]
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
    pub fn stream(front: Bytes, rest: Incoming, patience: impl Into<Patience>) -> Self {
        let mut body = Self::full(front);
        // No body is all of it.
        if !rest.is_end_stream() {
            body.rest = Some(rest);
            body.patience = Some(patience.into());
        }
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

    /// Keeps a share of the memory until what is held of the body has gone out: the share goes with the bytes themselves, since
    /// whoever sends them takes them out of the body long before a slow reader has them.
    #[must_use]
    pub fn within(mut self, share: Budget) -> Self {
        let Some(permit) = share.into_permit() else { return self };
        if self.front.iter().map(Bytes::len).sum::<usize>() < COPIED {
            return self.holding(Some(permit));
        }
        let share = Arc::new(permit);
        for piece in &mut self.front {
            let bytes = std::mem::take(piece);
            *piece = Bytes::from_owner(Held { bytes, _share: Arc::clone(&share) });
        }
        self
    }
}

/// Bodies below are copied into a connection's own buffer.
const COPIED: usize = 16 << 10;

/// Bytes with their share of the memory.
struct Held {
    bytes: Bytes,
    _share: Arc<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Body {
    /// Whether all of it is here already.
    pub fn is_held(&self) -> bool {
        self.rest.is_none()
    }

    /// The same again, where all of it is here.
    pub fn copy(&self) -> Option<Self> {
        let held =
            self.rest.is_none() && self.live.is_none() && self.cut.is_none() && self.permits.is_empty();
        held.then(|| {
            let mut copy = Self::default();
            copy.front.clone_from(&self.front);
            copy
        })
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
                if let Some((_, since)) = this.wait.take() {
                    this.waited += since.elapsed();
                }
                if let (None, Some(ended)) = (&frame, &this.ended) {
                    ended.notify_one();
                }
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                let bytes = data.map_or(0, Bytes::len);
                this.got += bytes;
                this.count(bytes);
                Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)))
            }
            Poll::Pending => {
                let Some(patience) = this.patience else { return Poll::Pending };
                let left = || patience.left(this.waited, this.got);
                let (sleep, _) =
                    this.wait.get_or_insert_with(|| (Box::pin(tokio::time::sleep(left())), Instant::now()));
                ready!(sleep.as_mut().poll(cx));
                this.end(Some(BodyError::Silent(patience.silence)));
                self.poll_frame(cx)
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

/// Reads a body up to a limit in bytes and as far as the budget goes, waiting for its pieces as long as is said.
///
/// A body that announces more than that is not read at all.
pub async fn collect(
    mut body: Incoming,
    limit: usize,
    budget: &mut Budget,
    patience: impl Into<Patience>,
) -> Collected {
    use http_body_util::BodyExt;
    let patience = patience.into();
    let announced = body.size_hint().lower();
    if announced > limit as u64 || !budget.reserve(announced as usize) {
        return Collected::Over(Bytes::new(), body);
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    // Begins with the second piece: most bodies have one.
    let mut began: Option<Instant> = None;
    loop {
        let waited = began.map_or(Duration::ZERO, |began| began.elapsed());
        let left = patience.left(waited, first.len() + all.len());
        let Ok(frame) = tokio::time::timeout(left, body.frame()).await else {
            return Collected::Broken(join(first, all), BodyError::Silent(patience.silence));
        };
        match frame {
            None => return Collected::Whole(join(first, all)),
            Some(Err(cause)) => return Collected::Broken(join(first, all), cause.into()),
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                let len = first.len() + all.len() + data.len();
                let over = len > limit || !budget.reserve(len);
                if patience.rate > 0 && began.is_none() && !body.is_end_stream() {
                    began = Some(Instant::now());
                }
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
                // What grows holds more than it has.
                let over = over || !budget.reserve(all.capacity());
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
    fn an_upload_has_one_silence_and_what_its_bytes_earn() {
        let seconds = Duration::from_secs;
        let patience = Patience::with_callers(seconds(60));
        assert_eq!(patience.left(seconds(0), 0), seconds(60));
        assert_eq!(patience.left(seconds(50), 50), seconds(10) + Duration::from_millis(100));
        assert_eq!(patience.left(seconds(61), 50), Duration::ZERO, "a byte a second is not waited for");
        assert_eq!(patience.left(seconds(3600), 4 << 20), seconds(60), "a slow line is");
        assert_eq!(
            Patience::from(seconds(60)).left(seconds(3600), 0),
            seconds(60),
            "vendors take what they take"
        );
    }
}
