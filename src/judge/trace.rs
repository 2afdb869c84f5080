//! What `explain` shows: which rule read what. Costs nothing while it is off.

use super::evidence::Doubt;
use super::join::How;
use crate::envelope::{Evidence, Outcome};

/// A record of the rules that spoke, when asked for.
#[derive(Debug, Default)]
pub struct Trace {
    on: bool,
    pub lines: Vec<TraceLine>,
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
    pub why: String,
}

impl Trace {
    /// A trace that records.
    pub fn on() -> Self {
        Self { on: true, lines: Vec::new() }
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

    pub(super) fn item(&mut self, rule: usize, outcome: Outcome, item: impl FnOnce() -> String, how: How) {
        if self.on {
            let rule = format!("[[reply.entries]] {rule}");
            self.add(&rule, Some((outcome, Evidence::Reported)), Some(item()), how.words());
        }
    }

    /// What speaks against a claim, and where it stands.
    pub(super) fn doubt(&mut self, doubt: Doubt, at: impl FnOnce() -> String) {
        if self.on {
            let at = at();
            let what = if at.is_empty() { String::new() } else { format!(" ({at})") };
            self.add(&format!("rule {}", doubt.rule()), None, None, &format!("{}{what}", doubt.words()));
        }
    }

    pub(super) fn outer(&mut self, rule: usize, what: impl FnOnce() -> String) {
        if self.on {
            let what = what();
            self.add(&format!("outer shape {rule}"), None, None, &what);
        }
    }

    pub(super) fn absent(&mut self, outcome: Outcome, evidence: Evidence, why: &str) {
        self.add("items the reply does not name", Some((outcome, evidence)), None, why);
    }

    fn add(&mut self, rule: &str, verdict: Option<(Outcome, Evidence)>, item: Option<String>, why: &str) {
        if self.on {
            self.lines.push(TraceLine {
                rule: rule.to_owned(),
                outcome: verdict.map(|(outcome, _)| outcome.as_str()),
                evidence: verdict.map(|(_, evidence)| evidence.as_str()),
                item,
                why: why.to_owned(),
            });
        }
    }
}
