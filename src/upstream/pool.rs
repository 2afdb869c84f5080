//! Connections that are kept between calls: one slot for each authority, last used first.
//!
//! A kept connection is looked at before it is used. What is found closed, or with bytes that nobody asked for, is dropped; so is what
//! is idle for too long, and what is old, so that a vendor's new addresses are found.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use http::uri::Authority;
use hyper::client::conn::http1::SendRequest;
use tokio::time::Instant;

use super::line::Look;
use crate::body::Body;

/// Shorter than servers keep idle connections, so that few are stale when they are used again.
const IDLE: Duration = Duration::from_secs(10);
/// Names are looked up for each connection; a moved one is followed within this time.
const AGE: Duration = Duration::from_secs(300);
/// A vendor that closes this soon after an answer, without a word, will do it again,
const HASTY: Duration = Duration::from_secs(1);
/// and for so long gets what must not be sent twice on connections of its own.
const DISTRUST: Duration = Duration::from_secs(10);

/// A connection between two calls, or one whose last reply is still read.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) sender: SendRequest<Body>,
    look: Look,
    born: Instant,
    used: Instant,
}

impl Kept {
    pub(super) fn new(sender: SendRequest<Body>, look: Look) -> Self {
        let now = Instant::now();
        Self { sender, look, born: now, used: now }
    }

    fn is_worn(&self, now: Instant) -> bool {
        now.duration_since(self.born) > AGE
            || (self.sender.is_ready() && now.duration_since(self.used) > IDLE)
    }
}

/// The connections to one authority.
#[derive(Debug)]
pub(super) struct Slot {
    kept: Mutex<Vec<Kept>>,
    began: Instant,
    /// Milliseconds after `began` until which the vendor is hasty.
    distrusted: AtomicU64,
    /// Kept ones found closed right after their last reply, since one brought another.
    closed: AtomicU32,
    /// Most that are kept.
    most: usize,
}

impl Slot {
    fn new(most: usize) -> Self {
        Self {
            kept: Mutex::default(),
            began: Instant::now(),
            distrusted: AtomicU64::new(0),
            closed: AtomicU32::new(0),
            most,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection to use again. `once`: for what must not be lost after it was sent.
    pub(super) fn take(&self, once: bool) -> Option<Kept> {
        let now = Instant::now();
        let distrusted = once && now < self.began + Duration::from_millis(self.distrusted.load(Relaxed));
        // Of a hasty vendor only one that outlived the haste, which speaks for the vendor.
        let rested = if distrusted { HASTY } else { Duration::ZERO };
        loop {
            let found = self.last_ready(now, rested)?;
            if found.look.is_quiet() {
                if distrusted {
                    self.distrusted.store(0, Relaxed);
                }
                return Some(found);
            }
            self.was_closed(&found, now);
        }
    }

    /// The last one that waits for a request, for so long at least; what cannot be used any more on the way to it is dropped.
    fn last_ready(&self, now: Instant, rested: Duration) -> Option<Kept> {
        let mut kept = self.kept();
        for at in (0..kept.len()).rev() {
            let one = &kept[at];
            if one.sender.is_closed() || one.is_worn(now) {
                let dropped = kept.remove(at);
                if dropped.sender.is_closed() {
                    self.was_closed(&dropped, now);
                }
            } else if one.sender.is_ready() && now.duration_since(one.used) >= rested {
                return Some(kept.remove(at));
            }
        }
        None
    }

    /// Keeps a connection whose reply's head has come: it is ready when the body has been read to its end.
    pub(super) fn keep(&self, mut connection: Kept) {
        connection.used = Instant::now();
        let mut kept = self.kept();
        if kept.len() < self.most {
            kept.push(connection);
        }
    }

    /// A kept connection has brought a reply.
    pub(super) fn proved(&self) {
        self.closed.store(0, Relaxed);
    }

    /// Found closed. Once says little: the caller of its last reply may have gone away, or the vendor restarts.
    fn was_closed(&self, connection: &Kept, now: Instant) {
        if now.duration_since(connection.used) < HASTY && self.closed.fetch_add(1, Relaxed) > 0 {
            self.distrust(now);
        }
    }

    /// The vendor closes connections that it does not say it will close.
    pub(super) fn distrust(&self, now: Instant) {
        let until = now.duration_since(self.began) + DISTRUST;
        self.distrusted.store(until.as_millis() as u64, Relaxed);
    }

    /// Drops what nobody used in time; whether something is left.
    fn sweep(&self, now: Instant) -> bool {
        let mut kept = self.kept();
        kept.retain(|kept| !kept.sender.is_closed() && !kept.is_worn(now));
        !kept.is_empty()
    }
}

/// The slots of one upstream.
#[derive(Debug)]
pub(super) struct Pool {
    /// For the usual upstream, whose authority is always the same.
    only: Option<Arc<Slot>>,
    slots: Mutex<HashMap<Authority, Arc<Slot>>>,
    most: usize,
    swept: Once,
}

impl Pool {
    /// `most`: connections that are kept to one authority.
    pub(super) fn new(one_authority: bool, most: usize) -> Arc<Self> {
        let only = one_authority.then(|| Arc::new(Slot::new(most)));
        Arc::new(Self { only, slots: Mutex::default(), most, swept: Once::new() })
    }

    pub(super) fn slot(self: &Arc<Self>, authority: &Authority) -> Arc<Slot> {
        self.swept.call_once(|| self.start_sweeping());
        if let Some(only) = &self.only {
            return Arc::clone(only);
        }
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(authority) {
            return Arc::clone(slot);
        }
        Arc::clone(slots.entry(authority.clone()).or_insert_with(|| Arc::new(Slot::new(self.most))))
    }

    /// Idle connections end although nobody calls any more, for as long as the pool lives.
    fn start_sweeping(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE / 2).await;
                let Some(pool) = pool.upgrade() else { return };
                let now = Instant::now();
                if let Some(only) = &pool.only {
                    only.sweep(now);
                }
                let mut slots = pool.slots.lock().unwrap_or_else(PoisonError::into_inner);
                // Callers choose what a template becomes: only what is used is remembered.
                slots.retain(|_, slot| slot.sweep(now) || Arc::strong_count(slot) > 1);
            }
        });
    }
}
