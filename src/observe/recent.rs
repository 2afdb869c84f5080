//! The last batches and failures, and whoever watches them live. Bounded; for people, not for accounting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use tokio::sync::broadcast;

use super::event::Event;
use crate::envelope::Envelope;
use crate::profile::Request;

/// Records kept of each kind.
const KEPT: usize = 1000;
/// Records a slow watcher may fall behind before it misses some.
const BEHIND: usize = 1024;

/// One batch, as the admin pages show it.
#[derive(Clone, Debug, Serialize)]
pub struct BatchRecord {
    /// The envelope's id.
    pub id: String,
    #[serde(serialize_with = "super::event::rfc3339")]
    pub time: SystemTime,
    pub vendor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub action: String,
    pub profile: String,
    pub outcome: &'static str,
    pub summary: SummaryRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// The envelope's summary.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SummaryRecord {
    pub total: u32,
    pub succeeded: u32,
    pub accepted: u32,
    pub failed: u32,
    pub not_attempted: u32,
    pub unknown: u32,
}

/// Something that just happened.
#[derive(Clone, Debug)]
pub enum Live {
    Verdict(Arc<Event>),
    Batch(Arc<BatchRecord>),
}

#[derive(Debug)]
pub struct Recent {
    failures: Mutex<VecDeque<Arc<Event>>>,
    batches: Mutex<VecDeque<Arc<BatchRecord>>>,
    live: broadcast::Sender<Live>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { failures: Mutex::default(), batches: Mutex::default(), live: broadcast::channel(BEHIND).0 }
    }
}

impl Recent {
    /// Keeps a batch and what failed in it.
    pub(super) fn add(&self, id: &str, request: &Request, envelope: &Envelope<'_>, failures: &[Arc<Event>]) {
        let s = &envelope.summary;
        let record = Arc::new(BatchRecord {
            id: id.to_owned(),
            time: SystemTime::now(),
            vendor: request.profile.vendor.name.clone(),
            service: request.service.clone(),
            action: request.action().name.clone(),
            profile: request.profile.name.clone(),
            outcome: envelope.outcome.as_str(),
            summary: SummaryRecord {
                total: s.total,
                succeeded: s.succeeded,
                accepted: s.accepted,
                failed: s.failed,
                not_attempted: s.not_attempted,
                unknown: s.unknown,
            },
            upstream_status: envelope.upstream.status,
            dry_run: envelope.operation.dry_run,
        });
        keep(&self.batches, std::iter::once(&record));
        keep(&self.failures, failures.iter().rev().take(KEPT).rev());
        if self.live.receiver_count() > 0 {
            // Nobody watching any more is no fault.
            let _ = self.live.send(Live::Batch(record));
            for failure in failures {
                let _ = self.live.send(Live::Verdict(Arc::clone(failure)));
            }
        }
    }

    /// The newest failures, newest first.
    pub fn failures(&self, most: usize) -> Vec<Arc<Event>> {
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

fn keep<'r, T: 'r>(list: &Mutex<VecDeque<Arc<T>>>, records: impl Iterator<Item = &'r Arc<T>>) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    for record in records {
        if list.len() >= KEPT {
            list.pop_front();
        }
        list.push_back(Arc::clone(record));
    }
}

fn newest<T>(list: &Mutex<VecDeque<Arc<T>>>, most: usize) -> Vec<Arc<T>> {
    let list = list.lock().unwrap_or_else(PoisonError::into_inner);
    list.iter().rev().take(most).cloned().collect()
}
