//! What a connection waits for, and since when: the numbers behind its time limits. Pure: whoever asks says what time it is.
//!
//! Facts are noted where they become true (`timed`, `answer`), by a few stores; nothing is armed for a request. `serve` asks when
//! the next limit is due and cuts the connection, whether or not hyper asks for anything in the meantime.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::LimitsConfig;

/// How often the peer of a slow call is looked at: does it still listen?
const LOOK: Duration = Duration::from_secs(1);
/// How long a caller that closed its sending side still gets its answer. Half-closed looks like gone, so not for ever.
const HALF_CLOSED: Duration = Duration::from_secs(3);

/// The time limits of a client's connection.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// TLS handshake, protocol and the first request's head together; later heads from their first byte.
    pub header: Duration,
    /// Bytes for a peer that reads nothing.
    pub write: Duration,
    /// No request under way.
    pub idle: Duration,
}

impl Waits {
    pub fn of(limits: &LimitsConfig) -> Self {
        Self { header: limits.header_timeout.0, write: limits.write_timeout.0, idle: limits.idle_timeout.0 }
    }
}

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Header,
    Write,
    Idle,
    /// The caller is gone, or stays half-closed for too long.
    Gone,
}

impl Cut {
    /// The limit's name, as in `[limits]`.
    pub(super) fn limit(self) -> Option<&'static str> {
        match self {
            Self::Header => Some("header_timeout"),
            Self::Write => Some("write_timeout"),
            Self::Idle => Some("idle_timeout"),
            Self::Gone => None,
        }
    }
}

/// What is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Cut(Cut),
    /// Look whether the peer is still there.
    Look,
}

/// A moment that may not have come: microseconds after the clock's beginning, and one.
#[derive(Debug, Default)]
pub(super) struct Since(AtomicU64);

impl Since {
    pub(super) fn clear(&self) {
        self.0.store(0, Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    pub(super) fn set(&self, began: Instant) {
        self.set_at(began, Instant::now());
    }

    fn set_at(&self, began: Instant, now: Instant) {
        self.0.store(now.duration_since(began).as_micros() as u64 + 1, Relaxed);
    }

    pub(super) fn get(&self, began: Instant) -> Option<Instant> {
        let micros = self.0.load(Relaxed).checked_sub(1)?;
        Some(began + Duration::from_micros(micros))
    }
}

/// One connection's state.
#[derive(Debug)]
pub(super) struct Clock {
    pub(super) waits: Waits,
    pub(super) began: Instant,
    /// Requests that reached the service and whose answers are not over.
    in_flight: AtomicU32,
    /// HTTP/2: bytes between requests are not a request's.
    multiplexed: AtomicBool,
    /// Between requests: no byte of the next one has come.
    quiet: AtomicBool,
    /// Since when it is as it is: heads, silence or a call.
    since: Since,
    /// Bytes wait for the peer to read.
    stuck: Since,
    /// When the peer was looked at last, in this call.
    looked: Since,
    /// The peer closed its sending side while it waits for an answer.
    half_closed: Since,
    gone: AtomicBool,
    look: AtomicBool,
    /// No farewell: what the peer has not read is thrown away.
    abort: AtomicBool,
}

impl Clock {
    pub(super) fn new(waits: Waits, now: Instant) -> Self {
        let clock = Self {
            waits,
            began: now,
            in_flight: AtomicU32::new(0),
            multiplexed: AtomicBool::new(false),
            quiet: AtomicBool::new(false),
            since: Since::default(),
            stuck: Since::default(),
            looked: Since::default(),
            half_closed: Since::default(),
            gone: AtomicBool::new(false),
            look: AtomicBool::new(false),
            abort: AtomicBool::new(false),
        };
        clock.since.set_at(now, now);
        clock
    }

    /// Bytes came in.
    pub(super) fn heard(&self) {
        if self.quiet.load(Relaxed) && !self.multiplexed.load(Relaxed) {
            self.quiet.store(false, Relaxed);
            self.since.set(self.began);
        }
    }

    /// A request reached the service.
    pub(super) fn request(&self, multiplexed: bool) {
        self.in_flight.fetch_add(1, Relaxed);
        self.quiet.store(false, Relaxed);
        if multiplexed {
            self.multiplexed.store(true, Relaxed);
        }
    }

    /// An answer is over, however it ended.
    pub(super) fn answered(&self) {
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.since.set(self.began);
            self.looked.clear();
            self.quiet.store(true, Relaxed);
        }
    }

    /// The peer takes no more bytes at the moment.
    pub(super) fn stuck(&self) {
        if !self.stuck.is_set() {
            self.stuck.set(self.began);
        }
    }

    /// The peer took some.
    pub(super) fn moved(&self) {
        self.stuck.clear();
    }

    /// Somebody should look at the peer; told once.
    pub(super) fn takes_look(&self) -> bool {
        self.look.load(Relaxed) && self.look.swap(false, Relaxed)
    }

    /// What looking at the peer showed.
    pub(super) fn saw(&self, half_closed: bool, gone: bool) {
        if half_closed && !self.half_closed.is_set() {
            self.half_closed.set(self.began);
        }
        if gone {
            self.gone.store(true, Relaxed);
        }
    }

    pub(super) fn abort(&self) {
        self.abort.store(true, Relaxed);
    }

    pub(super) fn is_aborted(&self) -> bool {
        self.abort.load(Relaxed)
    }

    /// When the next thing is due, and what.
    pub(super) fn next(&self) -> Option<(Instant, Due)> {
        let stuck = self.stuck.get(self.began).map(|at| (at + self.waits.write, Due::Cut(Cut::Write)));
        let since = self.since.get(self.began).unwrap_or(self.began);
        let other = if self.in_flight.load(Relaxed) == 0 {
            Some(match self.quiet.load(Relaxed) {
                true => (since + self.waits.idle, Due::Cut(Cut::Idle)),
                false => (since + self.waits.header, Due::Cut(Cut::Header)),
            })
        } else if self.multiplexed.load(Relaxed) {
            None
        } else if self.gone.load(Relaxed) {
            Some((since, Due::Cut(Cut::Gone)))
        } else if let Some(half) = self.half_closed.get(self.began) {
            Some((half + HALF_CLOSED, Due::Cut(Cut::Gone)))
        } else {
            Some((self.looked.get(self.began).unwrap_or(since) + LOOK, Due::Look))
        };
        match (stuck, other) {
            (Some(stuck), Some(other)) => Some(if stuck.0 <= other.0 { stuck } else { other }),
            (stuck, other) => stuck.or(other),
        }
    }

    /// Has the peer looked at by whoever holds the socket.
    pub(super) fn look(&self, now: Instant) {
        self.looked.set_at(self.began, now);
        self.look.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits {
        header: Duration::from_secs(30),
        write: Duration::from_secs(60),
        idle: Duration::from_secs(75),
    };

    fn clock() -> Clock {
        Clock::new(WAITS, Instant::now())
    }

    /// What is next, and after how many seconds, the moments that the test itself took left out.
    fn next(clock: &Clock) -> Option<(u64, Due)> {
        clock.next().map(|(at, due)| (at.duration_since(clock.began).as_secs(), due))
    }

    #[test]
    fn a_head_has_its_time_however_its_bytes_drip() {
        let clock = clock();
        clock.heard();
        assert_eq!(next(&clock), Some((30, Due::Cut(Cut::Header))));
        clock.heard();
        assert_eq!(next(&clock), Some((30, Due::Cut(Cut::Header))));
    }

    #[test]
    fn silence_between_requests_is_idle_and_a_byte_begins_a_head() {
        let clock = clock();
        clock.request(false);
        clock.answered();
        assert_eq!(next(&clock), Some((75, Due::Cut(Cut::Idle))));
        clock.heard();
        assert_eq!(next(&clock), Some((30, Due::Cut(Cut::Header))));
    }

    #[test]
    fn bytes_between_requests_of_http2_are_no_head_and_keep_nothing_alive() {
        let clock = clock();
        clock.request(true);
        assert_eq!(next(&clock), None, "answers have clocks of their own");
        clock.answered();
        clock.heard();
        assert_eq!(next(&clock), Some((75, Due::Cut(Cut::Idle))));
    }

    #[test]
    fn a_peer_that_does_not_read_is_cut_whatever_else_goes_on() {
        let clock = clock();
        clock.request(true);
        clock.stuck();
        let at = clock.next();
        assert_eq!(next(&clock), Some((60, Due::Cut(Cut::Write))));
        clock.stuck();
        assert_eq!(clock.next(), at, "it is the same standstill");
        clock.moved();
        assert_eq!(next(&clock), None);
    }

    #[test]
    fn the_caller_of_a_slow_call_is_looked_at_and_half_closed_for_a_while() {
        let clock = clock();
        clock.request(false);
        assert_eq!(next(&clock), Some((1, Due::Look)));
        clock.look(clock.began + Duration::from_secs(1));
        assert!(clock.takes_look() && !clock.takes_look());
        assert_eq!(next(&clock), Some((2, Due::Look)));
        clock.saw(true, false);
        assert_eq!(next(&clock), Some((3, Due::Cut(Cut::Gone))));
        clock.saw(false, true);
        assert_eq!(next(&clock), Some((0, Due::Cut(Cut::Gone))));
    }
}
