//! What statements prove: the one place where a claim becomes an outcome (`docs/envelope.md` section 3a).
//!
//! Reading a reply makes claims (who, what, how it is known) and doubts (what speaks against believing). This module
//! weighs the one against the other and knows nothing else: no profile, no wire, no vendor. So soundness is a property of
//! these lines: *good needs proof*, a doubt only ever lowers, and what is not proved is `unknown`.

use crate::envelope::Outcome;

/// How something is known, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// The item's own entry states it: a status, a code, a mark of its own.
    Entry,
    /// The item stands in a list of those that are done, and nothing more is said of it.
    Listed,
    /// A rule about the whole call, by something that is there.
    Whole,
    /// A task was handed out.
    Handle,
    /// Nothing is said, and the vendor's list is declared exhaustive.
    Silence,
}

/// What speaks against a claim. In the order in which they are told: the first that applies decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Doubt {
    /// The reply is about another task (3a.8).
    OtherTask,
    /// The HTTP status is none under which the rule speaks (3a.3).
    Status,
    /// An error is stated about the whole call (3a.2).
    Error,
    /// A failure that nobody can place (3a.1).
    Unplaced,
    /// The vendor's counts leave no room, or cannot be read (3a.5).
    Counts,
    /// Whom the request asks for is not known for certain (3a.7).
    AskedUnclear,
    /// A member that no rule read has the name of a failure (3a.9).
    Unread,
    /// Nothing that is there says so (3a.4).
    Unmarked,
    /// The list that would have to be exhaustive is not in the reply (3, absent items).
    NotExhaustive,
    /// Nothing failed that could have stopped the rest (3a.10).
    NothingStopped,
    /// The caller forbids inference (`Prefer: handling=strict`).
    Strict,
}

impl Doubt {
    /// Every doubt, in their order.
    pub const ALL: [Self; 11] = [
        Self::OtherTask,
        Self::Status,
        Self::Error,
        Self::Unplaced,
        Self::Counts,
        Self::AskedUnclear,
        Self::Unread,
        Self::Unmarked,
        Self::NotExhaustive,
        Self::NothingStopped,
        Self::Strict,
    ];

    /// The rule of `docs/envelope.md`, for people.
    pub fn rule(self) -> &'static str {
        match self {
            Self::OtherTask => "3a.8",
            Self::Status => "3a.3",
            Self::Error => "3a.2",
            Self::Unplaced => "3a.1",
            Self::Counts => "3a.5",
            Self::AskedUnclear => "3a.7",
            Self::Unread => "3a.9",
            Self::Unmarked => "3a.4",
            Self::NotExhaustive | Self::Strict => "3",
            Self::NothingStopped => "3a.10",
        }
    }

    /// What it means, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::OtherTask => "the reply is about another task than the one asked about",
            Self::Status => "under this HTTP status only what an entry states itself counts",
            Self::Error => "an error is stated about the whole call",
            Self::Unplaced => "a failure is stated about a resource that cannot be told",
            Self::Counts => "the vendor's counts leave no room for the items it does not name",
            Self::AskedUnclear => "whom the request asks for is not known for certain",
            Self::Unread => "a member that no rule reads has the name of a failure",
            Self::Unmarked => "nothing in the reply says so",
            Self::NotExhaustive => "the list that would name every failure is not in the reply",
            Self::NothingStopped => "no failure is stated that could have stopped the rest",
            Self::Strict => "the caller forbids inference",
        }
    }

    /// The diagnostic that tells it; none where the envelope's error or a note of its own does.
    pub fn diagnostic(self) -> Option<&'static str> {
        match self {
            Self::OtherTask | Self::Unplaced | Self::Counts => Some("batch_item_mismatch"),
            Self::AskedUnclear => Some("asked_unclear"),
            Self::Unread => Some("unread_failure"),
            _ => None,
        }
    }

    /// Whether it speaks against a claim that is known in that way.
    fn bears_on(self, claim: Outcome, basis: Basis) -> bool {
        match self {
            // Whatever it says, it says of somebody else.
            Self::OtherTask => true,
            // An entry that states its own success keeps it; standing in a list does not state it.
            Self::Status => basis != Basis::Entry,
            Self::Unmarked => claim.is_good(),
            Self::NotExhaustive | Self::Strict => basis == Basis::Silence,
            Self::NothingStopped => !claim.is_good() && basis == Basis::Silence,
            Self::Error | Self::Unplaced | Self::Counts | Self::AskedUnclear | Self::Unread => {
                matches!(basis, Basis::Whole | Basis::Handle | Basis::Silence)
            }
        }
    }
}

/// A set of doubts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts(u16);

impl Doubts {
    pub fn add(&mut self, doubt: Doubt) {
        self.0 |= 1 << doubt as u8;
    }

    /// The set with one more.
    #[must_use]
    pub fn with(mut self, doubt: Doubt) -> Self {
        self.add(doubt);
        self
    }

    /// The same if `holds`.
    #[must_use]
    pub fn with_if(self, doubt: Doubt, holds: bool) -> Self {
        if holds { self.with(doubt) } else { self }
    }

    /// The set without one.
    #[must_use]
    pub fn without(mut self, doubt: Doubt) -> Self {
        self.0 &= !(1 << doubt as u8);
        self
    }

    pub fn has(self, doubt: Doubt) -> bool {
        self.0 & (1 << doubt as u8) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of the set, in their order.
    pub fn iter(self) -> impl Iterator<Item = Doubt> {
        Doubt::ALL.into_iter().filter(move |doubt| self.has(*doubt))
    }
}

/// What a claim is worth: itself, or the doubt for which it is `unknown`.
///
/// A failure that is stated is believed: doubts bear on what is good, and on what is only inferred from silence.
///
/// # Errors
/// The first doubt that speaks against it.
pub fn weigh(claim: Outcome, basis: Basis, doubts: Doubts) -> Result<Outcome, Doubt> {
    let weighed = claim.is_good() || (basis == Basis::Silence && claim != Outcome::Unknown);
    if !weighed {
        return Ok(claim);
    }
    match doubts.iter().find(|doubt| doubt.bears_on(claim, basis)) {
        Some(doubt) => Err(doubt),
        None => Ok(claim),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTCOMES: [Outcome; 5] =
        [Outcome::Succeeded, Outcome::Accepted, Outcome::Unknown, Outcome::NotAttempted, Outcome::Failed];
    const BASES: [Basis; 5] = [Basis::Entry, Basis::Listed, Basis::Whole, Basis::Handle, Basis::Silence];

    fn every(check: impl Fn(Outcome, Basis, Doubts)) {
        for claim in OUTCOMES {
            for basis in BASES {
                for set in 0..1 << Doubt::ALL.len() {
                    check(claim, basis, Doubts(set));
                }
            }
        }
    }

    fn badness(claim: Outcome, basis: Basis, doubts: Doubts) -> u8 {
        weigh(claim, basis, doubts).unwrap_or(Outcome::Unknown).badness()
    }

    #[test]
    fn a_further_doubt_never_raises_what_is_good() {
        every(|claim, basis, doubts| {
            for doubt in Doubt::ALL {
                let (before, after) = (weigh(claim, basis, doubts), weigh(claim, basis, doubts.with(doubt)));
                let good = |worth: Result<Outcome, Doubt>| worth.is_ok_and(Outcome::is_good);
                assert!(good(before) || !good(after), "{claim:?} {basis:?} {doubts:?} + {doubt:?}");
            }
        });
    }

    #[test]
    fn a_weaker_basis_is_never_believed_where_a_stronger_is_not() {
        every(|claim, basis, doubts| {
            if claim.is_good() {
                for weaker in BASES.into_iter().skip_while(|other| *other != basis) {
                    let (strong, weak) = (badness(claim, basis, doubts), badness(claim, weaker, doubts));
                    assert!(weak >= strong, "{claim:?} {basis:?} {weaker:?} {doubts:?}");
                }
            }
        });
    }

    #[test]
    fn nothing_but_the_claim_or_unknown_comes_out() {
        every(|claim, basis, doubts| {
            assert!(weigh(claim, basis, doubts).unwrap_or(claim) == claim);
            if claim == Outcome::Failed && basis != Basis::Silence {
                assert_eq!(weigh(claim, basis, doubts), Ok(claim), "a stated failure is believed");
            }
        });
    }

    #[test]
    fn without_doubt_a_claim_stands() {
        for claim in OUTCOMES {
            for basis in BASES {
                assert_eq!(weigh(claim, basis, Doubts::default()), Ok(claim));
            }
        }
    }
}
