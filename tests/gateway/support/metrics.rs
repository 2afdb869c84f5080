//! What `/metrics` says, as numbers by row.

use std::collections::BTreeMap;

/// One scrape.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// `name{a="x",b="y"}` → value.
    rows: BTreeMap<String, f64>,
}

impl Metrics {
    pub fn parse(text: &str) -> Self {
        let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
            let (row, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no metric: {line}"));
            (row.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
        });
        Self { rows: rows.collect() }
    }

    /// The sum of a family's rows that carry all these labels, each as `name="value"`.
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        self.find(name, labels).map(|(_, value)| value).sum()
    }

    /// Whether any such row is there, be it at 0.
    pub fn has(&self, name: &str, labels: &[&str]) -> bool {
        self.find(name, labels).next().is_some()
    }

    /// The family's rows that are not 0.
    pub fn moved(&self, name: &str) -> Vec<String> {
        self.find(name, &[])
            .filter(|(_, value)| *value != 0.0)
            .map(|(row, value)| format!("{row} {value}"))
            .collect()
    }

    fn find<'m>(&'m self, name: &'m str, labels: &'m [&str]) -> impl Iterator<Item = (&'m str, f64)> + 'm {
        let rows = self.rows.iter().map(|(row, value)| (row.as_str(), *value));
        rows.filter(move |(row, _)| {
            let (own, rest) = row.split_once('{').unwrap_or((row, ""));
            own == name && labels.iter().all(|label| rest.contains(label))
        })
    }
}
