//! Whether a vendor is asked at all: passing, tripped, probing. Fed with how much of each call failed on the vendor's side.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::BreakerConfig;

/// How many pieces the window is counted in: as fine as it forgets.
const PIECES: u32 = 10;

/// Where a breaker stands; its number is what `onevelope_breaker_state` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Calls go.
    Passing = 0,
    /// One call is under way to see whether the vendor is back.
    Probing = 1,
    /// None goes.
    Tripped = 2,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passing => "passing",
            Self::Probing => "probing",
            Self::Tripped => "tripped",
        }
    }
}

/// Counts a window of calls, and stops them where too much of them failed.
#[derive(Debug)]
pub struct Breaker {
    /// Share of the window's calls that trips it, from 0 to 1.
    failures: f64,
    /// Fewest calls that say anything.
    calls: u32,
    window: Duration,
    /// How long it stays tripped before it probes.
    open: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Pieces of the window, oldest first.
    Passing(VecDeque<Piece>),
    Tripped {
        until: Instant,
    },
    Probing,
}

#[derive(Debug)]
struct Piece {
    since: Instant,
    calls: u32,
    /// Sum of the calls' failed shares.
    failed: f64,
}

impl Breaker {
    pub fn new(config: &BreakerConfig) -> Arc<Self> {
        Arc::new(Self {
            failures: config.failures,
            calls: config.calls,
            window: config.window.0,
            open: config.open.0,
            state: Mutex::new(State::Passing(VecDeque::new())),
        })
    }

    pub fn standing(&self) -> Standing {
        match &*self.state() {
            State::Passing(_) => Standing::Passing,
            State::Probing => Standing::Probing,
            State::Tripped { .. } => Standing::Tripped,
        }
    }

    /// Lets a call go.
    ///
    /// # Errors
    /// How long to wait before another try, where it may not.
    pub fn admit(self: &Arc<Self>, now: Instant) -> Result<Pass, Duration> {
        let mut state = self.state();
        let probes = match &*state {
            State::Passing(_) => false,
            State::Tripped { until } if now >= *until => true,
            State::Tripped { until } => return Err(*until - now),
            State::Probing => return Err(self.open),
        };
        if probes {
            *state = State::Probing;
        }
        Ok(Pass { breaker: Arc::clone(self), probes, told: false })
    }

    /// One call ended, of which this share failed.
    fn tell(&self, probes: bool, failed: f64, now: Instant) {
        let mut state = self.state();
        match &mut *state {
            State::Passing(pieces) => {
                self.count(pieces, failed, now);
                let calls: u32 = pieces.iter().map(|piece| piece.calls).sum();
                let sum: f64 = pieces.iter().map(|piece| piece.failed).sum();
                if calls >= self.calls && sum >= self.failures * f64::from(calls) {
                    *state = State::Tripped { until: now + self.open };
                }
            }
            State::Probing if probes && failed >= self.failures => {
                *state = State::Tripped { until: now + self.open };
            }
            State::Probing if probes => *state = State::Passing(VecDeque::new()),
            // A call from before: what it says is known.
            State::Probing | State::Tripped { .. } => {}
        }
    }

    fn count(&self, pieces: &mut VecDeque<Piece>, failed: f64, now: Instant) {
        while pieces.front().is_some_and(|piece| now.duration_since(piece.since) >= self.window) {
            pieces.pop_front();
        }
        match pieces.back_mut().filter(|piece| now.duration_since(piece.since) < self.window / PIECES) {
            Some(piece) => {
                piece.calls += 1;
                piece.failed += failed;
            }
            None => pieces.push_back(Piece { since: now, calls: 1, failed }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to call. Dropped without a word, it says nothing of the vendor.
#[derive(Debug)]
pub struct Pass {
    breaker: Arc<Breaker>,
    probes: bool,
    told: bool,
}

impl Pass {
    /// How much of the call failed on the vendor's side, from 0 to 1.
    pub fn tell(mut self, failed: f64, now: Instant) {
        self.told = true;
        self.breaker.tell(self.probes, failed, now);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        // Nobody knows more than before: the next call probes.
        if self.probes && !self.told {
            *self.breaker.state() = State::Tripped { until: Instant::now() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Per, Span};

    fn breaker() -> Arc<Breaker> {
        let (window, open) = (Span::seconds(10), Span::seconds(5));
        Breaker::new(&BreakerConfig { failures: 0.5, calls: 4, window, open, per: Per::Upstream })
    }

    fn call(breaker: &Arc<Breaker>, failed: f64, now: Instant) {
        breaker.admit(now).expect("leave to call").tell(failed, now);
    }

    #[test]
    fn half_of_a_window_trips_and_one_good_probe_mends() {
        let (breaker, now) = (breaker(), Instant::now());
        let after = |seconds| now + Duration::from_secs(seconds);
        for failed in [1.0, 0.0, 0.5] {
            call(&breaker, failed, now);
        }
        assert_eq!(breaker.standing(), Standing::Passing, "too few to tell");
        call(&breaker, 0.5, now);
        assert_eq!(breaker.standing(), Standing::Tripped);
        assert_eq!(breaker.admit(after(2)).err(), Some(Duration::from_secs(3)));
        let probe = breaker.admit(after(5)).expect("a probe");
        assert_eq!((breaker.standing(), breaker.admit(after(6)).is_err()), (Standing::Probing, true));
        probe.tell(1.0, after(6));
        assert_eq!(breaker.admit(after(7)).err(), Some(Duration::from_secs(4)), "tripped anew");
        call(&breaker, 0.0, after(11));
        assert_eq!(breaker.standing(), Standing::Passing);
        call(&breaker, 1.0, after(11));
        assert_eq!(breaker.standing(), Standing::Passing, "what was before is forgotten");
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let (breaker, now) = (breaker(), Instant::now());
        for second in [0, 1, 2, 13, 14] {
            call(&breaker, 1.0, now + Duration::from_secs(second));
        }
        assert_eq!(breaker.standing(), Standing::Passing, "two calls within ten seconds");
    }

    #[test]
    fn a_probe_that_says_nothing_leaves_the_next_call_to_probe() {
        let (breaker, now) = (breaker(), Instant::now());
        (0..4).for_each(|_| call(&breaker, 1.0, now));
        let later = now + Duration::from_secs(6);
        drop(breaker.admit(later).expect("a probe"));
        assert_eq!(breaker.standing(), Standing::Tripped);
        assert!(breaker.admit(later.max(Instant::now())).is_ok());
    }
}
