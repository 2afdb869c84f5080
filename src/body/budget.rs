//! What held bodies may have of the memory, together, and any other places that outlive a configuration.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places that a reload makes more or fewer, while those that are taken stay taken.
#[derive(Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    count: Mutex<usize>,
}

impl Places {
    pub fn new(count: usize) -> Self {
        let count = count.min(Semaphore::MAX_PERMITS);
        Self { all: Arc::new(Semaphore::new(count)), count: Mutex::new(count) }
    }

    pub fn all(&self) -> Arc<Semaphore> {
        Arc::clone(&self.all)
    }

    /// From now on there are so many. What is taken beyond that is not given out again when it comes back.
    pub fn resize(&self, count: usize) {
        let count = count.min(Semaphore::MAX_PERMITS);
        let mut known = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, count);
        if count >= before {
            return self.all.add_permits(count - before);
        }
        let taken = (before - count) - self.all.forget_permits(before - count);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        for some in std::iter::repeat_n(u32::MAX as usize, taken / u32::MAX as usize)
            .chain(Some(taken % u32::MAX as usize))
            .filter(|some| *some > 0)
        {
            let all = self.all();
            runtime.spawn(async move {
                if let Ok(permit) = all.acquire_many_owned(some as u32).await {
                    permit.forget();
                }
            });
        }
    }
}

/// A share of the memory that all held bodies have together; given back on drop.
#[derive(Debug)]
pub struct Budget {
    all: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

/// Bytes that one permit of the shared semaphore stands for.
pub const GRAIN: usize = 1 << 10;

impl Budget {
    pub fn new(all: Arc<Semaphore>) -> Self {
        Self { all, held: None, bytes: 0 }
    }

    /// Makes the share at least this large; false when there is not that much left.
    pub fn reserve(&mut self, bytes: usize) -> bool {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else { return true };
        let grains = more.div_ceil(GRAIN);
        let Ok(permit) = Arc::clone(&self.all).try_acquire_many_owned(grains.min(u32::MAX as usize) as u32)
        else {
            return false;
        };
        self.bytes += grains * GRAIN;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        true
    }

    /// Makes the share this large as far as there is room: how large it is then.
    pub fn reserve_up_to(&mut self, bytes: usize) -> usize {
        if !self.reserve(bytes) {
            let free = self.all.available_permits() * GRAIN;
            // Others take, too: once more with half of it, then with what there is already.
            let _ = self.reserve(self.bytes.saturating_add(free).min(bytes))
                || self.reserve(self.bytes.saturating_add(free / 2).min(bytes));
        }
        self.bytes
    }

    /// The share so far; this one begins anew.
    #[must_use]
    pub fn split_off(&mut self) -> Self {
        let rest = Self::new(Arc::clone(&self.all));
        std::mem::replace(self, rest)
    }

    /// Makes the share this large as far as there is room, and gives back what is more.
    pub fn settle(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes) / GRAIN;
        if let Some(held) = &mut self.held
            && held.split(surplus).is_some()
        {
            self.bytes -= surplus * GRAIN;
        }
        self.reserve(bytes);
    }

    /// The share as a permit, for what is held longer than the call: [`Body::holding`].
    pub fn into_permit(self) -> Option<OwnedSemaphorePermit> {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_while_there_is_room_and_is_given_back() {
        let all = Arc::new(Semaphore::new(10));
        let mut budget = Budget::new(Arc::clone(&all));
        assert!(budget.reserve(8 * GRAIN) && !budget.reserve(11 * GRAIN));
        budget.settle(2 * GRAIN + 1);
        assert_eq!(all.available_permits(), 7);
        budget.settle(5 * GRAIN);
        assert_eq!(all.available_permits(), 5);
        let permit = budget.into_permit();
        assert_eq!(all.available_permits(), 5);
        drop(permit);
        assert_eq!(all.available_permits(), 10);
    }

    #[test]
    fn a_share_takes_what_there_is() {
        let all = Arc::new(Semaphore::new(10));
        let mut one = Budget::new(Arc::clone(&all));
        let mut other = Budget::new(Arc::clone(&all));
        assert_eq!(one.reserve_up_to(6 * GRAIN), 6 * GRAIN);
        assert_eq!(other.reserve_up_to(6 * GRAIN), 4 * GRAIN);
        let sent = one.split_off();
        assert_eq!((one.reserve_up_to(GRAIN), all.available_permits()), (0, 0));
        drop(sent);
        assert_eq!(one.reserve_up_to(GRAIN), GRAIN);
    }

    #[tokio::test]
    async fn places_become_more_and_fewer_while_some_are_taken() {
        let places = Places::new(4);
        let all = places.all();
        let taken = Arc::clone(&all).try_acquire_many_owned(3).expect("free");
        places.resize(2);
        assert_eq!(all.available_permits(), 0);
        places.resize(3);
        drop(taken);
        // The one too many is taken out by a task of its own.
        while all.available_permits() != 3 {
            tokio::task::yield_now().await;
        }
        places.resize(5);
        assert_eq!(all.available_permits(), 5);
    }
}
