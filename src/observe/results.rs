//! `onevelope_resource_results_total`: every verdict, exact, never evicted.
//!
//! A dense block of counters per (action, service) instead of a label look-up per verdict. A block is made when an
//! action is first met; before that its typical rows are shown at 0, because a counter's first value is invisible to
//! `increase()`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foldhash::fast::RandomState;
use hashbrown::{Equivalent, HashMap, HashSet};
use prometheus::Histogram;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{LabelPair, Metric, MetricFamily};

use super::expose::Exemplar;
use super::families::counter;
use super::metrics::RESULTS;
use crate::envelope::{Category, Envelope, Evidence, Outcome};
use crate::profile::ProfileSet;
use crate::request::Request;

/// Most services told apart besides those that profiles name; hosts come from callers.
const MOST_SERVICES: usize = 200;

const CATEGORIES: usize = Category::ALL.len() + 1;
const CELLS: usize = Outcome::ALL.len() * Evidence::ALL.len() * CATEGORIES;

/// (vendor, service, action).
type Key = (String, String, String);

/// A key before anybody has to own it.
#[derive(Hash)]
struct Named<'k>(&'k str, &'k str, &'k str);

impl Equivalent<Key> for Named<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0 && self.1 == key.1 && self.2 == key.2
    }
}

/// Shared table of verdict counts.
#[derive(Clone, Debug, Default)]
pub struct ResultTable {
    inner: Arc<RwLock<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    blocks: HashMap<Key, Option<Arc<Block>>, RandomState>,
    /// Services met beyond those that profiles name.
    services: HashSet<String, RandomState>,
    known: HashSet<String, RandomState>,
}

/// The counters of one action of one service.
#[derive(Debug)]
pub(super) struct Block {
    cells: Box<[AtomicU64]>,
    /// The last failure of each cell that has one.
    exemplars: Mutex<BTreeMap<usize, Exemplar>>,
    /// Where the time goes that its batches take.
    took: OnceLock<Histogram>,
}

impl Block {
    fn new() -> Arc<Self> {
        let cells = (0..CELLS).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { cells, exemplars: Mutex::default(), took: OnceLock::new() })
    }

    /// Counts an envelope's verdicts, each once.
    pub(super) fn count(&self, envelope: &Envelope<'_>) {
        // Most batches have one or two kinds of verdict: add each kind once.
        let mut last = (usize::MAX, 0u64);
        for verdict in envelope.results.iter().filter(|verdict| verdict.occurrence == 0) {
            let category = verdict.fault.as_ref().map(|fault| fault.category);
            let at = cell(verdict.outcome, verdict.evidence, category);
            if at != last.0 {
                self.add(last);
                last = (at, 0);
            }
            last.1 += 1;
        }
        self.add(last);
    }

    fn add(&self, (at, count): (usize, u64)) {
        if count > 0 {
            self.cells[at].fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Keeps an example for each kind of failure in an envelope; `text` is what the envelope's texts point into.
    pub(super) fn exemplify(&self, id: &str, envelope: &Envelope<'_>, text: &str) {
        let sources = envelope.sources(text);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut last = usize::MAX;
        let mut exemplars = self.exemplars.lock().unwrap_or_else(PoisonError::into_inner);
        for verdict in envelope.results.iter().filter(|v| v.occurrence == 0 && !v.outcome.is_good()) {
            let category = verdict.fault.map(|fault| fault.category);
            let at = cell(verdict.outcome, verdict.evidence, category);
            let Some(resource) = verdict.id.or(verdict.key).filter(|_| at != last) else { continue };
            last = at;
            let resource = sources.decode(resource).into_owned();
            let exemplar = Exemplar { resource, request_id: id.to_owned(), time: since.as_secs_f64() };
            exemplars.insert(at, exemplar);
        }
    }

    /// Counts what a batch took; `histogram` is looked up once.
    pub(super) fn took(&self, time: Duration, histogram: impl FnOnce() -> Histogram) {
        self.took.get_or_init(histogram).observe(time.as_secs_f64());
    }
}

fn cell(outcome: Outcome, evidence: Evidence, category: Option<Category>) -> usize {
    let category = category.map_or(0, |category| category as usize + 1);
    (outcome as usize * Evidence::ALL.len() + evidence as usize) * CATEGORIES + category
}

impl ResultTable {
    /// Rows at 0 for every action of these vendors.
    pub(super) fn expect(&self, profiles: &ProfileSet, vendors: &[&str]) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for (profile, action) in profiles.actions() {
            if !vendors.contains(&profile.vendor.name.as_str()) {
                continue;
            }
            for service in &action.services {
                inner.known.insert(service.clone());
            }
            // Where the host tells the service, a row can only be made when it is met.
            if let Some(service) = action.services.first() {
                let key = (profile.vendor.name.clone(), service.clone(), action.name.clone());
                inner.blocks.entry(key).or_insert(None);
            }
        }
    }

    /// A row's exemplar.
    pub(super) fn exemplar(&self, name: &str, labels: &[LabelPair]) -> Option<Exemplar> {
        if name != RESULTS.name {
            return None;
        }
        let value =
            |name: &str| labels.iter().find(|pair| pair.name() == name).map_or("", |pair| pair.value());
        let key = Named(value("vendor"), value("service"), value("action"));
        let category = Category::parse(value("category"));
        let at = cell(Outcome::parse(value("outcome"))?, Evidence::parse(value("evidence"))?, category);
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let exemplars = inner.blocks.get(&key)?.as_ref()?.exemplars.lock();
        exemplars.unwrap_or_else(PoisonError::into_inner).get(&at).cloned()
    }

    /// Totals by vendor and outcome since start.
    pub fn by_vendor(&self) -> Vec<(String, [u64; 5])> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let mut totals: BTreeMap<String, [u64; 5]> = BTreeMap::new();
        for ((vendor, ..), block) in &inner.blocks {
            let counts = totals.entry(vendor.clone()).or_default();
            let Some(block) = block else { continue };
            for (at, cell) in block.cells.iter().enumerate() {
                counts[at / (Evidence::ALL.len() * CATEGORIES)] += cell.load(Ordering::Relaxed);
            }
        }
        totals.into_iter().collect()
    }

    /// The counters of a request's action.
    pub(super) fn block(&self, request: &Request) -> Arc<Block> {
        let vendor = &request.profile.vendor.name;
        let action = &request.action().name;
        let service = request.service.as_deref().unwrap_or("");
        {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            let service = inner.label(service).unwrap_or(service);
            if let Some(Some(block)) = inner.blocks.get(&Named(vendor, service, action)) {
                return Arc::clone(block);
            }
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let key = (vendor.clone(), inner.bounded(service), action.clone());
        Arc::clone(inner.blocks.entry(key).or_default().get_or_insert_with(Block::new))
    }
}

impl Inner {
    /// The service's label: itself, or `other` once too many have been met. None for one that is met for the first time.
    fn label<'s>(&self, service: &'s str) -> Option<&'s str> {
        if service.is_empty() || self.known.contains(service) || self.services.contains(service) {
            return Some(service);
        }
        (self.services.len() >= MOST_SERVICES || service.len() > 64).then_some("other")
    }

    fn bounded(&mut self, service: &str) -> String {
        if self.label(service).is_none() {
            self.services.insert(service.to_owned());
        }
        self.label(service).unwrap_or(service).to_owned()
    }
}

/// Rows that are shown before anything is counted in them.
const TYPICAL: [(Outcome, Evidence, Option<Category>); 5] = [
    (Outcome::Succeeded, Evidence::Reported, None),
    (Outcome::Accepted, Evidence::Batch, None),
    (Outcome::Failed, Evidence::Reported, Some(Category::Unknown)),
    (Outcome::NotAttempted, Evidence::Inferred, Some(Category::Aborted)),
    (Outcome::Unknown, Evidence::None, Some(Category::Unknown)),
];

impl Collector for ResultTable {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let mut metrics = Vec::new();
        let mut blocks: Vec<_> = inner.blocks.iter().collect();
        blocks.sort_by_key(|(key, _)| *key);
        for (key, block) in blocks {
            match block {
                None => metrics.extend(TYPICAL.iter().map(|(o, e, c)| row(key, *o, *e, *c, 0))),
                Some(block) => rows(key, block, &mut metrics),
            }
        }
        if metrics.is_empty() {
            return Vec::new();
        }
        vec![RESULTS.family(metrics)]
    }
}

/// A used block: what was counted, and every failure category at 0, so that its first failure is seen.
fn rows(key: &Key, block: &Block, metrics: &mut Vec<Metric>) {
    for &outcome in Outcome::ALL {
        for &evidence in Evidence::ALL {
            let none = std::iter::once(None);
            for category in none.chain(Category::ALL.iter().copied().map(Some)) {
                let count = block.cells[cell(outcome, evidence, category)].load(Ordering::Relaxed);
                let expected = TYPICAL.contains(&(outcome, evidence, category))
                    || (outcome == Outcome::Failed && evidence == Evidence::Reported && category.is_some());
                if count > 0 || expected {
                    metrics.push(row(key, outcome, evidence, category, count));
                }
            }
        }
    }
}

fn row(key: &Key, outcome: Outcome, evidence: Evidence, category: Option<Category>, count: u64) -> Metric {
    let values = [
        key.0.as_str(),
        key.1.as_str(),
        key.2.as_str(),
        outcome.as_str(),
        category.map_or("none", Category::as_str),
        evidence.as_str(),
    ];
    counter(&RESULTS, &values, count as f64)
}
