//! From the spool to the stream, at least once: an event is done when the stream has acknowledged it, and only then does
//! the cursor on disk move past it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::lines::Head;
use super::link::Link;
use super::parcel::{Fate, Parcel, pause};
use super::spool::{Line, Position, Spool, load_cursor, store_cursor};
use crate::observe::SinkHandles;

/// Events under way at once.
const AT_ONCE: usize = 256;
/// Longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(30);

/// The reader's side of a spool.
#[derive(Debug)]
pub(super) struct Publisher {
    link: Link,
    spool: Arc<Spool>,
    sink: SinkHandles,
    /// What is under way, and where each event ends in the spool.
    parcels: Vec<Parcel>,
    ends: Vec<Position>,
}

impl Publisher {
    /// Goes on where the last process stopped.
    pub(super) fn new(link: Link, spool: Arc<Spool>, sink: SinkHandles) -> Self {
        spool.follow(load_cursor(&spool.directory).unwrap_or_default(), sink.clone());
        Self { link, spool, sink, parcels: Vec::new(), ends: Vec::new() }
    }

    /// Publishes until told to stop; then what is left, while the server is there and until the time that was told.
    pub(super) async fn run(mut self, stopping: watch::Receiver<Option<Instant>>) {
        let stop = stopping.clone();
        tokio::select! {
            () = self.publish(stopping) => {}
            () = give_up(stop) => {}
        }
        self.settle().await;
    }

    async fn publish(&mut self, mut stopping: watch::Receiver<Option<Instant>>) {
        let mut written = self.spool.written();
        loop {
            let lines = match self.read().await {
                Ok(lines) => lines,
                Err(cause) => {
                    tracing::error!(error = %cause, again = ?LONGEST, "the spool cannot be read");
                    sleep(LONGEST, &mut stopping).await;
                    if stopping.borrow().is_some() {
                        return;
                    }
                    continue;
                }
            };
            if !lines.is_empty() {
                self.take(lines);
                if !self.deliver(&mut stopping).await {
                    return;
                }
                continue;
            }
            if stopping.borrow().is_some() {
                return;
            }
            tokio::select! {
                _ = written.changed() => {}
                told = stopping.changed() => if told.is_err() { return },
            }
        }
    }

    async fn read(&self) -> io::Result<Vec<Line>> {
        let spool = Arc::clone(&self.spool);
        tokio::task::spawn_blocking(move || spool.read(AT_ONCE))
            .await
            .unwrap_or_else(|cause| Err(io::Error::other(cause)))
    }

    /// Lines become parcels. One that is no event (a disk that lied) cannot be sent, and must not stop the others.
    fn take(&mut self, lines: Vec<Line>) {
        for line in lines {
            let (id, fate) = match Head::read(&line.bytes) {
                Some(head) => (head.event_id, Fate::Waiting),
                None => (String::new(), Fate::Unfit),
            };
            let parcel = Parcel { id, bytes: line.bytes.into(), fate };
            self.parcels.push(parcel);
            self.ends.push(line.end);
        }
    }

    /// Offers what is under way until all is done; false when the process ends before that.
    async fn deliver(&mut self, stopping: &mut watch::Receiver<Option<Instant>>) -> bool {
        let mut tries = 1;
        loop {
            if stopping.borrow().is_some() && !self.link.is_up() {
                return false;
            }
            tokio::select! {
                () = self.link.until(true) => {}
                told = stopping.changed() => match told {
                    Ok(()) => continue,
                    Err(_) => return false,
                },
            }
            let offered = self.link.offer(&mut self.parcels).await;
            let waiting = self.parcels.iter().filter(|parcel| parcel.fate == Fate::Waiting).count();
            self.settle().await;
            let Err(cause) = offered else { return true };
            self.sink.failed.inc_by(waiting as u64);
            tries += 1;
            let again = pause(tries, LONGEST);
            tracing::warn!(error = cause, events = waiting, again = ?again, "NATS did not take events; they wait in the spool");
            sleep(again, stopping).await;
        }
    }

    /// Counts what is done and moves the cursor past what is done without a gap.
    async fn settle(&mut self) {
        let done = self.parcels.iter().take_while(|parcel| parcel.fate != Fate::Waiting).count();
        for parcel in self.parcels.drain(..done) {
            match parcel.fate {
                Fate::Unfit => {
                    self.sink.dropped.inc();
                    tracing::error!(
                        event_id = parcel.id,
                        bytes = parcel.bytes.len(),
                        "an event cannot be published: torn on disk, or larger than the server takes"
                    );
                }
                _ => self.sink.done.inc(),
            }
        }
        let Some(end) = self.ends.drain(..done).next_back() else { return };
        let spool = Arc::clone(&self.spool);
        // The writer may hold the spool while it counts and removes a file: no thread of requests waits for that.
        let stored = tokio::task::spawn_blocking(move || {
            spool.done(end);
            store_cursor(&spool.directory, end)
        })
        .await;
        if let Ok(Err(cause)) = stored {
            tracing::warn!(error = %cause, "the cursor was not written: after a restart events are sent again");
        }
    }
}

/// A pause that ends early when the process is to end.
async fn sleep(pause: Duration, stopping: &mut watch::Receiver<Option<Instant>>) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        _ = stopping.changed() => {}
    }
}

/// Resolves when the time to finish is up.
async fn give_up(mut stopping: watch::Receiver<Option<Instant>>) {
    // Dropped without a word, the process is being torn down: that ends at once.
    let told = stopping.wait_for(Option::is_some).await.map(|deadline| *deadline);
    if let Ok(Some(deadline)) = told {
        tokio::time::sleep_until(deadline).await;
    }
}
