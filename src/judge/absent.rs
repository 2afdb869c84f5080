//! What silence means: asked items that a reply with entries does not name.

use super::Judge;
use super::ledger::Ledger;
use super::outer::{Outer, OuterKind};
use crate::envelope::{Category, Evidence, Fault, Origin, Outcome, Verdict};

impl<'a> Judge<'a, '_> {
    /// Gives every silent item its verdict.
    pub(super) fn settle_absent(&mut self, ledger: &mut Ledger<'a>) {
        if ledger.silent() == 0 {
            return;
        }
        let (outcome, evidence, category) = self.absent_verdict(ledger);
        self.trace.absent(outcome, evidence, "what the profile says of items that the reply leaves out");
        ledger.fill(|_| {
            let mut verdict = Verdict::new(outcome, evidence);
            verdict.fault = category.map(|category| Fault::of(category, Origin::Vendor));
            verdict
        });
    }

    fn absent_verdict(&mut self, ledger: &Ledger<'a>) -> (Outcome, Evidence, Option<Category>) {
        const UNKNOWN: (Outcome, Evidence, Option<Category>) = (Outcome::Unknown, Evidence::None, None);
        let action = self.request.action();
        let failed =
            || ledger.verdicts().any(|v| matches!(v.outcome, Outcome::Failed | Outcome::NotAttempted));
        if action.atomic && failed() {
            return (Outcome::NotAttempted, Evidence::Inferred, Some(Category::Aborted));
        }
        let rules = &self.request.profile.reply;
        let conditional = rules.absent_when.iter().find(|(when, ..)| self.scope.holds(when));
        let (word, category) = match conditional {
            Some((_, word, category)) => (*word, category.or(rules.absent_category)),
            None => (rules.absent, rules.absent_category),
        };
        let Some(outcome) = word.outcome(action.asynchronous) else { return UNKNOWN };
        if outcome == Outcome::Unknown || self.strict {
            return UNKNOWN;
        }
        if outcome.is_good() && ledger.strangers_only() {
            self.note(
                "batch_item_mismatch",
                "the reply names only resources that were not asked for; who they are is not known",
            );
            return UNKNOWN;
        }
        if outcome.is_good() && !self.counts_leave_room(ledger) {
            self.note(
                "batch_item_mismatch",
                "the vendor's counts leave no room for the items it does not name",
            );
            return UNKNOWN;
        }
        (outcome, Evidence::Inferred, category.filter(|_| !outcome.is_good()))
    }

    /// Whether the totals the vendor states agree with the inferred successes.
    pub(super) fn counts_leave_room(&self, ledger: &Ledger<'a>) -> bool {
        let rules = &self.request.profile.reply;
        let stated_good = self.scope.sum(&rules.counted_good);
        let stated_failed = self.scope.sum(&rules.counted_failed);
        if stated_good.is_none() && stated_failed.is_none() {
            return true;
        }
        let good = ledger.verdicts().filter(|v| v.outcome.is_good()).count();
        let bad = ledger.verdicts().count() - good;
        stated_good.is_none_or(|n| n >= (good + ledger.silent()) as u64)
            && stated_failed.is_none_or(|n| n <= bad as u64)
    }

    /// Sub-jobs that are counted but not listed: without id, accepted while the job runs, unknown after.
    pub(super) fn announce(&mut self, ledger: &mut Ledger<'a>) {
        let Some(announced) = &self.request.profile.reply.announced else { return };
        let Some(count) = self.scope.number(&announced.count) else { return };
        let listed = self.request.asked.len().max(ledger.verdicts().count()) as u64;
        let running =
            self.scope.text(&announced.running_by).is_some_and(|t| announced.running.contain(&t.decode()));
        let (outcome, evidence) =
            if running { (Outcome::Accepted, Evidence::Batch) } else { (Outcome::Unknown, Evidence::None) };
        // A vendor's typing error must not become a million verdicts.
        for _ in listed..count.min(listed + 10_000) {
            ledger.push_nameless(Verdict::new(outcome, evidence));
        }
    }

    /// Entries decide, outer codes summarise; where they disagree, that is worth knowing.
    pub(super) fn compare(&mut self, ledger: &Ledger<'a>, outer: &Outer) {
        let mismatch = match outer.kind {
            OuterKind::Fine => outer.says_success && ledger.any_bad(),
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
