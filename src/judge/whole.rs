//! One verdict for every asked item: a refusal, a rule about the whole call, or nothing at all.

use super::Judge;
use super::entry;
use super::evidence::{Basis, Doubt, weigh};
use super::ledger::Ledger;
use super::outer::{self, Outer, OuterKind};
use super::scope::is_of;
use crate::envelope::{Bare, BodyState, Category, Evidence, Fault, Origin, Outcome, Verdict};
use crate::profile::place::Place;
use crate::profile::reply::{OutcomeRule, WholeRule};

impl<'a> Judge<'a, '_> {
    pub(super) fn whole_call(&mut self, ledger: &mut Ledger<'a>, outer: &Outer) {
        match outer.kind {
            OuterKind::Failed | OuterKind::AllFailed | OuterKind::Summary => self.refused(ledger, outer),
            OuterKind::Fine if self.dry_run_passed(ledger, outer) => {}
            OuterKind::Fine => {
                if !self.whole_rule(ledger) {
                    self.nothing_said(ledger);
                }
            }
        }
    }

    /// A dry run that "failed" with the vendor's dry-run code would have worked: predicted, not executed.
    fn dry_run_passed(&mut self, ledger: &mut Ledger<'a>, outer: &Outer) -> bool {
        if !outer.dry_run {
            return false;
        }
        let claim = if self.request.action().asynchronous { Outcome::Accepted } else { Outcome::Succeeded };
        let named = &self.request.profile.vendor.dry_run_status;
        let named = named.iter().any(|class| is_of(*class, self.reply.status));
        let doubts = if named { self.doubts.without(Doubt::Status) } else { self.doubts };
        // It comes in an error's root element, too.
        let doubts = doubts.without(Doubt::Unmarked).with_if(Doubt::Unread, self.is_unread_failure());
        match weigh(claim, Basis::Whole, doubts) {
            Ok(outcome) => ledger.fill(Verdict::new(outcome, Evidence::Batch)),
            Err(doubt) => self.doubted(ledger, doubt),
        }
        true
    }

    /// One verdict on the whole call: refused before work, or possibly after it.
    fn refused(&mut self, ledger: &mut Ledger<'a>, outer: &Outer) {
        let (outcome, evidence) = match outer.kind {
            OuterKind::Summary => (Outcome::Unknown, Evidence::None),
            OuterKind::AllFailed => (Outcome::Failed, Evidence::Batch),
            // An error without a code under a good status: nobody says that it came before work.
            _ if !outer.is_coded() && outer.category() == Category::Unknown && self.reply.status < 300 => {
                (Outcome::Unknown, Evidence::None)
            }
            _ => (outer::weigh(self.reply.status, outer.category()), Evidence::Batch),
        };
        self.bare = outcome.into();
        self.trace.whole(outcome, evidence, "the vendor's outer verdict applies to every item");
        // Somebody failed, nobody says who: the summary's code is no item's code.
        let fault = match outer.kind {
            OuterKind::Summary => Fault::of(Category::Unknown, Origin::Vendor),
            _ => outer.fault.unwrap_or_else(|| Fault::of(Category::Unknown, Origin::Vendor)),
        };
        ledger.fill(Verdict { fault: Some(fault), ..Verdict::new(outcome, evidence) });
    }

    /// The first `[[reply.whole]]` rule that holds and whose claim is proved.
    fn whole_rule(&mut self, ledger: &mut Ledger<'a>) -> bool {
        let asynchronous = self.request.action().asynchronous;
        for rule in &self.request.profile.reply.whole {
            if self.scope.root.is_none() && !rule.when.wants_empty() && !rule.when.names_status() {
                continue;
            }
            if !self.scope.holds(&rule.when) {
                continue;
            }
            let task = self.scope.task(&rule.task);
            let read = entry::read_outcome(&rule.outcome, &self.scope, task.is_some());
            let Some(mut claim) = read.word.outcome(asynchronous) else { continue };
            // A bare 202 says that the effect is pending, whatever the action.
            if claim == Outcome::Succeeded && self.reply.status == 202 && self.scope.root.is_none() {
                claim = Outcome::Accepted;
            }
            let basis = match rule.evidence {
                Evidence::Inferred => Basis::Silence,
                _ if task.is_some() => Basis::Handle,
                _ => Basis::Whole,
            };
            let mut doubts = self.doubts.with_if(Doubt::Strict, self.strict);
            if rule.when.names_status() {
                doubts = doubts.without(Doubt::Status);
            }
            doubts =
                doubts.with_if(Doubt::Unmarked, claim.is_good() && !self.is_marked(rule, task.is_some()));
            // A rule that speaks of failures needs no proof of good; one that does not speak under this status is silent.
            if !claim.is_good() && doubts.has(Doubt::Status) {
                continue;
            }
            // The net is cast where nothing else decides. Not "without doubts": some do not bear on this basis.
            let stands = claim.is_good() && weigh(claim, basis, doubts).is_ok();
            let unread = stands && self.is_unread_failure();
            let outcome = match weigh(claim, basis, doubts.with_if(Doubt::Unread, unread)) {
                Ok(outcome) => outcome,
                Err(Doubt::Status | Doubt::Unmarked) => continue,
                Err(doubt) => {
                    self.doubt(doubt, "");
                    self.doubted(ledger, doubt);
                    return true;
                }
            };
            let explains = matches!(rule.outcome, OutcomeRule::Always(_));
            self.trace.rule(format!("[[reply.whole]] {}", rule.number), outcome, rule.evidence, explains);
            if let Some(id) = task {
                self.task = Some(self.task_of(&id, outcome.into(), ledger));
            }
            self.bare = outcome.into();
            let fault = rule.category.filter(|_| !outcome.is_good()).map(|c| Fault::of(c, Origin::Vendor));
            ledger.fill(Verdict { fault, ..Verdict::new(outcome, rule.evidence) });
            return true;
        }
        false
    }

    /// Whether something is there that says so: what the rule wants present is more than nothing, and a handle is a handle.
    fn is_marked(&self, rule: &WholeRule, has_task: bool) -> bool {
        let hollow = |place: &Place| {
            let handle = rule.task.contains(place);
            (handle && !has_task) || !(self.scope.is_solid(place) || rule.evidence == Evidence::Inferred)
        };
        // A rule whose only proof is the task it hands out needs the task.
        let when = &rule.when;
        let in_reply = |place: &Place| !matches!(place, Place::Kept(_) | Place::Status);
        let states = when.present.iter().chain(&when.stated).chain(&when.count).any(in_reply)
            || when.equals.iter().any(|(place, _)| in_reply(place))
            || when.empty.is_some()
            || matches!(rule.outcome, OutcomeRule::By { .. });
        if !states && !has_task {
            return false;
        }
        // Where silence is to prove something, the list that says nothing must be a list.
        let flag = |place: &Place| rule.evidence == Evidence::Inferred && self.scope.is_flag_for_list(place);
        !rule.when.present.iter().any(|place| hollow(place) || flag(place))
            && !rule.when.stated.iter().any(flag)
    }

    /// A claim on the whole call that is doubted: refused where the status says so, else unknown.
    fn doubted(&mut self, ledger: &mut Ledger<'a>, doubt: Doubt) {
        if self.is_refused() && doubt == Doubt::Error {
            return self.by_status(ledger, Outcome::Failed);
        }
        self.bare = Bare::Unknown;
        self.trace.whole(Outcome::Unknown, Evidence::None, doubt.words());
        let fault = Some(Fault::of(Category::Unknown, Origin::Vendor));
        ledger.fill(Verdict { fault, ..Verdict::new(Outcome::Unknown, Evidence::None) });
    }

    /// Whether the HTTP status refuses the call.
    fn is_refused(&self) -> bool {
        (400..500).contains(&self.reply.status) && self.reply.status != 408
    }

    /// Readable, but nothing in it is a verdict we know.
    fn nothing_said(&mut self, ledger: &mut Ledger<'a>) {
        let status = self.reply.status;
        if self.is_refused() {
            return self.by_status(ledger, Outcome::Failed);
        }
        if status >= 400 {
            return self.by_status(ledger, Outcome::Unknown);
        }
        // A bare 202 without a body is a promise, not a result.
        let stated = self.doubts.has(Doubt::Error);
        if status == 202 && self.scope.root.is_none() && !stated && !self.doubts.has(Doubt::AskedUnclear) {
            self.trace.whole(Outcome::Accepted, Evidence::Batch, "a bare 202");
            self.bare = Bare::Accepted;
            ledger.fill(Verdict::new(Outcome::Accepted, Evidence::Batch));
            return;
        }
        if self.request.action().lookup
            && self.request.asked.is_empty()
            && self.task.is_some()
            && self.scope.root.is_some()
        {
            self.bare = Bare::Unknown;
        }
        if self.scope.root.is_some() {
            self.body = BodyState::Unparsed;
        }
        if !stated {
            self.note("reply_unrecognised", "the reply fits no shape the profile knows");
        }
        self.unreadable(ledger);
    }

    /// Something in between answered: under 4xx it let nothing through, but for the statuses that may come later.
    pub(super) fn foreign(&mut self, ledger: &mut Ledger<'a>) {
        match self.reply.status {
            408 | 409 | 422 | 425 | 499 => self.unreadable(ledger),
            400..500 => self.by_status(ledger, Outcome::Failed),
            _ => self.unreadable(ledger),
        }
    }

    fn by_status(&mut self, ledger: &mut Ledger<'a>, outcome: Outcome) {
        let retry_after_ms = outer::retry_after_header(self.reply.headers);
        let fault = Some(Fault { retry_after_ms, ..self.fault_of_status() });
        self.bare = outcome.into();
        self.trace.whole(outcome, Evidence::Batch, "the HTTP status, since the body says nothing known");
        ledger.fill(Verdict { fault, ..Verdict::new(outcome, Evidence::Batch) });
    }

    /// Nothing was stated: every item may or may not have been done.
    pub(super) fn unreadable(&mut self, ledger: &mut Ledger<'a>) {
        self.bare = Bare::Unknown;
        self.trace.whole(Outcome::Unknown, Evidence::None, "nothing usable was stated");
        let fault = Some(self.fault_of_status());
        ledger.fill(Verdict { fault, ..Verdict::new(Outcome::Unknown, Evidence::None) });
    }
}
