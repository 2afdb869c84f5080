//! The last batches and failures, and whoever watches them live. Bounded; for people, not for accounting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use super::event::{Event, Events};
use super::record::BatchRecord;

/// Records kept of each kind.
pub(super) const KEPT: usize = 1000;
/// Records a slow watcher may fall behind before it misses some.
const BEHIND: usize = 1024;

/// Something that just happened.
#[derive(Clone, Debug)]
pub enum Live {
    Verdict(Event),
    Batch(Arc<BatchRecord>),
}

#[derive(Debug)]
pub struct Recent {
    failures: Mutex<VecDeque<Event>>,
    batches: Mutex<VecDeque<Arc<BatchRecord>>>,
    live: broadcast::Sender<Live>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { failures: Mutex::default(), batches: Mutex::default(), live: broadcast::channel(BEHIND).0 }
    }
}

impl Recent {
    /// Keeps a batch and what failed in it: failures only, at most [`KEPT`].
    pub(super) fn add(&self, batch: Arc<BatchRecord>, failures: Option<&Arc<Events>>) {
        keep(&self.batches, std::iter::once(Arc::clone(&batch)));
        if let Some(failures) = failures {
            keep(&self.failures, failures.each());
        }
        if self.live.receiver_count() > 0 {
            // Nobody watching any more is no fault.
            let _ = self.live.send(Live::Batch(batch));
            for failure in failures.into_iter().flat_map(Events::each) {
                let _ = self.live.send(Live::Verdict(failure));
            }
        }
    }

    /// The newest failures, newest first.
    pub fn failures(&self, most: usize) -> Vec<Event> {
        newest(&self.failures, most)
    }

    /// The newest batches, newest first.
    pub fn batches(&self, most: usize) -> Vec<Arc<BatchRecord>> {
        newest(&self.batches, most)
    }

    /// Everything from now on.
    pub fn watch(&self) -> broadcast::Receiver<Live> {
        self.live.subscribe()
    }
}

fn keep<T>(list: &Mutex<VecDeque<T>>, records: impl Iterator<Item = T>) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    for record in records {
        if list.len() >= KEPT {
            list.pop_front();
        }
        list.push_back(record);
    }
}

fn newest<T: Clone>(list: &Mutex<VecDeque<T>>, most: usize) -> Vec<T> {
    let list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.iter().rev().take(most).cloned().collect()
}
