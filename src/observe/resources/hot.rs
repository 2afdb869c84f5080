//! Who deserves the next free row: a Space-Saving sketch over the resources that had to share the overflow row.
//!
//! Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005: a fixed
//! number of counters; a newcomer takes over the smallest, and inherits its count as error.

use std::collections::HashMap;

#[derive(Debug)]
pub(super) struct Hot {
    most: usize,
    counts: HashMap<String, u64>,
}

impl Hot {
    pub(super) fn new(most: usize) -> Self {
        Self { most, counts: HashMap::new() }
    }

    pub(super) fn count(&mut self, resource: &str) {
        if let Some(count) = self.counts.get_mut(resource) {
            *count += 1;
            return;
        }
        let mut inherited = 0;
        if self.counts.len() >= self.most
            && let Some(smallest) =
                self.counts.iter().min_by_key(|(_, count)| **count).map(|(name, _)| name.clone())
        {
            inherited = self.counts.remove(&smallest).unwrap_or(0);
        }
        self.counts.insert(resource.to_owned(), inherited + 1);
    }

    /// Whether a resource is among the `free` that wait most; nobody waiting: anyone.
    pub(super) fn deserves(&self, resource: &str, free: usize) -> bool {
        if self.counts.len() < free {
            return true;
        }
        let own = self.counts.get(resource).copied().unwrap_or(0);
        self.counts.values().filter(|count| **count > own).count() < free
    }

    pub(super) fn forget(&mut self, resource: &str) {
        self.counts.remove(resource);
    }
}
