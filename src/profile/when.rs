//! Conditions of `when` and `where`. All of a table's conditions must hold.

use super::glob::Pattern;
use super::place::Place;

/// A compiled `when` or `where`.
#[derive(Clone, Debug, Default)]
pub(crate) struct When {
    pub(crate) status: Vec<StatusClass>,
    pub(crate) present: Vec<Place>,
    pub(crate) missing: Vec<Place>,
    pub(crate) stated: Vec<Place>,
    pub(crate) empty: Option<Empty>,
    pub(crate) equals: Vec<(Place, Vec<Pattern>)>,
    pub(crate) count: Option<Place>,
}

/// A status, or a class of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusClass {
    Exactly(u16),
    Hundreds(u16),
}

impl StatusClass {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix("xx") {
            Some(digit) => digit.parse().ok().filter(|d| (1..=5).contains(d)).map(Self::Hundreds),
            None => text.parse().ok().filter(|s| (100..600).contains(s)).map(Self::Exactly),
        }
    }
}

/// What counts as an empty body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    Bytes,
    Document,
    Either,
    Neither,
}

impl When {
    /// Whether it has no condition.
    pub(crate) fn is_trivial(&self) -> bool {
        self.status.is_empty()
            && self.present.is_empty()
            && self.missing.is_empty()
            && self.stated.is_empty()
            && self.empty.is_none()
            && self.equals.is_empty()
            && self.count.is_none()
    }

    /// The places whose text matters.
    pub(crate) fn by_words(&self) -> impl Iterator<Item = &Place> {
        self.equals.iter().map(|(place, _)| place).chain(&self.count)
    }

    /// The places of which it matters only whether something is there.
    pub(crate) fn by_structure(&self) -> impl Iterator<Item = &Place> {
        self.present.iter().chain(&self.missing).chain(&self.stated)
    }

    pub(crate) fn names_status(&self) -> bool {
        !self.status.is_empty()
    }

    /// Whether an empty body is what this is about.
    pub(crate) fn wants_empty(&self) -> bool {
        matches!(self.empty, Some(Empty::Bytes | Empty::Either))
    }
}
