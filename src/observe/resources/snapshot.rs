//! What one scrape is told, all of one moment.

use std::sync::Arc;

use prometheus::proto::MetricFamily;

use crate::envelope::Category;
use crate::observe::families::{counter, gauge};
use crate::observe::metrics::RESOURCE_METRICS;

/// What all failures of a batch share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    pub vendor: String,
    pub service: String,
    pub resource_type: String,
}

/// One row as shown.
#[derive(Clone, Debug)]
pub struct FailureRow {
    pub labels: Arc<Labels>,
    pub resource: Arc<str>,
    pub category: Category,
    pub failures: u64,
    /// Seconds since the epoch.
    pub last: f64,
}

/// A vendor's sums: `counted` equals its rows, `evicted` and `held` together.
#[derive(Clone, Copy, Debug, Default)]
pub struct VendorTotals {
    pub counted: u64,
    pub evicted: u64,
    pub held: u64,
}

/// The whole table as one scraper sees it.
#[derive(Debug)]
pub struct ResourceSnapshot {
    pub rows: Vec<FailureRow>,
    /// By vendor, in order.
    pub vendors: Vec<(String, VendorTotals)>,
    pub series: usize,
    pub series_limit: usize,
}

impl ResourceSnapshot {
    /// As metric families, in the order of the table in `metrics`.
    pub fn families(mut self) -> Vec<MetricFamily> {
        // The groups stand in order already.
        for group in self.rows.chunk_by_mut(|a, b| Arc::ptr_eq(&a.labels, &b.labels)) {
            group.sort_unstable_by(|a, b| (&a.resource, a.category).cmp(&(&b.resource, b.category)));
        }
        let [failures, last, evicted, held, counted, series, limit] = RESOURCE_METRICS;
        let rows = self.rows.iter().map(|row| {
            let [vendor, service, kind] = row.labels.texts();
            let labels = [vendor, service, kind, &row.resource, row.category.as_str()];
            counter(failures, &labels, row.failures as f64)
        });
        let vendors = |value: fn(&VendorTotals) -> u64| {
            self.vendors.iter().map(move |(vendor, totals)| (vendor.as_str(), value(totals) as f64))
        };
        vec![
            failures.family(rows.collect()),
            last.family(
                self.last_failures().map(|(labels, seconds)| gauge(last, &labels, seconds)).collect(),
            ),
            evicted.family(vendors(|t| t.evicted).map(|(v, n)| counter(evicted, &[v], n)).collect()),
            held.family(vendors(|t| t.held).map(|(v, n)| gauge(held, &[v], n)).collect()),
            counted.family(vendors(|t| t.counted).map(|(v, n)| counter(counted, &[v], n)).collect()),
            series.family(vec![gauge(series, &[], self.series as f64)]),
            limit.family(vec![gauge(limit, &[], self.series_limit as f64)]),
        ]
    }

    /// The last failure of each resource, over its categories; the rows are sorted.
    fn last_failures(&self) -> impl Iterator<Item = ([&str; 4], f64)> {
        let same =
            |a: &FailureRow, b: &FailureRow| Arc::ptr_eq(&a.labels, &b.labels) && a.resource == b.resource;
        self.rows.chunk_by(same).map(|group| {
            let [vendor, service, kind] = group[0].labels.texts();
            let last = group.iter().map(|row| row.last).fold(0.0, f64::max);
            ([vendor, service, kind, &*group[0].resource], last)
        })
    }
}

impl Labels {
    fn texts(&self) -> [&str; 3] {
        [&self.vendor, &self.service, &self.resource_type]
    }
}
