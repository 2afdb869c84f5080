//! Processor time per request: every target has its turn in every round, ratios are taken within a round.

use std::time::Duration;

use crate::calls::Call;
use crate::latency::window;
use crate::load::{Answer, cost, verify};
use crate::process::Process;
use crate::support::table::say;
use crate::table::{Table, middle, ratio};
use crate::targets::Target;
use crate::vendor::Vendor;
use crate::{Failure, Options};

/// Answers ÷ requests due, below which a proxy at half of what it carries was disturbed.
const STEADY: f64 = 0.97;

/// Those that are measured against each other, all running.
#[derive(Debug)]
pub struct Field {
    pub vendor: Vendor,
    pub running: Vec<(Target, Process)>,
}

impl Field {
    /// CPU time of each call.
    pub async fn cpu(&self, calls: &[Call], options: &Options) -> Result<(), Failure> {
        let mut head = vec!["call".to_owned(), "resources".to_owned()];
        head.extend(self.running.iter().map(|(target, _)| format!("{:<26}", target.name())));
        head.extend(self.rivals().map(|(_, name)| format!("{:<20}", format!("onevelope ÷ {name}"))));
        let about = "Processor time per request, µs; ÷ the first column: median (min … max) of the rounds";
        let table = Table::new(about, &head);
        for call in calls {
            let right = self.verify(call).await?;
            let mut costs = vec![Vec::new(); self.running.len()];
            // The first round is for warming up.
            for round in 0..=options.rounds {
                for at in self.order(round) {
                    let process = &self.running[at].1;
                    let turn = cost(process, &call.request, right[at], options.connections, *options.turn);
                    let spent = turn.await.map_err(|cause| self.told(at, call, &cause))?;
                    if round > 0 {
                        costs[at].push(spent);
                    }
                }
            }
            let mut row = vec![format!("{:<24}", call.name), call.n.to_string()];
            row.extend(compared(&costs));
            if let Some(ours) = self.ours() {
                row.extend(self.rivals().map(|(rival, _)| ratio(&costs[ours], &costs[rival])));
            }
            table.row(&row);
        }
        Ok(())
    }

    /// Latency of one call at a fixed rate.
    pub async fn latency(&self, call: &Call, options: &Options) -> Result<(), Failure> {
        let right = self.verify(call).await?;
        let first = &self.running[0].1;
        let busy = Duration::from_secs(1).max(*options.turn);
        let spent = cost(first, &call.request, right[0], options.connections, busy).await?;
        let rate = options.load / spent * 1e6;
        let mut windows = vec![Vec::new(); self.running.len()];
        for round in 0..=options.rounds {
            for at in self.order(round) {
                let process = &self.running[at].1;
                let done = window(process, call, right[at], rate, *options.window).await;
                let found = done.map_err(|cause| self.told(at, call, &cause))?;
                if round > 0 {
                    windows[at].push(found);
                }
            }
        }
        let about = format!(
            "Open loop, {} resources, {rate:.0} requests a second: {} of what {} carries on its core; µs, and ÷ the first row",
            call.n,
            options.load,
            self.running[0].0.name()
        );
        let head =
            ["target      ", "p50, µs", "÷ (min … max)       ", "p99, µs", "÷ (min … max)       ", "kept up"];
        let table = Table::new(&about, &head.map(str::to_owned));
        let p50: Vec<Vec<f64>> = windows.iter().map(|all| all.iter().map(|one| one.p50).collect()).collect();
        let p99: Vec<Vec<f64>> = windows.iter().map(|all| all.iter().map(|one| one.p99).collect()).collect();
        for (at, (target, _)) in self.running.iter().enumerate() {
            let kept: Vec<f64> = windows[at].iter().map(|window| window.kept * 100.0).collect();
            table.row(&[
                target.name().to_owned(),
                middle(&p50[at]),
                ratio(&p50[at], &p50[0]),
                middle(&p99[at]),
                ratio(&p99[at], &p99[0]),
                format!("{} %", middle(&kept)),
            ]);
        }
        let kept = windows[0].iter().map(|window| window.kept).fold(1.0, f64::min);
        if kept < STEADY {
            say(
                "\nNot even the first row kept up: the machine had other work, and these figures say nothing.",
            );
        }
        Ok(())
    }

    /// What a right answer of each target looks like. From now on the vendor replies to this call.
    async fn verify(&self, call: &Call) -> Result<Vec<Answer>, Failure> {
        self.vendor.replies(&call.reply);
        let mut right = Vec::new();
        for (at, (target, process)) in self.running.iter().enumerate() {
            let found = verify(process.address, call, target.translates()).await;
            right.push(found.map_err(|cause| self.told(at, call, &cause))?);
        }
        Ok(right)
    }

    /// Each round begins with another target: what the one before left behind hits everybody.
    fn order(&self, round: usize) -> impl Iterator<Item = usize> + use<> {
        let count = self.running.len();
        (0..count).map(move |at| (at + round) % count)
    }

    fn ours(&self) -> Option<usize> {
        self.running.iter().position(|(target, _)| *target == Target::Onevelope)
    }

    /// Those that onevelope is compared to beside the first.
    fn rivals(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let ours = self.ours();
        let names = self.running.iter().map(|(target, _)| target.name()).enumerate();
        names.skip(1).filter(move |&(at, _)| ours.is_some_and(|ours| ours != at))
    }

    fn told(&self, at: usize, call: &Call, cause: &Failure) -> Failure {
        format!("{}, {}, {} resources: {cause}", self.running[at].0.name(), call.name, call.n).into()
    }
}

/// Each target's median, and its ratios to the first.
fn compared(costs: &[Vec<f64>]) -> Vec<String> {
    let cell = |(at, own): (usize, &Vec<f64>)| match at {
        0 => format!("{:<26}", middle(own)),
        _ => format!("{:<26}", format!("{}; {}", middle(own), ratio(own, &costs[0]))),
    };
    costs.iter().enumerate().map(cell).collect()
}
