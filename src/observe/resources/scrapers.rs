//! Who scrapes: a few known visitors, told apart by address and user agent.

use std::time::{Duration, SystemTime};

/// More scrapers than this at a time share the last place.
pub(super) const MOST_SCRAPERS: usize = 8;

/// A scraper that stayed away this long no longer holds rows, and its place may go to another.
const AWAY: Duration = Duration::from_secs(600);

/// Some of the places.
pub(super) type Places = [bool; MOST_SCRAPERS];

#[derive(Debug, Default)]
pub(super) struct Scrapers {
    known: Vec<(String, SystemTime)>,
}

impl Scrapers {
    /// The visitor's place, and whether it was somebody else's before: then nothing was seen from it yet.
    pub(super) fn visit(&mut self, who: &str, now: SystemTime) -> (usize, bool) {
        if let Some(at) = self.known.iter().position(|(name, _)| name == who) {
            self.known[at].1 = now;
            return (at, false);
        }
        if self.known.len() < MOST_SCRAPERS {
            self.known.push((who.to_owned(), now));
            return (self.known.len() - 1, false);
        }
        let away = |seen: &SystemTime| now.duration_since(*seen).is_ok_and(|away| away >= AWAY);
        let Some(at) = self.known.iter().position(|(_, seen)| away(seen)) else {
            return (MOST_SCRAPERS - 1, false);
        };
        self.known[at] = (who.to_owned(), now);
        (at, true)
    }

    /// Places whose scraper still comes.
    pub(super) fn active(&self) -> Places {
        let latest = self.known.iter().map(|(_, seen)| *seen).max();
        let comes = |seen: SystemTime| {
            latest.is_some_and(|latest| latest.duration_since(seen).is_ok_and(|away| away < AWAY))
        };
        std::array::from_fn(|at| self.known.get(at).is_some_and(|(_, seen)| comes(*seen)))
    }
}
