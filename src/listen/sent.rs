//! Answers on their way out: their connection knows how many there are, and one that its caller does not take is cut.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;
use tokio::time::{Sleep, sleep_until};

use super::clock::{Clock, Since};
use crate::body::{Body, BodyError};

/// One request under way on its connection.
#[derive(Debug)]
pub(super) struct Flight(Arc<Clock>);

impl Flight {
    pub(super) fn begin(clock: &Arc<Clock>, multiplexed: bool) -> Self {
        clock.request(multiplexed);
        Self(Arc::clone(clock))
    }

    /// The answer is there; from now on it is to be taken.
    pub(super) fn offer(&self, given: &Since) {
        given.set(self.0.began);
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// An answer's body.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) body: Body,
    pub(super) flight: Flight,
    /// HTTP/2: since when nobody asks for more.
    pub(super) given: Option<Arc<Since>>,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if let Some(given) = &this.given {
            match &frame {
                Poll::Ready(Some(Ok(_))) => given.set(this.flight.0.began),
                _ => given.clear(),
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs the answers of an HTTP/2 connection, each in a task of its own.
///
/// A caller that opens no window stops one answer while the connection's bytes flow: then nobody polls the body, and only its task can
/// see to it. Ended, it resets its stream and no other.
#[derive(Clone, Debug)]
pub(super) struct Streams<C> {
    clock: Arc<Clock>,
    /// What [`Streams::note`] left for the task that hyper starts next.
    next: Arc<Mutex<Option<Arc<Since>>>>,
    cut: C,
}

impl<C: Fn(&'static str) + Clone + Send + Sync + 'static> Streams<C> {
    pub(super) fn new(clock: Arc<Clock>, cut: C) -> Self {
        Self { clock, next: Arc::default(), cut }
    }

    /// For the request that the service is called with: hyper starts its task right after.
    pub(super) fn note(&self) -> Arc<Since> {
        let given = Arc::new(Since::default());
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&given));
        given
    }
}

impl<F, C> Executor<F> for Streams<C>
where
    F: Future<Output: Send> + Send + 'static,
    C: Fn(&'static str) + Clone + Send + Sync + 'static,
{
    fn execute(&self, future: F) {
        let given = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (clock, cut) = (Arc::clone(&self.clock), self.cut.clone());
        tokio::spawn(async move {
            match given {
                None => drop(future.await),
                Some(given) => watched(future, &given, &clock, cut).await,
            }
        });
    }
}

/// Runs a future to its end, or until what it was given has been left for too long.
async fn watched<F: Future>(future: F, given: &Since, clock: &Clock, cut: impl Fn(&'static str)) {
    let mut future = pin!(future);
    let mut sleep: Pin<&mut Option<Sleep>> = pin!(None);
    std::future::poll_fn(|cx| {
        if future.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        while let Some(at) = given.get(clock.began) {
            let due = at + clock.waits.write;
            if sleep.is_none() {
                sleep.set(Some(sleep_until(due)));
            }
            let Some(mut clock) = sleep.as_mut().as_pin_mut() else { break };
            // It rings early when something moved in between.
            if clock.as_mut().poll(cx).is_pending() {
                break;
            }
            if clock.deadline() >= due {
                cut("write_timeout");
                return Poll::Ready(());
            }
            clock.reset(due);
        }
        Poll::Pending
    })
    .await;
}
