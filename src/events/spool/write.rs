//! The writer's side: appends, begins new files, throws the oldest away.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{Spool, segment};

/// Longest time that written events may be only in the kernel's memory, which a power cut empties.
const SYNC: Duration = Duration::from_secs(1);
/// How often ages are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The one writer of a spool.
#[derive(Debug)]
pub struct Writer {
    spool: Arc<Spool>,
    active: Option<Active>,
    /// Since when bytes wait to be synced.
    unsynced: Option<Instant>,
    looked: Option<Instant>,
}

/// The file that grows.
#[derive(Debug)]
struct Active {
    file: File,
    number: u64,
    length: u64,
    begun: Instant,
}

impl Writer {
    pub(super) fn new(spool: Arc<Spool>) -> Self {
        Self { spool, active: None, unsynced: None, looked: None }
    }

    /// Appends whole lines: all of them, or on an error none.
    ///
    /// # Errors
    /// When the disk does not take them. Trying again is safe.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let added = lines.len() as u64;
        if self
            .active
            .as_ref()
            .is_some_and(|active| active.length > 0 && active.length + added > self.spool.rotate)
        {
            self.close();
        }
        let mut active = match self.active.take() {
            Some(active) => active,
            None => self.begin()?,
        };
        if let Err(cause) = self.make_room(added, active.number) {
            self.active = Some(active);
            return Err(cause);
        }
        if let Err(cause) = active.file.write_all(lines) {
            // A part may have been written. Where it cannot be cut off, it ends its file, and readers skip it.
            if active.file.set_len(active.length).is_ok() {
                self.active = Some(active);
            }
            return Err(cause);
        }
        active.length += added;
        self.unsynced.get_or_insert_with(Instant::now);
        {
            let mut state = self.spool.state();
            state.segments.insert(active.number, active.length);
            state.show_pending();
        }
        self.active = Some(active);
        self.spool.written.send_replace(());
        Ok(())
    }

    /// What is due by now: called about once a second.
    pub fn tick(&mut self) {
        if self.unsynced.is_some_and(|since| since.elapsed() >= SYNC) {
            self.sync();
        }
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            // A file goes as a whole, so it must not hold events of very different age.
            let due = |active: &Active| {
                active.begun.elapsed() > self.spool.max_age / 8
                    || !segment::path(&self.spool.directory, active.number).exists()
            };
            if self.active.as_ref().is_some_and(due) {
                self.close();
            }
            if let Err(cause) = self.expire() {
                tracing::warn!(error = %cause, "old events could not be thrown away");
            }
        }
    }

    /// Has the kernel put everything on disk.
    pub fn sync(&mut self) {
        self.unsynced = None;
        if let Some(Err(cause)) = self.active.as_ref().map(|active| active.file.sync_data()) {
            tracing::warn!(error = %cause, "events are written, but may not be on disk yet");
        }
    }

    fn close(&mut self) {
        self.sync();
        self.active = None;
    }

    /// Begins the next file.
    fn begin(&self) -> io::Result<Active> {
        let last = self.spool.state().segments.last_key_value().map_or(0, |(number, _)| *number);
        // Numbers are never used twice, also when all files are gone: a cursor may still name the last one.
        let number =
            last.max(super::load_cursor(&self.spool.directory).map_or(0, |cursor| cursor.segment)) + 1;
        std::fs::create_dir_all(&self.spool.directory)?;
        let path = segment::path(&self.spool.directory, number);
        let file = OpenOptions::new().append(true).create_new(true).open(path)?;
        self.spool.state().segments.insert(number, 0);
        Ok(Active { file, number, length: 0, begun: Instant::now() })
    }

    /// Throws the oldest files away until so many bytes fit.
    fn make_room(&self, added: u64, keep: u64) -> io::Result<()> {
        let mut state = self.spool.state();
        while state.size() + added > self.spool.max_size {
            let Some(oldest) = state.segments.keys().next().copied().filter(|number| *number != keep) else {
                break;
            };
            state.remove(&self.spool.directory, oldest)?;
        }
        Ok(())
    }

    /// Throws away files that were written last too long ago.
    fn expire(&self) -> io::Result<()> {
        let active = self.active.as_ref().map(|active| active.number);
        let mut state = self.spool.state();
        while let Some(oldest) =
            state.segments.keys().next().copied().filter(|number| Some(*number) != active)
        {
            let file = super::present(std::fs::metadata(segment::path(&self.spool.directory, oldest)))?;
            let written = file.map(|file| file.modified()).transpose()?;
            let age = written.map(|written| SystemTime::now().duration_since(written).unwrap_or_default());
            if age.is_some_and(|age| age <= self.spool.max_age) {
                break;
            }
            state.remove(&self.spool.directory, oldest)?;
        }
        Ok(())
    }

    /// Where the next event will stand.
    #[cfg(test)]
    pub(super) fn end(&self) -> Option<super::Position> {
        self.active.as_ref().map(|active| super::Position { segment: active.number, offset: active.length })
    }
}
