//! Who deserves the next free row: a Space-Saving sketch over the resources that had to share the overflow row.
//!
//! Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005: a fixed
//! number of counters; a newcomer takes over the smallest, and inherits its count as error. Who was quiet for `ttl` no
//! longer waits, else old noise would keep the rows from whoever fails now.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[derive(Debug)]
pub(super) struct Hot {
    most: usize,
    slots: Vec<Slot>,
    /// Slots by name, in use only.
    names: HashMap<Arc<str>, u32>,
    /// (count, slot) of those in use: the smallest is at hand.
    order: BTreeSet<(u64, u32)>,
    unused: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    name: Arc<str>,
    count: u64,
    last: SystemTime,
}

impl Hot {
    pub(super) fn new(most: usize) -> Self {
        Self { most, slots: Vec::new(), names: HashMap::new(), order: BTreeSet::new(), unused: Vec::new() }
    }

    pub(super) fn count(&mut self, resource: &str, now: SystemTime) {
        if let Some(&at) = self.names.get(resource) {
            let slot = &mut self.slots[at as usize];
            self.order.remove(&(slot.count, at));
            slot.count += 1;
            slot.last = now;
            self.order.insert((slot.count, at));
            return;
        }
        let inherited = if self.names.len() < self.most { 0 } else { self.take_smallest() };
        let slot = Slot { name: resource.into(), count: inherited + 1, last: now };
        let name = Arc::clone(&slot.name);
        let at = match self.unused.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        self.order.insert((inherited + 1, at));
        self.names.insert(name, at);
    }

    /// Whether a resource is among the `free` that wait most; nobody waiting: anyone.
    pub(super) fn deserves(&self, resource: &str, free: usize) -> bool {
        if self.names.len() < free {
            return true;
        }
        let own = self.names.get(resource).map_or(0, |at| self.slots[*at as usize].count);
        self.order.range((own + 1, 0)..).take(free).count() < free
    }

    pub(super) fn forget(&mut self, resource: &str) {
        if let Some(at) = self.names.remove(resource) {
            self.order.remove(&(self.slots[at as usize].count, at));
            self.unused.push(at);
        }
    }

    /// Who was quiet for `ttl` no longer waits.
    pub(super) fn expire(&mut self, now: SystemTime, ttl: Duration) {
        let quiet = |slot: &Slot| now.duration_since(slot.last).is_ok_and(|quiet| quiet > ttl);
        let gone: Vec<u32> =
            self.names.values().copied().filter(|at| quiet(&self.slots[*at as usize])).collect();
        for at in gone {
            let name = Arc::clone(&self.slots[at as usize].name);
            self.forget(&name);
        }
    }

    fn take_smallest(&mut self) -> u64 {
        let Some((count, at)) = self.order.pop_first() else { return 0 };
        self.names.remove(&self.slots[at as usize].name);
        self.unused.push(at);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_takes_over_the_smallest_and_its_count() {
        let mut hot = Hot::new(2);
        let now = SystemTime::UNIX_EPOCH;
        for name in ["a", "a", "a", "b", "b", "c"] {
            hot.count(name, now);
        }
        assert!(hot.deserves("a", 1), "3, as c, which inherited 2");
        assert!(hot.deserves("c", 1) && !hot.deserves("b", 1) && !hot.deserves("d", 2));
        hot.count("c", now);
        assert!(!hot.deserves("a", 1) && hot.deserves("a", 2));
        hot.forget("c");
        assert!(hot.deserves("d", 2) && !hot.deserves("d", 1));
        hot.count("d", now);
        assert_eq!((hot.names.len(), hot.order.len(), hot.slots.len()), (2, 2, 2));
    }

    #[test]
    fn who_was_quiet_no_longer_waits() {
        let mut hot = Hot::new(10);
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        hot.count("old", at(0));
        hot.count("old", at(0));
        hot.count("new", at(50));
        assert!(!hot.deserves("new", 1));
        hot.expire(at(61), Duration::from_secs(60));
        assert!(hot.deserves("new", 1));
    }
}
