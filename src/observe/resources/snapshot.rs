//! What one scrape is told, all of one moment.

use prometheus::proto::MetricFamily;

use super::row::Key;
use crate::observe::families::{counter, gauge};
use crate::observe::metrics::RESOURCE_METRICS;

/// One row as shown.
#[derive(Clone, Debug)]
pub struct FailureRow {
    pub key: Key,
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
        self.rows.sort_by(|a, b| {
            let key =
                |k: &Key| (k.vendor.clone(), k.service.clone(), k.resource_type.clone(), k.resource.clone());
            key(&a.key).cmp(&key(&b.key)).then(a.key.category.cmp(&b.key.category))
        });
        let [failures, last, evicted, held, counted, series, limit] = RESOURCE_METRICS;
        let rows = self.rows.iter().map(|row| {
            let k = &row.key;
            let labels = [k.vendor.as_str(), &k.service, &k.resource_type, &k.resource, k.category.as_str()];
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
        let same = |a: &FailureRow, b: &FailureRow| {
            let key = |k: &'_ Key| {
                (k.vendor.clone(), k.service.clone(), k.resource_type.clone(), k.resource.clone())
            };
            key(&a.key) == key(&b.key)
        };
        self.rows.chunk_by(same).map(|group| {
            let k = &group[0].key;
            let last = group.iter().map(|row| row.last).fold(0.0, f64::max);
            ([k.vendor.as_str(), k.service.as_str(), k.resource_type.as_str(), k.resource.as_str()], last)
        })
    }
}
