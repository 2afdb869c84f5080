//! Who deserves the next free row: a Space-Saving sketch over the resources that had to share the overflow row.
//!
//! Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005: a fixed
//! number of counters; a newcomer takes over the smallest, and inherits its count as error. Who was quiet for `ttl` no
//! longer waits, else old noise would keep the rows from whoever fails now.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

#[derive(Debug)]
pub(super) struct Hot {
    most: usize,
    waiting: HashMap<String, (u64, SystemTime)>,
}

impl Hot {
    pub(super) fn new(most: usize) -> Self {
        Self { most, waiting: HashMap::new() }
    }

    pub(super) fn count(&mut self, resource: &str, now: SystemTime) {
        if let Some((count, last)) = self.waiting.get_mut(resource) {
            *count += 1;
            *last = now;
            return;
        }
        let mut inherited = 0;
        if self.waiting.len() >= self.most
            && let Some(smallest) =
                self.waiting.iter().min_by_key(|(_, (count, _))| *count).map(|(name, _)| name.clone())
        {
            inherited = self.waiting.remove(&smallest).map_or(0, |(count, _)| count);
        }
        self.waiting.insert(resource.to_owned(), (inherited + 1, now));
    }

    /// Whether a resource is among the `free` that wait most; nobody waiting: anyone.
    pub(super) fn deserves(&mut self, resource: &str, free: usize, now: SystemTime, ttl: Duration) -> bool {
        if self.waiting.len() < free {
            return true;
        }
        self.waiting.retain(|_, (_, last)| now.duration_since(*last).is_ok_and(|quiet| quiet <= ttl));
        let own = self.waiting.get(resource).map_or(0, |(count, _)| *count);
        self.waiting.values().filter(|(count, _)| *count > own).count() < free
    }

    pub(super) fn forget(&mut self, resource: &str) {
        self.waiting.remove(resource);
    }
}
