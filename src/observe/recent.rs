//! The last batches and failures, and whoever watches them live. Bounded; for people, not for accounting.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use tokio::sync::broadcast;

use super::event::{Event, Events};
use crate::envelope::Envelope;
use crate::profile::Request;

/// Records kept of each kind.
pub(super) const KEPT: usize = 1000;
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
    /// Of the action; for the records of its verdicts.
    #[serde(skip)]
    pub resource_type: Option<String>,
}

impl BatchRecord {
    #[cfg(test)]
    pub(super) fn nothing() -> Arc<Self> {
        Arc::new(Self {
            id: "1".to_owned(),
            time: SystemTime::UNIX_EPOCH,
            vendor: String::new(),
            service: None,
            action: String::new(),
            profile: String::new(),
            outcome: "failed",
            summary: SummaryRecord::default(),
            upstream_status: None,
            dry_run: false,
            resource_type: None,
        })
    }

    pub(super) fn of(id: &str, request: &Request, envelope: &Envelope<'_>) -> Arc<Self> {
        let s = &envelope.summary;
        Arc::new(Self {
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
            resource_type: request.action().resource_type.clone(),
        })
    }
}

/// The envelope's summary.
#[derive(Clone, Copy, Debug, Default, Serialize)]
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
