//! Which resources fail: the bounded table behind `/metrics/resources`.
//!
//! Two facts about Prometheus decide its rules. `increase()` does not see a new series' first value, so a resource that
//! fails once would never alert: a new row is shown as 0 for its first two scrapes, then with its value. And a count that
//! disappears with an evicted series is a lie: a row is given away only when it was quiet for `ttl` and its last value was
//! shown twice; its total moves to `…_evicted_total`. At every scrape, for each vendor,
//! `counted = Σ failures (with _overflow) + evicted + held`, exactly.

mod hot; // who deserves the next free row
mod label; // resource ids as label values
mod row; // one series
mod scrapers; // who has seen what
mod snapshot; // what one scrape is told

pub use snapshot::{FailureRow, ResourceSnapshot, VendorTotals};

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hot::Hot;
use label::label;
use row::{Key, Row};
use scrapers::Scrapers;

use crate::envelope::{Category, Envelope, Outcome};
use crate::profile::Request;

/// The `resource` of rows that many share.
pub const OVERFLOW: &str = "_overflow";
/// The `resource` of failed items that nobody named.
pub const UNNAMED: &str = "_unnamed";

/// Most overflow rows: their labels are closed sets, but services come from hosts.
const MOST_OVERFLOW: usize = 1024;

/// The table. One lock, taken once for a batch with failures and once for a scrape.
#[derive(Debug)]
pub struct ResourceTable {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    max_series: usize,
    ttl: Duration,
    rows: HashMap<Key, Row>,
    /// Rows with `resource = _overflow`; not counted against `max_series`, never evicted.
    overflow: HashMap<Key, Row>,
    hot: Hot,
    scrapers: Scrapers,
    vendors: HashMap<String, VendorTotals>,
}

impl ResourceTable {
    pub fn new(max_series: usize, ttl: Duration) -> Self {
        let inner = Inner {
            max_series,
            ttl,
            rows: HashMap::new(),
            overflow: HashMap::new(),
            hot: Hot::new(256),
            scrapers: Scrapers::default(),
            vendors: HashMap::new(),
        };
        Self { inner: Mutex::new(inner) }
    }

    /// New bounds, on reload. Rows beyond a lower bound stay until they may be given away.
    pub fn resize(&self, max_series: usize, ttl: Duration) {
        let mut inner = self.lock();
        inner.max_series = max_series;
        inner.ttl = ttl;
    }

    /// Makes a vendor's totals exist at 0.
    pub fn expect(&self, vendors: &[&str]) {
        let mut inner = self.lock();
        for vendor in vendors {
            inner.vendors.entry((*vendor).to_owned()).or_default();
        }
    }

    /// Counts an envelope's failed verdicts; `text` is the document text that its texts point into.
    pub fn count(&self, request: &Request, envelope: &Envelope<'_>, text: &str) {
        let failed = |v: &&crate::envelope::Verdict| v.outcome == Outcome::Failed && v.occurrence == 0;
        let mut failures = envelope.results.iter().filter(failed).peekable();
        if failures.peek().is_none() {
            return;
        }
        let sources = envelope.sources(text);
        let now = SystemTime::now();
        let mut inner = self.lock();
        for verdict in failures {
            let id = verdict.id.or(verdict.key).map(|id| sources.decode(id));
            let key = Key {
                vendor: request.profile.vendor.name.clone(),
                service: request.service.clone().unwrap_or_default(),
                resource_type: request.action().resource_type.clone().unwrap_or_default(),
                resource: id.map_or_else(|| UNNAMED.to_owned(), |id| label(&id)),
                category: verdict.fault.map_or(Category::Unknown, |fault| fault.category),
            };
            inner.count(key, now);
        }
    }

    /// Everything one scraper is told, from one moment. `who` tells scrapers apart: each must see a new row as 0 twice.
    pub fn scrape(&self, who: &str) -> ResourceSnapshot {
        self.lock().scrape(who, SystemTime::now())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn count(&mut self, key: Key, now: SystemTime) {
        self.vendors.entry(key.vendor.clone()).or_default().counted += 1;
        if let Some(row) = self.rows.get_mut(&key) {
            return row.count(now);
        }
        let free = self.max_series.saturating_sub(self.rows.len());
        // While others wait for a row, only those that wait most get one.
        if free > 0 && self.hot.deserves(&key.resource, free, now, self.ttl) {
            self.hot.forget(&key.resource);
            self.rows.entry(key).or_default().count(now);
            return;
        }
        self.hot.count(&key.resource, now);
        let key = Key { resource: OVERFLOW.to_owned(), ..key };
        let known = self.overflow.contains_key(&key) || self.overflow.len() < MOST_OVERFLOW;
        let key = if known { key } else { Key { service: "other".to_owned(), ..key } };
        self.overflow.entry(key).or_default().count(now);
    }

    fn scrape(&mut self, who: &str, now: SystemTime) -> ResourceSnapshot {
        let (scraper, anew) = self.scrapers.visit(who, now);
        if anew {
            self.rows.values_mut().chain(self.overflow.values_mut()).for_each(|row| row.forget(scraper));
        }
        self.evict(now);
        let mut snapshot = ResourceSnapshot {
            rows: Vec::with_capacity(self.rows.len() + self.overflow.len()),
            vendors: self
                .vendors
                .iter()
                .map(|(vendor, totals)| (vendor.clone(), VendorTotals { held: 0, ..*totals }))
                .collect(),
            series: self.rows.len(),
            series_limit: self.max_series,
        };
        snapshot.vendors.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, row) in self.rows.iter_mut().chain(&mut self.overflow) {
            let shown = row.show(scraper);
            if let Ok(at) = snapshot.vendors.binary_search_by(|(vendor, _)| vendor.cmp(&key.vendor)) {
                snapshot.vendors[at].1.held += row.total - shown;
            }
            let last = row.last.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            snapshot.rows.push(FailureRow { key: key.clone(), failures: shown, last });
        }
        snapshot
    }

    /// Gives away rows that were quiet for long enough and whose last value every scraper has seen twice.
    fn evict(&mut self, now: SystemTime) {
        let (ttl, scrapers) = (self.ttl, &self.scrapers);
        let vendors = &mut self.vendors;
        self.rows.retain(|key, row| {
            let quiet = now.duration_since(row.last).is_ok_and(|quiet| quiet > ttl);
            let seen =
                scrapers.active().next().is_some() && scrapers.active().all(|scraper| row.settled(scraper));
            if quiet && seen {
                vendors.entry(key.vendor.clone()).or_default().evicted += row.total;
            }
            !(quiet && seen)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(max_series: usize) -> Inner {
        let table = ResourceTable::new(max_series, Duration::from_secs(60));
        table.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(resource: &str) -> Key {
        Key {
            vendor: "v".into(),
            service: "s".into(),
            resource_type: "t".into(),
            resource: resource.into(),
            category: Category::Conflict,
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    fn check(snapshot: &ResourceSnapshot) {
        for (vendor, totals) in &snapshot.vendors {
            let rows: u64 =
                snapshot.rows.iter().filter(|r| r.key.vendor == *vendor).map(|r| r.failures).sum();
            assert_eq!(totals.counted, rows + totals.evicted + totals.held, "{vendor}");
        }
    }

    #[test]
    fn a_new_row_is_zero_for_two_scrapes_of_each_scraper() {
        let mut table = table(10);
        table.count(key("a"), at(0));
        let mut shown = |who: &str| {
            let snapshot = table.scrape(who, at(1));
            check(&snapshot);
            snapshot.rows[0].failures
        };
        assert_eq!(
            [shown("p"), shown("p"), shown("q"), shown("p"), shown("q"), shown("q")],
            [0, 0, 0, 1, 0, 1]
        );
    }

    #[test]
    fn a_full_table_counts_in_the_overflow_row_and_keeps_its_other_labels() {
        let mut table = table(1);
        for resource in ["a", "b", "c", "a"] {
            table.count(key(resource), at(0));
        }
        for _ in 0..2 {
            check(&table.scrape("p", at(1)));
        }
        let snapshot = table.scrape("p", at(1));
        check(&snapshot);
        let mut rows: Vec<_> = snapshot.rows.iter().map(|r| (r.key.resource.as_str(), r.failures)).collect();
        rows.sort_unstable();
        assert_eq!(rows, [(OVERFLOW, 2), ("a", 2)]);
        assert!(snapshot.rows.iter().all(|r| r.key.service == "s" && r.key.category == Category::Conflict));
    }

    #[test]
    fn a_quiet_row_goes_only_after_its_last_value_was_shown_twice() {
        let mut table = table(1);
        table.count(key("a"), at(0));
        for scrape in 0..3 {
            assert_eq!(table.scrape("p", at(100 + scrape)).series, 1, "shown once only, or still zero");
        }
        assert_eq!(table.scrape("p", at(110)).series, 1);
        let snapshot = table.scrape("p", at(111));
        check(&snapshot);
        assert_eq!((snapshot.series, snapshot.vendors[0].1.evicted), (0, 1));
    }

    #[test]
    fn the_one_that_waits_most_gets_the_free_row() {
        let mut table = table(1);
        table.count(key("a"), at(0));
        for _ in 0..5 {
            table.count(key("hot"), at(1));
        }
        table.count(key("cold"), at(50));
        table.count(key("hot"), at(50));
        for scrape in 0..6 {
            table.scrape("p", at(70 + scrape));
        }
        table.count(key("cold"), at(80));
        table.count(key("hot"), at(80));
        let snapshot = table.scrape("p", at(81));
        check(&snapshot);
        assert!(snapshot.rows.iter().any(|row| row.key.resource == "hot"));
        assert!(!snapshot.rows.iter().any(|row| row.key.resource == "cold"));
    }

    #[test]
    fn who_waited_long_ago_keeps_no_row_from_who_fails_now() {
        let mut table = table(1);
        table.count(key("a"), at(0));
        for n in 0..50 {
            table.count(key(&format!("old-{n}")), at(1));
        }
        for scrape in 0..6 {
            table.scrape("p", at(100 + scrape));
        }
        table.count(key("late"), at(200));
        assert!(table.scrape("p", at(201)).rows.iter().any(|row| row.key.resource == "late"));
    }
}
