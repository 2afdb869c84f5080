//! How events leave the request's path: one bounded queue for each sink, and nobody ever waits for one.
//!
//! What happens at the other end is `events`' job.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use prometheus::{IntCounter, IntGauge};
use tokio::sync::Semaphore;

use super::event::Events;
use crate::body::Budget;
use crate::config::Include;

/// Events that may wait for one sink. A batch is taken whole while there are fewer, so that one large batch is not cut.
pub const QUEUED: usize = 10_000;

/// Events of less count as nothing: [`QUEUED`] of them are few bytes.
const SMALL: usize = 4 << 10;

/// One sink's counters.
#[derive(Clone, Debug)]
pub struct SinkHandles {
    /// Events that are where they should be.
    pub done: IntCounter,
    /// Tries that failed, by events.
    pub failed: IntCounter,
    /// Events that the sink will never get.
    pub dropped: IntCounter,
    /// Bytes in the spool that the sink has not acknowledged.
    pub pending: Option<IntGauge>,
}

/// The near end of all queues. Dropping it ends them, once they are empty.
#[derive(Debug)]
pub struct Outbox {
    pub(super) include: Include,
    doors: Vec<Door>,
    /// What all held bodies share.
    memory: Arc<Semaphore>,
}

/// A batch's events in a queue, with their share of the memory.
#[derive(Clone, Debug)]
pub struct Queued {
    events: Arc<Events>,
    _share: Option<Arc<Budget>>,
}

impl Deref for Queued {
    type Target = Events;

    fn deref(&self) -> &Events {
        &self.events
    }
}

#[derive(Debug)]
struct Door {
    sender: SyncSender<Queued>,
    queued: Arc<AtomicUsize>,
    dropped: IntCounter,
}

/// A sink's end of its queue.
#[derive(Debug)]
pub struct Inbox {
    receiver: Receiver<Queued>,
    queued: Arc<AtomicUsize>,
}

impl Outbox {
    pub fn new(include: Include, memory: Arc<Semaphore>) -> Self {
        Self { include, doors: Vec::new(), memory }
    }

    /// A queue for one more sink.
    pub fn open(&mut self, sink: &SinkHandles) -> Inbox {
        let (sender, receiver) = sync_channel(QUEUED);
        let queued = Arc::new(AtomicUsize::new(0));
        let dropped = sink.dropped.clone();
        self.doors.push(Door { sender, queued: Arc::clone(&queued), dropped });
        Inbox { receiver, queued }
    }

    /// Hands a batch's events to every sink that has room; counts them as dropped by the others.
    pub(super) fn put(&self, events: &Arc<Events>) {
        if events.is_empty() {
            return;
        }
        let share = self.share(events.bytes());
        for door in &self.doors {
            let queued = door.queued.fetch_add(events.len(), Ordering::Relaxed);
            let room = share.as_ref().filter(|_| queued < QUEUED);
            let item = room.map(|share| Queued { events: Arc::clone(events), _share: share.clone() });
            if item.is_none_or(|item| door.sender.try_send(item).is_err()) {
                door.queued.fetch_sub(events.len(), Ordering::Relaxed);
                door.dropped.inc_by(events.len() as u64);
            }
        }
    }
}

impl Outbox {
    /// A share for so many bytes, where they need one; none where there is no room.
    fn share(&self, bytes: usize) -> Option<Option<Arc<Budget>>> {
        if bytes < SMALL {
            return Some(None);
        }
        let mut share = Budget::new(Arc::clone(&self.memory));
        share.reserve(bytes).then(|| Some(Arc::new(share)))
    }
}

impl Inbox {
    /// The next batch's events.
    ///
    /// # Errors
    /// `Timeout` when none came in time; `Disconnected` when none will come.
    pub fn next(&self, wait: Duration) -> Result<Queued, RecvTimeoutError> {
        let events = self.receiver.recv_timeout(wait)?;
        self.queued.fetch_sub(events.len(), Ordering::Relaxed);
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sink() -> SinkHandles {
        let counter = || IntCounter::new("c", "c").unwrap();
        SinkHandles { done: counter(), failed: counter(), dropped: counter(), pending: None }
    }

    /// Room for so many KiB.
    fn outbox(room: usize) -> Outbox {
        Outbox::new(Include::Failures, Arc::new(Semaphore::new(room)))
    }

    fn events(count: usize) -> Arc<Events> {
        Arc::new(Events::alike(count))
    }

    #[test]
    fn a_full_queue_drops_for_its_sink_alone_and_has_room_again_when_it_is_read() {
        let (slow, quick) = (sink(), sink());
        let mut outbox = outbox(1 << 20);
        let (slow_box, quick_box) = (outbox.open(&slow), outbox.open(&quick));
        for _ in 0..=QUEUED / 100 {
            outbox.put(&events(100));
            assert_eq!(quick_box.next(Duration::ZERO).unwrap().len(), 100);
        }
        assert_eq!((slow.dropped.get(), quick.dropped.get()), (100, 0));
        slow_box.next(Duration::ZERO).unwrap();
        outbox.put(&events(100));
        assert_eq!(slow.dropped.get(), 100);
    }

    #[test]
    fn a_batch_larger_than_the_queue_is_taken_whole() {
        let sink = sink();
        let mut outbox = outbox(1 << 20);
        let inbox = outbox.open(&sink);
        outbox.put(&events(3 * QUEUED));
        outbox.put(&events(1));
        assert_eq!(sink.dropped.get(), 1);
        assert_eq!(inbox.next(Duration::ZERO).unwrap().len(), 3 * QUEUED);
    }

    #[test]
    fn events_have_a_share_of_the_memory_until_they_are_written() {
        let sink = sink();
        let large = events(1000);
        let mut outbox = outbox(large.bytes().div_ceil(1 << 10));
        let inbox = outbox.open(&sink);
        outbox.put(&large);
        outbox.put(&large);
        outbox.put(&events(1));
        assert_eq!(sink.dropped.get(), 1000, "there is room for one, and small ones are no matter");
        let written = inbox.next(Duration::ZERO).unwrap();
        outbox.put(&large);
        assert_eq!(sink.dropped.get(), 2000);
        drop(written);
        outbox.put(&large);
        assert_eq!(sink.dropped.get(), 2000);
    }

    #[test]
    fn what_was_put_is_still_there_after_the_outbox_closed() {
        let mut outbox = outbox(1 << 20);
        let inbox = outbox.open(&sink());
        outbox.put(&events(2));
        drop(outbox);
        assert_eq!(inbox.next(Duration::ZERO).unwrap().len(), 2);
        assert_eq!(inbox.next(Duration::ZERO).unwrap_err(), RecvTimeoutError::Disconnected);
    }
}
