//! Events as lines: one JSON object each.

use std::time::SystemTime;

use crate::observe::Events;

/// Bytes after which lines are written rather than gathered further.
const BLOCK: usize = 64 << 10;

/// Gives events as blocks of whole lines, each with the number of events in it.
pub(super) fn blocks(events: &Events, mut take: impl FnMut(&[u8], u64)) {
    let (mut block, mut count) = (Vec::new(), 0);
    for event in events.iter() {
        // Strings and numbers only: there is nothing in an event that JSON could refuse.
        if serde_json::to_writer(&mut block, &event).is_ok() {
            block.push(b'\n');
            count += 1;
        }
        if block.len() >= BLOCK {
            take(&block, count);
            block.clear();
            count = 0;
        }
    }
    if count > 0 {
        take(&block, count);
    }
}

/// What must be known of an event on disk to send it.
#[derive(Debug, serde::Deserialize)]
pub struct Head {
    pub event_id: String,
    time: String,
}

impl Head {
    /// None when the line is no event.
    pub fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(line).ok().filter(|head| !head.event_id.is_empty())
    }

    /// When it happened.
    pub fn time(&self) -> Option<SystemTime> {
        humantime::parse_rfc3339(&self.time).ok()
    }
}
