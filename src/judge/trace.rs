//! What `explain` shows: which rule read what. Costs nothing while it is off.

use super::evidence::Doubt;
use crate::envelope::{Evidence, Outcome};

/// A record of the rules that spoke, when asked for.
#[derive(Debug, Default)]
pub struct Trace {
    on: bool,
    pub lines: Vec<TraceLine>,
    /// Members of the reply that no rule read.
    pub unread: Vec<String>,
}

/// One rule's say.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TraceLine {
    /// The rule, as the profile file numbers it.
    pub rule: String,
    pub outcome: Option<&'static str>,
    pub evidence: Option<&'static str>,
    /// The item it is about, if one.
    pub item: Option<String>,
    /// Where in the reply it stands, as a pointer.
    pub at: Option<String>,
    pub why: String,
}

impl Trace {
    /// A trace that records.
    pub fn on() -> Self {
        Self { on: true, ..Self::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    pub(super) fn whole(&mut self, outcome: Outcome, evidence: Evidence, why: &str) {
        self.add("the whole call", Some((outcome, evidence)), None, why);
    }

    pub(super) fn rule(&mut self, rule: String, outcome: Outcome, evidence: Evidence, constant: bool) {
        let why = if constant { "its `when` holds" } else { "its status says so" };
        self.add(&rule, Some((outcome, evidence)), None, why);
    }

    pub(super) fn item(
        &mut self,
        rule: usize,
        outcome: Outcome,
        item: impl FnOnce() -> String,
        at: impl FnOnce() -> String,
        how: &str,
    ) {
        if self.on {
            let rule = format!("[[reply.entries]] {rule}");
            self.add(&rule, Some((outcome, Evidence::Reported)), Some(item()), how);
            self.place(at());
        }
    }

    /// What speaks against a claim, and where it stands.
    pub(super) fn doubt(&mut self, doubt: Doubt, at: impl FnOnce() -> String) {
        if self.on {
            let rule = format!("envelope.md {}", doubt.rule());
            if self.lines.iter().any(|line| line.rule == rule && line.why == doubt.words()) {
                return;
            }
            self.add(&rule, None, None, doubt.words());
            self.place(at());
        }
    }

    /// `rule` counts the family's `[[reply.outer]]` first, of which there are `own`, then the vendor's.
    pub(super) fn outer(&mut self, rule: usize, own: usize, what: impl FnOnce() -> String) {
        if self.on {
            let what = what();
            let rule = match rule.checked_sub(own) {
                Some(rule) if rule > 0 => format!("vendor.toml [[outer]] {rule}"),
                _ => format!("[[reply.outer]] {rule}"),
            };
            self.add(&rule, None, None, &what);
        }
    }

    /// Where the last line's statement stands.
    fn place(&mut self, at: String) {
        if let Some(line) = self.lines.last_mut().filter(|_| !at.is_empty()) {
            line.at = Some(at);
        }
    }

    pub(super) fn absent(&mut self, outcome: Outcome, evidence: Evidence, why: &str) {
        self.add("absent", Some((outcome, evidence)), None, why);
    }

    fn add(&mut self, rule: &str, verdict: Option<(Outcome, Evidence)>, item: Option<String>, why: &str) {
        if self.on {
            self.lines.push(TraceLine {
                rule: rule.to_owned(),
                outcome: verdict.map(|(outcome, _)| outcome.as_str()),
                evidence: verdict.map(|(_, evidence)| evidence.as_str()),
                item,
                at: None,
                why: why.to_owned(),
            });
        }
    }
}
