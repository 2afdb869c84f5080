//! The thread that writes events to standard output. A reader that stalls fills this sink's queue, and nothing else.

use std::io::{self, Write};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::lines::blocks;
use crate::observe::{Inbox, SinkHandles};

/// Writes until the queue is closed and empty.
pub(super) fn run(inbox: &Inbox, sink: &SinkHandles) {
    let mut broken = false;
    loop {
        match inbox.next(Duration::from_secs(3600)) {
            Ok(events) => blocks(&events, |lines, count| broken = !put(lines, count, sink, broken)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// False when nobody takes it. A pipe has no later, so there is no second try.
fn put(lines: &[u8], count: u64, sink: &SinkHandles, broken: bool) -> bool {
    let mut out = io::stdout().lock();
    match out.write_all(lines).and_then(|()| out.flush()) {
        Ok(()) => sink.done.inc_by(count),
        Err(cause) => {
            sink.failed.inc_by(count);
            sink.dropped.inc_by(count);
            if !broken {
                tracing::error!(error = %cause, "events cannot be written to standard output");
            }
            return false;
        }
    }
    true
}
