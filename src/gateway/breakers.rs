//! The breakers of one upstream, shown in metrics and log, and how much of a call failed on the vendor's side.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{BreakerConfig, Per};
use crate::envelope::{Category, Envelope, Verdict};
use crate::observe::{BreakerHandles, Observer};
use crate::upstream::{Breaker, Pass, Standing};

/// One for all calls, or one for each action. Actions come from profiles: they are few.
#[derive(Debug)]
pub(super) struct Breakers {
    config: BreakerConfig,
    handles: BreakerHandles,
    by_action: RwLock<HashMap<String, Arc<Watched>>>,
}

/// A breaker, and where it was seen last.
#[derive(Debug)]
struct Watched {
    breaker: Arc<Breaker>,
    action: String,
    handles: BreakerHandles,
    seen: AtomicU8,
}

/// Leave to call a vendor.
#[derive(Debug)]
pub(super) struct Leave {
    pass: Pass,
    watched: Arc<Watched>,
}

impl Breakers {
    pub(super) fn new(config: &BreakerConfig, upstream: &str, observer: &Observer) -> Self {
        let handles = observer.breaker(upstream);
        let breakers = Self { config: config.clone(), handles, by_action: RwLock::default() };
        breakers.of("");
        breakers
    }

    /// Leave for a call of an action; none: no profile knows it.
    ///
    /// # Errors
    /// How long to wait before another try.
    pub(super) fn admit(&self, action: Option<&str>) -> Result<Leave, Duration> {
        let action = action.filter(|_| self.config.per == Per::Action).unwrap_or("");
        let watched = self.of(action);
        let admitted = watched.breaker.admit(Instant::now());
        watched.look();
        Ok(Leave { pass: admitted?, watched })
    }

    /// Upstream, action and state of each.
    pub(super) fn states(&self) -> Vec<(String, String, &'static str)> {
        let all = self.by_action.read().unwrap_or_else(PoisonError::into_inner);
        let row = |watched: &Arc<Watched>| {
            let state = watched.breaker.standing().as_str();
            (self.handles.upstream().to_owned(), watched.action.clone(), state)
        };
        all.values().map(row).collect()
    }

    fn of(&self, action: &str) -> Arc<Watched> {
        if let Some(known) = self.by_action.read().unwrap_or_else(PoisonError::into_inner).get(action) {
            return Arc::clone(known);
        }
        let mut all = self.by_action.write().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            self.handles.stands(action, Standing::Passing as u8);
            Arc::new(Watched {
                breaker: Breaker::new(&self.config),
                action: action.to_owned(),
                handles: self.handles.clone(),
                seen: AtomicU8::new(Standing::Passing as u8),
            })
        };
        Arc::clone(all.entry(action.to_owned()).or_insert_with(new))
    }
}

impl Watched {
    /// Tells metrics and log where it stands, where that is new.
    fn look(&self) {
        let now = self.breaker.standing();
        if self.seen.swap(now as u8, Ordering::Relaxed) == now as u8 {
            return;
        }
        self.handles.stands(&self.action, now as u8);
        let (upstream, action) = (self.handles.upstream(), &self.action);
        match now {
            Standing::Tripped => tracing::warn!(upstream, action, "breaker tripped: no call goes"),
            Standing::Probing => tracing::info!(upstream, action, "breaker probes: one call goes"),
            Standing::Passing => tracing::info!(upstream, action, "breaker passes calls again"),
        }
    }
}

impl Leave {
    /// The call is over; this share of it failed on the vendor's side.
    pub(super) fn tell(self, failed: f64) {
        self.pass.tell(failed, Instant::now());
        self.watched.look();
    }
}

/// How much of a call failed for reasons that a rest may mend: throttled, internal, unavailable, too late, unreachable.
pub(super) fn strain(envelope: &Envelope<'_>) -> f64 {
    let strained = |category: Category| {
        use Category::{Internal, RateLimited, Timeout, Unavailable, Unreachable};
        matches!(category, RateLimited | Internal | Unavailable | Timeout | Unreachable)
    };
    let of = |verdict: &&Verdict| verdict.fault.as_ref().is_some_and(|fault| strained(fault.category));
    match envelope.results.len() {
        0 => f64::from(envelope.fault.as_ref().is_some_and(|fault| strained(fault.category))),
        all => envelope.results.iter().filter(of).count() as f64 / all as f64,
    }
}

/// The same of a reply that nobody read.
pub(super) fn strain_of_status(status: u16) -> f64 {
    f64::from(matches!(status, 429 | 500 | 502 | 503 | 504))
}
