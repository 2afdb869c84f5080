//! Events on disk: NDJSON files that take turns, bounded in size and age, written by one and read by one.
//!
//! Each line is one event. A file that is closed never changes; after a restart a new one is begun, so that a line torn by
//! a crash stays at a file's end. Knows nothing of where events go from here.

mod cursor; // how far the reader has got
mod segment; // one file
mod write; // the writer's side

pub use cursor::load as load_cursor;
pub use cursor::store as store_cursor;
pub use segment::{Line, Position, lines, segments};
pub use write::Writer;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::config::FileSinkConfig;
use crate::observe::SinkHandles;

/// What writer and reader share.
#[derive(Debug)]
pub struct Spool {
    pub directory: PathBuf,
    max_size: u64,
    max_age: Duration,
    rotate: u64,
    state: Mutex<State>,
    /// Changes with every write.
    written: watch::Sender<()>,
    /// Held while this process writes here.
    _lock: File,
}

#[derive(Debug, Default)]
struct State {
    /// Files and their lengths, in whole lines.
    segments: BTreeMap<u64, u64>,
    reader: Option<Reader>,
}

#[derive(Debug)]
struct Reader {
    /// What is read next.
    next: Position,
    /// What is done with.
    done: Position,
    sink: SinkHandles,
}

impl Spool {
    /// Opens a folder, and makes it when missing.
    ///
    /// # Errors
    /// What is wrong with the folder, in words; also when another process writes there.
    pub fn open(config: &FileSinkConfig) -> Result<(Arc<Self>, Writer), String> {
        let directory = &config.directory;
        let bad = |cause: io::Error| format!("events spool {}: {cause}", directory.display());
        std::fs::create_dir_all(directory).map_err(bad)?;
        let lock = File::create(directory.join("lock")).map_err(bad)?;
        lock.try_lock().map_err(|cause| match cause {
            std::fs::TryLockError::WouldBlock => {
                format!(
                    "events spool {}: another process writes here; give each a folder",
                    directory.display()
                )
            }
            std::fs::TryLockError::Error(cause) => bad(cause),
        })?;
        let state = State { segments: segments(directory).map_err(bad)?, reader: None };
        let spool = Arc::new(Self {
            directory: directory.clone(),
            max_size: config.max_size.0 as u64,
            max_age: config.max_age.0,
            rotate: config.rotate.0 as u64,
            state: Mutex::new(state),
            written: watch::Sender::new(()),
            _lock: lock,
        });
        Ok((Arc::clone(&spool), Writer::new(spool)))
    }

    /// Reads from a place on; what must be thrown away unread is counted as dropped by this sink.
    pub fn follow(&self, from: Position, sink: SinkHandles) {
        let mut state = self.state();
        state.reader = Some(Reader { next: from, done: from, sink });
        state.show_pending();
    }

    /// Wakes with every write.
    pub fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }

    /// The next whole lines, at most so many; none when all is read.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self, most: usize) -> io::Result<Vec<Line>> {
        let mut state = self.state();
        let State { segments, reader } = &mut *state;
        let Some(reader) = reader else { return Ok(Vec::new()) };
        let unread: Vec<(u64, u64)> =
            segments.range(reader.next.segment..).map(|(n, len)| (*n, *len)).collect();
        for (segment, length) in unread {
            if segment > reader.next.segment {
                reader.next = Position { segment, offset: 0 };
            }
            // Under the lock, so that the writer cannot take the file away half-read.
            let lines = present(lines(&self.directory, reader.next, length, most))?.unwrap_or_default();
            if let Some(last) = lines.last() {
                reader.next = last.end;
                return Ok(lines);
            }
        }
        Ok(Vec::new())
    }

    /// The reader is done with everything before a place.
    pub fn done(&self, until: Position) {
        let mut state = self.state();
        if let Some(reader) = &mut state.reader {
            reader.done = until;
        }
        state.show_pending();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn size(&self) -> u64 {
        self.segments.values().sum()
    }

    /// Forgets the oldest file and removes it.
    fn remove(&mut self, directory: &Path, number: u64) -> io::Result<()> {
        if let Some(reader) = self.reader.as_mut().filter(|reader| reader.next.segment <= number) {
            let from = Position { segment: number, offset: 0 }.max(reader.next);
            let length = self.segments.get(&number).copied().unwrap_or(0);
            let lost = present(segment::count(directory, from, length))?.unwrap_or(0);
            if lost > 0 {
                tracing::warn!(
                    file = number,
                    events = lost,
                    "events thrown away unsent: the spool is full or they are too old"
                );
            }
            reader.sink.dropped.inc_by(lost);
            reader.next = Position { segment: number + 1, offset: 0 };
        }
        present(std::fs::remove_file(segment::path(directory, number)))?;
        self.segments.remove(&number);
        self.show_pending();
        Ok(())
    }

    fn show_pending(&self) {
        let Some(Reader { done, sink: SinkHandles { pending: Some(pending), .. }, .. }) = &self.reader else {
            return;
        };
        let ahead = self.segments.range(done.segment..).map(|(number, length)| {
            if *number == done.segment { length.saturating_sub(done.offset) } else { *length }
        });
        pending.set(ahead.sum::<u64>() as i64);
    }
}

/// None for a file that somebody else took away: what was in it is lost, and the spool goes on.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

#[cfg(test)]
mod tests;
