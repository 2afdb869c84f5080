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

pub use snapshot::{FailureRow, Labels, ResourceSnapshot, VendorTotals};

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hot::Hot;
use label::label;
use row::Row;
use scrapers::Scrapers;

use crate::envelope::{Category, Envelope, Outcome};
use crate::request::Request;

/// The `resource` of rows that many share.
pub const OVERFLOW: &str = "_overflow";
/// The `resource` of failed items that nobody named.
pub const UNNAMED: &str = "_unnamed";

/// Most overflow rows: their labels are closed sets, but services come from hosts.
const MOST_OVERFLOW: usize = 1024;

/// Most failures that may wait for the table; beyond that, who has more waits as well.
const MOST_WAITING: usize = 10_000;

/// The table. One lock, taken once for a batch with failures and once for a scrape.
#[derive(Debug)]
pub struct ResourceTable {
    inner: Mutex<Inner>,
    /// What came while the table was taken: no request waits for a scrape, or for another. Whoever has the table next
    /// counts it. Locked briefly, and never before `inner`.
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    batches: Vec<Batch>,
    failures: usize,
}

/// The failures of one batch, on their own.
#[derive(Debug)]
struct Batch {
    labels: Labels,
    failures: Vec<(Box<str>, Category)>,
    now: SystemTime,
}

#[derive(Debug)]
struct Inner {
    max_series: usize,
    ttl: Duration,
    /// By what all failures of a batch share. In order, as they are shown.
    groups: BTreeMap<Arc<Labels>, Group>,
    /// Rows of all groups.
    series: usize,
    /// Overflow rows of all groups.
    overflow: usize,
    hot: Hot,
    scrapers: Scrapers,
    vendors: BTreeMap<String, VendorTotals>,
}

#[derive(Debug, Default)]
struct Group {
    /// A resource fails in one way, mostly.
    rows: HashMap<Arc<str>, Vec<(Category, Row)>>,
    /// Rows with `resource = _overflow`; not counted against `max_series`, never evicted.
    overflow: Vec<(Category, Row)>,
}

impl ResourceTable {
    pub fn new(max_series: usize, ttl: Duration) -> Self {
        let inner = Inner {
            max_series,
            ttl,
            groups: BTreeMap::new(),
            series: 0,
            overflow: 0,
            hot: Hot::new(256),
            scrapers: Scrapers::default(),
            vendors: BTreeMap::new(),
        };
        Self { inner: Mutex::new(inner), waiting: Mutex::default() }
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
        let labels = Labels {
            vendor: request.profile.vendor.name.clone(),
            service: request.service.clone().unwrap_or_default(),
            resource_type: request.action().resource_type.clone().unwrap_or_default(),
        };
        let failures = failures.map(|verdict| {
            let id = verdict.id.or(verdict.key).map(|id| sources.decode(id));
            let category = verdict.fault.map_or(Category::Unknown, |fault| fault.category);
            (id.map_or(Cow::Borrowed(UNNAMED), label), category)
        });
        self.add(labels, failures, SystemTime::now());
    }

    fn add<'f>(
        &self,
        labels: Labels,
        failures: impl Iterator<Item = (Cow<'f, str>, Category)>,
        now: SystemTime,
    ) {
        match self.inner.try_lock() {
            Ok(mut inner) => {
                self.settle(&mut inner);
                return inner.count(labels, failures, now);
            }
            Err(TryLockError::Poisoned(_)) => return self.lock().count(labels, failures, now),
            Err(TryLockError::WouldBlock) => {}
        }
        let failures: Vec<_> = failures.map(|(resource, category)| (resource.into(), category)).collect();
        let batch = Batch { labels, failures, now };
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.failures + batch.failures.len() <= MOST_WAITING {
                waiting.failures += batch.failures.len();
                waiting.batches.push(batch);
                return;
            }
        }
        self.lock().take(batch);
    }

    /// Everything one scraper is told, from one moment. `who` tells scrapers apart: each must see a new row as 0 twice.
    pub fn scrape(&self, who: &str) -> ResourceSnapshot {
        self.lock().scrape(who, SystemTime::now())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut inner);
        inner
    }

    /// Counts what has waited.
    fn settle(&self, inner: &mut Inner) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.batches.into_iter().for_each(|batch| inner.take(batch));
    }
}

impl Inner {
    fn take(&mut self, Batch { labels, failures, now }: Batch) {
        let failures = failures.iter().map(|(resource, category)| (Cow::Borrowed(&**resource), *category));
        self.count(labels, failures, now);
    }

    fn count<'f>(
        &mut self,
        labels: Labels,
        failures: impl Iterator<Item = (Cow<'f, str>, Category)>,
        now: SystemTime,
    ) {
        if !self.groups.contains_key(&labels) {
            self.groups.insert(Arc::new(labels.clone()), Group::default());
        }
        let Some(group) = self.groups.get_mut(&labels) else { return };
        let mut counted = 0;
        let mut sharing: Vec<(Category, u64)> = Vec::new();
        for (resource, category) in failures {
            counted += 1;
            if let Some(row) = of(group.rows.get_mut(&*resource), category) {
                row.count(1, now);
                continue;
            }
            let free = self.max_series.saturating_sub(self.series);
            // While others wait for a row, only those that wait most get one.
            if free > 0 && self.hot.deserves(&resource, free) {
                self.hot.forget(&resource);
                let mut row = Row::default();
                row.count(1, now);
                group.rows.entry(resource.into()).or_default().push((category, row));
                self.series += 1;
                continue;
            }
            self.hot.count(&resource, now);
            match sharing.iter_mut().find(|(known, _)| *known == category) {
                Some((_, count)) => *count += 1,
                None => sharing.push((category, 1)),
            }
        }
        match self.vendors.get_mut(&labels.vendor) {
            Some(totals) => totals.counted += counted,
            None => self.vendors.entry(labels.vendor.clone()).or_default().counted += counted,
        }
        for &(category, count) in &sharing {
            self.overflow(&labels, category).count(count, now);
        }
        // Services come from callers: what was counted elsewhere leaves nothing here.
        if !sharing.is_empty() && self.groups.get(&labels).is_some_and(Group::is_empty) {
            self.groups.remove(&labels);
        }
    }

    /// The row of those that have none of their own.
    fn overflow(&mut self, labels: &Labels, category: Category) -> &mut Row {
        let known =
            self.groups.get(labels).is_some_and(|group| group.overflow.iter().any(|(c, _)| *c == category));
        let labels = match known || self.overflow < MOST_OVERFLOW {
            true => labels.clone(),
            false => Labels { service: "other".to_owned(), ..labels.clone() },
        };
        let rows = &mut self.groups.entry(Arc::new(labels)).or_default().overflow;
        let at = rows.iter().position(|(c, _)| *c == category).unwrap_or_else(|| {
            rows.push((category, Row::default()));
            self.overflow += 1;
            rows.len() - 1
        });
        &mut rows[at].1
    }

    fn scrape(&mut self, who: &str, now: SystemTime) -> ResourceSnapshot {
        let (scraper, anew) = self.scrapers.visit(who, now);
        if anew {
            let groups = self.groups.values_mut();
            groups.flat_map(Group::all).for_each(|(_, row)| row.forget(scraper));
        }
        self.evict(now);
        self.hot.expire(now, self.ttl);
        let mut rows = Vec::with_capacity(self.series + self.overflow);
        let mut vendors = self.vendors.clone();
        for (labels, group) in &mut self.groups {
            let mut held = 0;
            let mut show = |resource: &Arc<str>, category: Category, row: &mut Row| {
                let failures = row.show(scraper);
                held += row.total - failures;
                let last = row.last.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                let (labels, resource) = (Arc::clone(labels), Arc::clone(resource));
                rows.push(FailureRow { labels, resource, category, failures, last });
            };
            for (resource, own) in &mut group.rows {
                own.iter_mut().for_each(|(category, row)| show(resource, *category, row));
            }
            if !group.overflow.is_empty() {
                let shared = Arc::from(OVERFLOW);
                group.overflow.iter_mut().for_each(|(category, row)| show(&shared, *category, row));
            }
            if let Some(totals) = vendors.get_mut(&labels.vendor) {
                totals.held += held;
            }
        }
        ResourceSnapshot {
            rows,
            vendors: vendors.into_iter().collect(),
            series: self.series,
            series_limit: self.max_series,
        }
    }

    /// Gives away rows that were quiet for long enough and whose last value every scraper has seen twice.
    fn evict(&mut self, now: SystemTime) {
        let (ttl, scrapers) = (self.ttl, self.scrapers.active());
        if !scrapers.contains(&true) {
            return;
        }
        for (labels, group) in &mut self.groups {
            let (mut gone, mut evicted) = (0, 0);
            group.rows.retain(|_, own| {
                own.retain(|(_, row)| {
                    let quiet = now.duration_since(row.last).is_ok_and(|quiet| quiet > ttl);
                    let goes = quiet && row.settled(scrapers);
                    gone += usize::from(goes);
                    evicted += if goes { row.total } else { 0 };
                    !goes
                });
                !own.is_empty()
            });
            self.series -= gone;
            if let Some(totals) = self.vendors.get_mut(&labels.vendor) {
                totals.evicted += evicted;
            }
        }
        self.groups.retain(|_, group| !group.is_empty());
    }
}

impl Group {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.overflow.is_empty()
    }

    fn all(&mut self) -> impl Iterator<Item = &mut (Category, Row)> {
        self.rows.values_mut().flatten().chain(&mut self.overflow)
    }
}

/// A resource's row of a category.
fn of(rows: Option<&mut Vec<(Category, Row)>>, category: Category) -> Option<&mut Row> {
    rows?.iter_mut().find(|(known, _)| *known == category).map(|(_, row)| row)
}

#[cfg(test)]
mod tests;
