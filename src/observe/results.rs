//! `onevelope_resource_results_total`: every verdict, exact, never evicted.
//!
//! A dense block of counters per (action, service) instead of a label look-up per verdict. A block is made when an
//! action is first met; before that its typical rows are shown at 0, because a counter's first value is invisible to
//! `increase()`.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, LabelPair, Metric, MetricFamily, MetricType};

use super::metrics::RESULTS;
use crate::envelope::{Category, Envelope, Evidence, Outcome};
use crate::profile::{ProfileSet, Request};

/// Most services told apart besides those that profiles name; hosts come from callers.
const MOST_SERVICES: usize = 200;

const CATEGORIES: usize = Category::ALL.len() + 1;
const CELLS: usize = Outcome::ALL.len() * Evidence::ALL.len() * CATEGORIES;

/// (vendor, service, action).
type Key = (String, String, String);

/// Shared table of verdict counts.
#[derive(Clone, Debug, Default)]
pub struct ResultTable {
    inner: Arc<RwLock<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    blocks: BTreeMap<Key, Option<Arc<Block>>>,
    /// Services met beyond those that profiles name.
    services: HashMap<String, ()>,
    known: HashMap<String, ()>,
}

#[derive(Debug)]
struct Block {
    cells: Box<[AtomicU64]>,
}

impl Block {
    fn new() -> Arc<Self> {
        Arc::new(Self { cells: (0..CELLS).map(|_| AtomicU64::new(0)).collect() })
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
                inner.known.insert(service.clone(), ());
            }
            // Where the host tells the service, a row can only be made when it is met.
            if let Some(service) = action.services.first() {
                let key = (profile.vendor.name.clone(), service.clone(), action.name.clone());
                inner.blocks.entry(key).or_insert(None);
            }
        }
    }

    /// Counts an envelope's verdicts, each once.
    pub(super) fn count(&self, request: &Request, envelope: &Envelope<'_>) {
        let block = self.block(request);
        // Most batches have one or two kinds of verdict: add each kind once.
        let mut last = (usize::MAX, 0u64);
        for verdict in envelope.results.iter().filter(|verdict| verdict.occurrence == 0) {
            let category = verdict.fault.as_ref().map(|fault| fault.category);
            let at = cell(verdict.outcome, verdict.evidence, category);
            if at != last.0 {
                flush(&block, last);
                last = (at, 0);
            }
            last.1 += 1;
        }
        flush(&block, last);
    }

    fn block(&self, request: &Request) -> Arc<Block> {
        let vendor = &request.profile.vendor.name;
        let action = &request.action().name;
        let service = request.service.as_deref().unwrap_or("");
        let key = (vendor.clone(), service.to_owned(), action.clone());
        {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(Some(block)) = inner.blocks.get(&key) {
                return Arc::clone(block);
            }
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let key = (key.0, inner.bounded(service), key.2);
        Arc::clone(inner.blocks.entry(key).or_default().get_or_insert_with(Block::new))
    }
}

impl Inner {
    /// The service, or `other` once too many have been met.
    fn bounded(&mut self, service: &str) -> String {
        if service.is_empty() || self.known.contains_key(service) || self.services.contains_key(service) {
            return service.to_owned();
        }
        if self.services.len() >= MOST_SERVICES || service.len() > 64 {
            return "other".to_owned();
        }
        self.services.insert(service.to_owned(), ());
        service.to_owned()
    }
}

fn flush(block: &Block, (at, count): (usize, u64)) {
    if count > 0 {
        block.cells[at].fetch_add(count, Ordering::Relaxed);
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
        for (key, block) in &inner.blocks {
            match block {
                None => metrics.extend(TYPICAL.iter().map(|(o, e, c)| row(key, *o, *e, *c, 0))),
                Some(block) => rows(key, block, &mut metrics),
            }
        }
        if metrics.is_empty() {
            return Vec::new();
        }
        let mut family = MetricFamily::default();
        family.set_name(RESULTS.name.to_owned());
        family.set_help(RESULTS.help.to_owned());
        family.set_field_type(MetricType::COUNTER);
        family.set_metric(metrics);
        vec![family]
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
    let labels = RESULTS.labels.iter().zip(values).map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value(value.to_owned());
        pair
    });
    let mut counter = Counter::default();
    counter.set_value(count as f64);
    let mut metric = Metric::from_label(labels.collect());
    metric.set_counter(counter);
    metric
}
