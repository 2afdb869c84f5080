//! The thread that writes the spool. While the disk takes nothing it holds what it has and tries again; the queue behind it
//! fills, and then drops.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use super::lines::blocks;
use super::spool::Writer;
use crate::observe::{Inbox, SinkHandles};

/// How often the writer looks around when nothing happens.
const TICK: Duration = Duration::from_secs(1);
/// Pause before a write that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Writes until the queue is closed and empty.
pub(super) fn run(mut writer: Writer, inbox: &Inbox, sink: &SinkHandles, closing: &AtomicBool) {
    loop {
        match inbox.next(TICK) {
            Ok(events) => blocks(&events, |lines, count| put(&mut writer, lines, count, sink, closing)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        writer.tick();
    }
    writer.sync();
}

/// Writes a block, however often that takes; only a process that ends gives up.
fn put(writer: &mut Writer, lines: &[u8], count: u64, sink: &SinkHandles, closing: &AtomicBool) {
    let mut failing = false;
    while let Err(cause) = writer.append(lines) {
        sink.failed.inc_by(count);
        if closing.load(Ordering::Relaxed) {
            sink.dropped.inc_by(count);
            tracing::error!(error = %cause, events = count, "events dropped: the spool cannot be written");
            return;
        }
        if !failing {
            failing = true;
            tracing::error!(error = %cause, "the spool cannot be written; events wait, and the queue drops what is too many");
        }
        // Woken early when the process ends.
        std::thread::park_timeout(AGAIN);
    }
    if failing {
        tracing::info!("the spool is written again");
    }
    sink.done.inc_by(count);
}
