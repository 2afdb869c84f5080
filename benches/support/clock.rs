//! Fair comparison on a machine that others use too: the candidates run in short turns, and the quickest turns count.

use std::time::{Duration, Instant};

/// One thing to be timed; called again and again.
pub type Candidate<'a> = Box<dyn FnMut() + 'a>;

/// Nanoseconds per call of each candidate, round by round.
#[derive(Debug)]
pub struct Rounds {
    rounds: Vec<Vec<f64>>,
}

/// Runs the candidates in turns. A turn lasts about `turn`, and at least one call.
pub fn race(candidates: &mut [Candidate<'_>], rounds: usize, turn: Duration) -> Rounds {
    let calls: Vec<u32> = candidates.iter_mut().map(|candidate| calls_in(candidate, turn)).collect();
    let rounds = (0..rounds)
        .map(|_| candidates.iter_mut().zip(&calls).map(|(candidate, &n)| timed(candidate, n)).collect());
    Rounds { rounds: rounds.collect() }
}

fn timed(candidate: &mut Candidate<'_>, calls: u32) -> f64 {
    let started = Instant::now();
    for _ in 0..calls {
        candidate();
    }
    started.elapsed().as_nanos() as f64 / f64::from(calls)
}

/// How many calls fill a turn; warms the caches on the way.
fn calls_in(candidate: &mut Candidate<'_>, turn: Duration) -> u32 {
    let mut calls = 1;
    loop {
        let spent = timed(candidate, calls) * f64::from(calls);
        if spent * 2.0 >= turn.as_nanos() as f64 || calls >= 1 << 20 {
            return ((f64::from(calls) * turn.as_nanos() as f64 / spent.max(1.0)) as u32).max(1);
        }
        calls *= 2;
    }
}

impl Rounds {
    /// One candidate's quickest round: other work on the machine only ever adds.
    pub fn time(&self, of: usize) -> f64 {
        self.of(of).fold(f64::INFINITY, f64::min)
    }

    /// `of` ÷ `to`, by their quickest rounds.
    pub fn ratio(&self, of: usize, to: usize) -> f64 {
        self.time(of) / self.time(to)
    }

    /// How far the median round is above the quickest: where it is large, run again on a quieter machine.
    pub fn noise(&self, of: usize) -> f64 {
        median(self.of(of)) / self.time(of) - 1.0
    }

    fn of(&self, candidate: usize) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(move |round| round[candidate])
    }
}

/// The middle value; not a number when there is none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// Half the distance between the quartiles, over the median.
pub fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    (quantile(&values, 0.75) - quantile(&values, 0.25)) / 2.0 / quantile(&values, 0.5)
}

pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of sorted values.
pub fn quantile(values: &[f64], at: f64) -> f64 {
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * at).round() as usize).copied().unwrap_or(f64::NAN)
}
