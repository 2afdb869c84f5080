//! One series and what each scraper has seen of it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::scrapers::{MOST_SCRAPERS, Places};

/// How often a new row is shown as 0, and how often its last value must be shown before it goes.
const TWICE: u8 = 2;

#[derive(Debug)]
pub(super) struct Row {
    pub(super) total: u64,
    pub(super) last: SystemTime,
    /// Scrapes that showed 0, for each scraper.
    zeros: [u8; MOST_SCRAPERS],
    /// Scrapes that showed the present value, for each scraper.
    shown: [u8; MOST_SCRAPERS],
}

impl Default for Row {
    fn default() -> Self {
        Self { total: 0, last: UNIX_EPOCH, zeros: [0; MOST_SCRAPERS], shown: [0; MOST_SCRAPERS] }
    }
}

impl Row {
    pub(super) fn count(&mut self, failures: u64, now: SystemTime) {
        self.total += failures;
        // A clock that steps back must not make a failure older than the one before.
        self.last = self.last.max(now);
        self.shown = [0; MOST_SCRAPERS];
    }

    /// The value to show to a scraper.
    pub(super) fn show(&mut self, scraper: usize) -> u64 {
        if self.zeros[scraper] < TWICE {
            self.zeros[scraper] += 1;
            return 0;
        }
        self.shown[scraper] = (self.shown[scraper] + 1).min(TWICE);
        self.total
    }

    /// The scraper's place has gone to another, who has seen nothing.
    pub(super) fn forget(&mut self, scraper: usize) {
        self.zeros[scraper] = 0;
        self.shown[scraper] = 0;
    }

    /// Whether each of these scrapers has seen the present value often enough.
    pub(super) fn settled(&self, scrapers: Places) -> bool {
        (0..MOST_SCRAPERS).all(|scraper| !scrapers[scraper] || self.shown[scraper] >= TWICE)
    }
}
