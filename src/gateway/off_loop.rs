//! Work that would hold up the event loop is done elsewhere: requests are read and replies judged by the same rule.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

/// Bytes of work from which on it leaves the event loop, so that one large call delays nobody else: a millisecond or so.
pub(super) const LARGE: usize = 1 << 20;

/// As many at once as there are processors: more would not be done sooner, and each holds memory while it is.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors))
});

/// Does `work` bytes' worth of something, here where that is little; what it took part in is free when it is done.
///
/// # Errors
/// It panicked; the log says where.
pub(super) async fn off_loop<T: Send + 'static>(
    work: usize,
    what: impl FnOnce() -> T + Send + 'static,
) -> std::thread::Result<T> {
    if work < LARGE {
        return catch_unwind(AssertUnwindSafe(what));
    }
    let turn = Arc::clone(&TURNS).acquire_owned().await;
    // The turn goes along: nobody may wait for it any more, and it is taken all the same.
    let done = tokio::task::spawn_blocking(move || {
        let done = catch_unwind(AssertUnwindSafe(what));
        drop(turn);
        done
    });
    done.await.unwrap_or_else(|cause| Err(Box::new(cause.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_work_leaves_the_event_loop_and_a_panic_in_it_harms_nobody() {
        let here = std::thread::current().id();
        let where_is = |work| off_loop(work, || std::thread::current().id());
        assert_eq!(where_is(LARGE - 1).await.unwrap(), here);
        assert_ne!(where_is(LARGE).await.unwrap(), here);
        // More often than there are turns: a turn comes back.
        for work in [0, LARGE].repeat(64) {
            assert!(off_loop(work, || panic!("it does")).await.is_err());
        }
    }
}
