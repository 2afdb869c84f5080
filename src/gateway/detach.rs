//! A future that runs to its end whether or not somebody still waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_util::task::TaskTracker;

/// Runs where it is awaited, without a task of its own; dropped unfinished, it goes on as one.
///
/// Once a vendor may act, its verdicts are wanted even when the caller has gone away. That is rare, so only then it costs a
/// task.
pub(super) struct Detach<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    work: Option<Pin<Box<F>>>,
    /// What is waited for before the process ends.
    tracker: TaskTracker,
}

impl<F> Detach<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    pub(super) fn new(work: F, tracker: &TaskTracker) -> Self {
        Self { work: Some(Box::pin(work)), tracker: tracker.clone() }
    }
}

impl<F> Future for Detach<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    /// None: it panicked.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Taken out, so that what panicked is not polled again by a task.
        let Some(mut work) = self.work.take() else { return Poll::Ready(None) };
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Ok(Poll::Pending) => {
                self.work = Some(work);
                Poll::Pending
            }
            Err(_) => Poll::Ready(None),
        }
    }
}

impl<F> Drop for Detach<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    fn drop(&mut self) {
        if let Some(work) = self.work.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            self.tracker.spawn_on(work, &runtime);
        }
    }
}
