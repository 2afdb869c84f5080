//! Who scrapes: a few known visitors, told apart by address and user agent.

use std::time::{Duration, SystemTime};

/// More scrapers than this share the last place.
pub(super) const MOST_SCRAPERS: usize = 8;

/// A scraper that stayed away this long no longer holds rows.
const AWAY: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub(super) struct Scrapers {
    known: Vec<(String, SystemTime)>,
}

impl Scrapers {
    /// The visitor's place.
    pub(super) fn visit(&mut self, who: &str, now: SystemTime) -> usize {
        let known = self.known.iter().position(|(name, _)| name == who);
        let at = known.unwrap_or_else(|| {
            if self.known.len() < MOST_SCRAPERS {
                self.known.push((who.to_owned(), now));
            }
            self.known.len() - 1
        });
        self.known[at].1 = now;
        let latest = now;
        self.known.iter_mut().for_each(|(_, seen)| *seen = (*seen).min(latest));
        at
    }

    /// Places whose scraper still comes.
    pub(super) fn active(&self) -> impl Iterator<Item = usize> + '_ {
        let latest = self.known.iter().map(|(_, seen)| *seen).max();
        self.known.iter().enumerate().filter_map(move |(at, (_, seen))| {
            latest?.duration_since(*seen).is_ok_and(|away| away < AWAY).then_some(at)
        })
    }
}
