//! Conditions of `when` and `where`. All of a table's conditions must hold.

use super::apply::Scope;
use super::place::Place;
use super::reply::Pattern;
use crate::decode::{Kind, Value};

/// A compiled `when` or `where`.
#[derive(Clone, Debug, Default)]
pub(crate) struct When {
    pub(super) status: Vec<StatusClass>,
    pub(super) present: Vec<Place>,
    pub(super) missing: Vec<Place>,
    pub(super) stated: Vec<Place>,
    pub(super) empty: Option<Empty>,
    pub(super) equals: Vec<(Place, Vec<Pattern>)>,
    pub(super) count: Option<Place>,
}

/// A status, or a class of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusClass {
    Exactly(u16),
    Hundreds(u16),
}

impl StatusClass {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix("xx") {
            Some(digit) => digit.parse().ok().filter(|d| (1..=5).contains(d)).map(Self::Hundreds),
            None => text.parse().ok().filter(|s| (100..600).contains(s)).map(Self::Exactly),
        }
    }

    fn holds(self, status: u16) -> bool {
        match self {
            Self::Exactly(exact) => status == exact,
            Self::Hundreds(class) => status / 100 == class,
        }
    }
}

/// What counts as an empty body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Empty {
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

    pub(crate) fn holds(&self, scope: &Scope<'_>) -> bool {
        let status = scope.reply.status;
        (self.status.is_empty() || self.status.iter().any(|class| class.holds(status)))
            && self.empty.is_none_or(|empty| empty_holds(empty, scope))
            && self.present.iter().all(|place| scope.exists(place, false))
            && self.stated.iter().all(|place| scope.exists(place, true))
            && !self.missing.iter().any(|place| scope.exists(place, false))
            && self.equals.iter().all(|(place, texts)| {
                let text = scope.text_at(place);
                let text = text.as_ref().map(|t| t.decode());
                texts.iter().any(|pattern| pattern.fits(text.as_deref()))
            })
            && self.count.as_ref().is_none_or(|place| {
                scope.number_at(place).is_some_and(|n| n == scope.request.asked.len() as u64)
            })
    }
}

fn empty_holds(empty: Empty, scope: &Scope<'_>) -> bool {
    let bytes = scope.root.is_none();
    let document = scope.root.is_some_and(|root| root.is_empty());
    match empty {
        Empty::Bytes => bytes,
        Empty::Document => document,
        Empty::Either => bytes || document,
        Empty::Neither => !bytes && !document,
    }
}

impl When {
    /// The conditions that concern a single element (`where` of an action): present, missing, stated, equals.
    pub(crate) fn holds_for_element(&self, element: Value<'_>) -> bool {
        let at = |place: &Place| match place {
            Place::Here(pointer) => pointer.first(element),
            _ => None,
        };
        let there = |place: &Place| at(place).is_some_and(|value| value.kind() != Kind::Null);
        self.present.iter().all(there)
            && !self.missing.iter().any(there)
            && self.stated.iter().all(|place| at(place).is_some())
            && self.equals.iter().all(|(place, texts)| {
                let text = at(place).and_then(|v| v.scalar()).map(|s| s.decode().into_owned());
                texts.iter().any(|pattern| pattern.fits(text.as_deref()))
            })
    }
}
