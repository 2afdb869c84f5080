//! What a mutation may leave good: the oracle. Knows the original envelope and the kind of the mutation, never the judge.
//!
//! The rules are those of "good needs proof" (docs/envelope.md): each [`Rule`] names the one it holds the judge to.

use super::seen::{Item, Seen};
use crate::profile::Profile;

/// The kind of a mutation: what its findings are counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Another root in the document's place.
    Root,
    /// An error member at the root or in a wrapper.
    Error,
    /// An error member in one entry.
    EntryError,
    /// An error in a header.
    Header,
    /// An entry's id gone, changed or of another type.
    Identity,
    /// A list that is none, is empty or stands twice.
    List,
    /// A count that leaves no room.
    Count,
    /// Another HTTP status.
    Status,
    /// A list in another order.
    Order,
    /// A scalar removed that may have been the mark of success.
    Mark,
    /// The body cut.
    Cut,
    /// The request in another spelling of the same.
    Spelling,
    /// The request saying more, or what two readers could read differently.
    More,
}

impl Class {
    pub const ALL: [Self; 13] = [
        Self::Root,
        Self::Error,
        Self::EntryError,
        Self::Header,
        Self::Identity,
        Self::List,
        Self::Count,
        Self::Status,
        Self::Order,
        Self::Mark,
        Self::Cut,
        Self::Spelling,
        Self::More,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Error => "error",
            Self::EntryError => "entry error",
            Self::Header => "header",
            Self::Identity => "identity",
            Self::List => "list",
            Self::Count => "count",
            Self::Status => "status",
            Self::Order => "order",
            Self::Mark => "mark",
            Self::Cut => "cut",
            Self::Spelling => "spelling",
            Self::More => "more",
        }
    }

    /// The words of the profile language that mend most findings of this kind.
    pub fn mend(self) -> &'static str {
        match self {
            Self::Root => {
                "`when = { present = … }` in the `whole` rule, or a case that shows this body to be documented"
            }
            Self::Error => "`[[reply.outer]]` that reads the member, or `harmless` if it is no failure",
            Self::EntryError => {
                "`failed`/`otherwise` in the entries' `outcome`, or `harmless` if it is no failure"
            }
            Self::Header => "`[[reply.outer]] code = \"@header/…\"`",
            Self::Identity => "`id` of the entries, or `volunteers` if the reply speaks of others, too",
            Self::List => "`each` and `as` of the entries, `absent`",
            Self::Count => "`[reply.counts]`",
            Self::Status => "`when = { status = … }` in the `whole` rule",
            Self::Order => "`id` of the entries",
            Self::Mark => {
                "`missing = \"unknown\"` in the entries' `outcome`, or a case that shows such a success"
            }
            Self::Cut => "`wire`",
            Self::Spelling => {
                "`path`, `wire` and `action` of the action, `hosts` and `any_case` of the vendor"
            }
            Self::More => "`wire`, and every place of `ids`",
        }
    }
}

/// What an author declared that the adversary must honour.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    /// Names of members that are no failure, whatever their names say.
    harmless: Vec<String>,
    /// The reply also speaks of resources that nobody asked for.
    pub(super) volunteers: bool,
    /// An entry that states no index is about the first item, by the vendor's page.
    pub(super) first_by_default: bool,
}

impl Declared {
    pub(super) fn of(profile: &Profile) -> Self {
        Self {
            harmless: profile.harmless().to_vec(),
            volunteers: profile.volunteers(),
            first_by_default: profile.first_by_default(),
        }
    }

    pub(super) fn is_harmless(&self, name: &str) -> bool {
        self.harmless.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// What may be good after a mutation. But for [`Rule::Gone`] none of them allows a verdict to become better than it was.
#[derive(Clone, Debug)]
pub(super) enum Rule {
    /// Nothing at all (3a.4: another root is no documented body).
    Nothing,
    /// Only what an entry reports; not the batch (3a.2: an error member vetoes; 3a.5: a failure counted).
    Reported,
    /// Only what an entry reports; the batch follows from its items (3a.3: the status gates; 3a.5: counts leave no room).
    Derived,
    /// Not both this item and the batch (3a.9: an entry's own failure is read or netted).
    ItemOrBatch(usize),
    /// Not this item as `reported`; if its entry was failing, nothing that is not `reported` (3a.1, 3a.6).
    Renamed { item: usize, failing: bool },
    /// Not these items as `reported` (3a.6: what is no list has no entries). With `silent`, the place is a failure's by its
    /// name, and silence proves nothing either. `elsewhere` are spoken of beside it, too.
    Unlisted { items: Vec<usize>, silent: bool, elsewhere: Vec<usize> },
    /// These items' entries are gone, and with them perhaps the failure that kept others from being good.
    Emptied { items: Vec<usize> },
    /// These items' entries are gone; the others are not better than before (3a.1).
    Gone { items: Vec<usize> },
    /// Every item is what it was (a list's order says nothing where entries have ids).
    Same,
    /// No more good items than there were (positions have moved, so items may have traded places).
    NoMore,
    /// This item is not good (3a.4: an id alone says that the item was heard of).
    NotItem(usize),
    /// Nothing better than before.
    NoRise,
    /// No item that was good is better than before, but for what states its own success: a mark was removed, not a word that
    /// spoke against it.
    NoMarkedRise,
}

impl Rule {
    /// The first verdict that this rule does not allow, for people.
    pub(super) fn offence(&self, before: &Seen, after: &Seen) -> Option<String> {
        let batch = || after.is_good().then(|| format!("the batch {}", after.outcome));
        let good = |test: &dyn Fn(&Item) -> bool| {
            after.items.iter().find(|item| item.is_good() && test(item)).map(Item::line)
        };
        let unreported = || good(&|item| !item.is_reported());
        let kept = |item: &usize| after.find(before.items.get(*item)?).filter(|item| item.is_good());
        let kept_reported = |item: &usize| kept(item).filter(|item| item.is_reported()).map(Item::line);
        match self {
            Self::Nothing => good(&|_| true).or_else(batch),
            Self::Reported => unreported().or_else(batch).or_else(|| risen(before, after, &[])),
            Self::Derived => unreported()
                .or_else(|| if after.items.is_empty() { batch() } else { None })
                .or_else(|| risen(before, after, &[])),
            Self::ItemOrBatch(item) => {
                kept(item).map(Item::line).filter(|_| after.is_good()).or_else(|| risen(before, after, &[]))
            }
            Self::Renamed { item, failing: false } => kept_reported(item),
            Self::Renamed { item, failing: true } => {
                kept(item).map(Item::line).or_else(unreported).or_else(|| risen(before, after, &[]))
            }
            Self::Unlisted { items, silent, elsewhere } => items
                .iter()
                .find_map(kept_reported)
                .or_else(|| if *silent { unreported() } else { None })
                .or_else(|| risen(before, after, elsewhere)),
            Self::Emptied { items } => items.iter().find_map(kept_reported),
            Self::Gone { items } => {
                items.iter().find_map(kept_reported).or_else(|| risen(before, after, items))
            }
            Self::Same => before.items.iter().find_map(|item| {
                let now = after.find(item)?;
                (now.outcome != item.outcome)
                    .then(|| format!("{}, was {}", now.line(), item.outcome.as_str()))
            }),
            Self::NoMore => {
                let count = |seen: &Seen| seen.items.iter().filter(|item| item.is_good()).count();
                (count(after) > count(before))
                    .then(|| format!("{} good instead of {}", count(after), count(before)))
            }
            Self::NotItem(item) => kept(item).map(Item::line).or_else(|| risen(before, after, &[])),
            Self::NoRise => risen(before, after, &[]),
            Self::NoMarkedRise => {
                let bad = before.items.iter().enumerate().filter(|(_, item)| !item.is_good());
                let bad: Vec<usize> = bad.map(|(at, _)| at).collect();
                risen_item(before, after, &bad)
                    .filter(|_| before.items.iter().any(|item| item.is_good() && !item.is_reported()))
            }
        }
    }
}

/// The first item that became good, or better than good, though nothing better was said; `except` these.
///
/// From one caution to another is no rise: an entry that lost its failing status is honestly `unknown`.
fn risen(before: &Seen, after: &Seen, except: &[usize]) -> Option<String> {
    risen_item(before, after, except).or_else(|| {
        (except.is_empty() && after.is_good() && !before.is_good())
            .then(|| format!("the batch {}, was {}", after.outcome, before.outcome))
    })
}

fn risen_item(before: &Seen, after: &Seen, except: &[usize]) -> Option<String> {
    let items = before.items.iter().enumerate().filter(|(at, _)| !except.contains(at));
    for (_, item) in items {
        let Some(now) = after.find(item).filter(|now| now.is_good()) else { continue };
        if now.outcome.badness() < item.outcome.badness() {
            return Some(format!("{}, was {}", now.line(), item.outcome.as_str()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Outcome;

    /// `id outcome/evidence`, as the findings say it; the batch is what is before the colon.
    fn seen(text: &str) -> Seen {
        let (outcome, items) = text.split_once(':').expect("batch: items");
        let items = items.split_whitespace().enumerate().map(|(at, word)| {
            let (outcome, evidence) = word.split_once('/').expect("outcome/evidence");
            Item {
                index: Some(at as u64),
                is_asked: true,
                id: Some(format!("i{at}")),
                key: None,
                outcome: Outcome::parse(outcome).expect("an outcome"),
                evidence: evidence.to_owned(),
            }
        });
        Seen { outcome: outcome.to_owned(), items: items.collect() }
    }

    fn check(rule: &Rule, before: &str, after: &str, offence: Option<&str>) {
        assert_eq!(
            rule.offence(&seen(before), &seen(after)).as_deref(),
            offence,
            "{rule:?}: {before} → {after}"
        );
    }

    #[test]
    fn each_rule_allows_what_is_proved_and_no_more() {
        let (all, mixed) = (
            "succeeded: succeeded/reported succeeded/inferred",
            "partial: failed/reported succeeded/inferred",
        );
        check(&Rule::Nothing, all, "unknown: unknown/none unknown/none", None);
        check(&Rule::Nothing, all, "partial: succeeded/reported unknown/none", Some("i0 succeeded/reported"));
        check(&Rule::Reported, all, "partial: succeeded/reported unknown/none", None);
        check(&Rule::Reported, all, all, Some("i1 succeeded/inferred"));
        check(
            &Rule::Reported,
            all,
            "succeeded: succeeded/reported unknown/none",
            Some("the batch succeeded"),
        );
        check(&Rule::ItemOrBatch(0), all, "partial: succeeded/reported succeeded/inferred", None);
        check(&Rule::ItemOrBatch(0), all, all, Some("i0 succeeded/reported"));
        let failing = Rule::Renamed { item: 0, failing: true };
        check(&failing, mixed, "partial: unknown/none succeeded/inferred", Some("i1 succeeded/inferred"));
        check(&failing, mixed, "unknown: unknown/none unknown/none", None);
        check(&Rule::Gone { items: vec![0] }, mixed, all.replace("reported", "inferred").as_str(), None);
        check(
            &Rule::Same,
            mixed,
            "partial: unknown/none succeeded/inferred",
            Some("i0 unknown/none, was failed"),
        );
        check(&Rule::NoRise, mixed, all, Some("i0 succeeded/reported, was failed"));
        check(&Rule::NoRise, mixed, "unknown: unknown/none unknown/none", None);
    }
}
