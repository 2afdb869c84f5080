//! What silence means: asked items that a reply with entries does not name.

use super::Judge;
use super::evidence::{Basis, Doubt, weigh};
use super::ledger::Ledger;
use super::outer::{Outer, OuterKind};
use super::scope::is_of;
use crate::envelope::{Category, Evidence, Fault, Origin, Outcome, Verdict};

/// Most items made from a count.
const MOST_COUNTED: u64 = 10_000;

impl<'a> Judge<'a, '_> {
    /// Gives every silent item its verdict. `exhaustive`: a list spoke that names every failure.
    pub(super) fn settle_absent(&mut self, ledger: &mut Ledger<'a>, exhaustive: bool) {
        if ledger.silent() == 0 {
            return;
        }
        let (outcome, evidence, category) = self.absent_verdict(ledger, exhaustive);
        self.trace.absent(outcome, evidence, "what the profile says of items that the reply leaves out");
        let fault = category.map(|category| Fault::of(category, Origin::Vendor));
        ledger.fill(Verdict { fault, ..Verdict::new(outcome, evidence) });
    }

    fn absent_verdict(
        &mut self,
        ledger: &Ledger<'a>,
        exhaustive: bool,
    ) -> (Outcome, Evidence, Option<Category>) {
        const UNKNOWN: (Outcome, Evidence, Option<Category>) = (Outcome::Unknown, Evidence::None, None);
        let action = self.request.action();
        let stopped = ledger.verdicts().any(|v| matches!(v.outcome, Outcome::Failed | Outcome::NotAttempted));
        if action.atomic && stopped {
            return (Outcome::NotAttempted, Evidence::Inferred, Some(Category::Aborted));
        }
        let rules = &self.request.profile.reply;
        let conditional = rules.absent_when.iter().find(|(when, ..)| self.scope.holds(when));
        let (word, category) = match conditional {
            Some((_, word, category)) => (*word, category.or(rules.absent_category)),
            None => (rules.absent, rules.absent_category),
        };
        let Some(claim) = word.outcome(action.asynchronous) else { return UNKNOWN };
        if claim == Outcome::Unknown {
            return UNKNOWN;
        }
        let status = self.reply.status;
        let named = rules.absent_status.iter().any(|class| is_of(*class, status));
        let doubts = if named { self.doubts.without(Doubt::Status) } else { self.doubts };
        let doubts = doubts
            .with_if(Doubt::NotExhaustive, claim.is_good() && !exhaustive)
            .with_if(Doubt::NothingStopped, !stopped && needs_stop(claim, category))
            .with_if(Doubt::Strict, self.strict)
            .with_if(Doubt::Unplaced, claim.is_good() && ledger.strangers_only() && !rules.volunteers);
        let doubts =
            doubts.with_if(Doubt::Unread, claim.is_good() && doubts.is_empty() && self.is_unread_failure());
        match weigh(claim, Basis::Silence, doubts) {
            Ok(outcome) => (outcome, Evidence::Inferred, category.filter(|_| !outcome.is_good())),
            Err(doubt) => {
                self.doubt(doubt, "");
                UNKNOWN
            }
        }
    }

    /// Whether the totals that the vendor states leave room for all that is good or silent.
    pub(super) fn counts_leave_room(&self, ledger: &Ledger<'a>) -> bool {
        let rules = &self.request.profile.reply;
        if rules.counted_good.is_empty() && rules.counted_failed.is_empty() && rules.counted_all.is_empty() {
            return true;
        }
        let sums =
            [&rules.counted_good, &rules.counted_failed, &rules.counted_all].map(|p| self.scope.sum(p));
        let [Ok(stated_good), Ok(stated_failed), Ok(stated_all)] = sums else { return false };
        let good = ledger.verdicts().filter(|v| v.outcome.is_good()).count();
        let bad = ledger.verdicts().count() - good;
        // The vendor may count a resource that was asked twice once or twice.
        let repeats = self.request.asked.listed() - self.request.asked.len();
        stated_good.is_none_or(|n| n >= (good + ledger.silent() + repeats) as u64)
            && stated_failed.is_none_or(|n| n <= bad as u64)
            && stated_all.is_none_or(|n| n >= (good + bad + ledger.silent()) as u64)
    }

    /// Failures that are counted and not listed: items without id where no ids were asked, else something that no verdict
    /// explains.
    pub(super) fn explain_counts(&mut self, ledger: &mut Ledger<'a>) {
        let rules = &self.request.profile.reply;
        let failed = self.scope.sum(&rules.counted_failed);
        let done = self.scope.sum(&rules.counted_good);
        let count = |good: bool| ledger.verdicts().filter(|v| v.outcome.is_good() == good).count() as u64;
        let (good, bad) = (count(true), count(false));
        self.others_done = done.is_ok_and(|done| done.is_some_and(|done| done > good));
        match failed {
            Ok(Some(failed)) if failed > bad => {
                self.unexplained = true;
                if self.request.asked.is_empty() {
                    // A vendor's typing error must not become a million verdicts.
                    let fault = Some(Fault::of(Category::Unknown, Origin::Vendor));
                    for _ in bad..failed.min(bad + MOST_COUNTED) {
                        ledger.push_nameless(Verdict {
                            fault,
                            ..Verdict::new(Outcome::Failed, Evidence::Batch)
                        });
                    }
                }
            }
            Err(()) => self.unexplained = true,
            _ => {}
        }
        if done.is_err() || done.is_ok_and(|done| done.is_some_and(|done| done < good)) {
            self.unexplained = true;
        }
    }

    /// Sub-jobs that are counted but not listed: without id, accepted while the job runs, unknown after.
    pub(super) fn announce(&mut self, ledger: &mut Ledger<'a>) {
        let Some(announced) = &self.request.profile.reply.announced else { return };
        let Some(count) = self.scope.number(&announced.count) else { return };
        // One resource may stand in several sub-jobs: each of them is listed.
        let listed = self.request.asked.len().max(ledger.statements()) as u64;
        let running =
            self.scope.text(&announced.running_by).is_some_and(|t| announced.running.contain(&t.decode()));
        let doubts = self.doubts.with_if(Doubt::Unread, running && self.is_unread_failure());
        let accepted = running && weigh(Outcome::Accepted, Basis::Whole, doubts).is_ok();
        let (outcome, evidence) =
            if accepted { (Outcome::Accepted, Evidence::Batch) } else { (Outcome::Unknown, Evidence::None) };
        for _ in listed..count.min(listed + MOST_COUNTED) {
            ledger.push_nameless(Verdict::new(outcome, evidence));
        }
    }

    /// Entries decide, outer codes summarise; where they disagree, that is worth knowing.
    pub(super) fn compare(&mut self, ledger: &Ledger<'a>, outer: &Outer) {
        let mismatch = match outer.kind {
            OuterKind::Fine => {
                outer.says_success && ledger.verdicts().any(|verdict| verdict.outcome == Outcome::Failed)
            }
            OuterKind::Failed | OuterKind::Summary => !ledger.any_bad(),
            OuterKind::AllFailed => ledger.verdicts().any(|verdict| verdict.outcome.is_good()),
        };
        if mismatch {
            self.note(
                "batch_item_mismatch",
                "the vendor's outer verdict and its entries disagree; the entries count",
            );
        }
    }
}

/// Whether a silent item can only have come to this by another's failure.
fn needs_stop(claim: Outcome, category: Option<Category>) -> bool {
    claim == Outcome::NotAttempted || (claim == Outcome::Failed && category == Some(Category::Aborted))
}
