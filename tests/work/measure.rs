//! Work and peak of one run.
//!
//! Work is the thread's own processor time: what other processes and threads do is not in it. The least of several runs is free of
//! interrupts and cold caches, and linear work stays near 2 while quadratic work is 4 however often it is measured. So a ratio
//! of 3 or more is measured again before it counts: a disturbance passes, a quadratic reader does not.

pub use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::ALLOCATOR;

/// What a run must take to be measured: ten thousand times the clock's step.
const LEAST: Duration = Duration::from_millis(5);
/// Bytes of the smaller size, at least.
const SIZE: usize = 64 << 10;
/// Bytes at which even the quickest reader takes long enough.
const MOST: usize = 16 << 20;
/// What may be held whatever the size: tables, windows, a sample's room.
const ALWAYS: usize = 2 << 20;

static ONE: Mutex<()> = Mutex::new(());

/// The right to measure.
pub fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spent(run: &mut dyn FnMut()) -> Duration {
    let now = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    };
    let start = now();
    run();
    now() - start
}

/// A shape's bytes, about so many of them.
pub type Shape<'s> = &'s dyn Fn(usize) -> Vec<u8>;

/// A shape and its name.
pub type Named<'s> = (&'s str, Shape<'s>);

/// `run` takes less than three times the work for twice the bytes, and at its peak `times` the bytes.
pub fn linear(name: &str, times: usize, shape: Shape<'_>, run: impl Fn(&[u8])) {
    linear_from(16 << 10, name, times, shape, run);
}

/// The same from a size on: below, a constant that is bounded otherwise grows.
pub fn linear_from(least_size: usize, name: &str, times: usize, shape: Shape<'_>, run: impl Fn(&[u8])) {
    let (_, mut least) = sized(least_size, shape, &run);
    let mut size = 2 * least_size;
    loop {
        let (bytes, took) = sized(size, shape, &run);
        if took >= LEAST {
            let mut ratio = took.as_secs_f64() / least.as_secs_f64();
            for _ in 0..4 {
                if ratio < 3.0 || least < LEAST / 4 {
                    break;
                }
                let half = sized(size / 2, shape, &run).1.min(least);
                ratio = sized(size, shape, &run).1.as_secs_f64() / half.as_secs_f64();
            }
            assert!(
                ratio < 3.0 || least < LEAST / 4,
                "{name}: {ratio:.2} times the work at {size} bytes ({took:?})"
            );
        }
        if (size >= 2 * SIZE && least >= LEAST) || size >= MOST {
            peak(name, times, &bytes, &run);
            return;
        }
        (least, size) = (took, size * 2);
    }
}

/// A shape of a size, and the least work of some runs.
fn sized(size: usize, shape: Shape<'_>, run: &impl Fn(&[u8])) -> (Vec<u8>, Duration) {
    let bytes = shape(size);
    let mut once = || run(black_box(&bytes));
    let took = (0..2).map(|_| spent(&mut once)).min().unwrap_or_default();
    (bytes, took)
}

/// `run` holds at most `times` the bytes at once.
pub fn peak(name: &str, times: usize, bytes: &[u8], run: &impl Fn(&[u8])) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    run(black_box(bytes));
    let most = ALLOCATOR.peak_usage() - before;
    let allowed = times * bytes.len() + ALWAYS;
    let per_byte = most as f64 / bytes.len() as f64;
    assert!(most <= allowed, "{name}: {most} bytes held for {} ({per_byte:.1} for each)", bytes.len());
}
