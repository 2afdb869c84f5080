//! Conditions of `when` and `where`. All of a table's conditions must hold.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

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
    fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix("xx") {
            Some(digit) => digit.parse().ok().filter(|d| (1..=5).contains(d)).map(Self::Hundreds),
            None => text.parse().ok().and_then(Self::exactly).filter(|_| text.len() == 3),
        }
    }

    fn exactly(status: u16) -> Option<Self> {
        (100..600).contains(&status).then_some(Self::Exactly(status))
    }
}

impl<'de> Deserialize<'de> for StatusClass {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = StatusClass;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status from 100 to 599, or a class: \"1xx\" to \"5xx\"")
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<StatusClass, E> {
                StatusClass::parse(v).ok_or_else(|| E::invalid_value(Unexpected::Str(v), &self))
            }
            fn visit_i64<E: Error>(self, v: i64) -> Result<StatusClass, E> {
                let status = u16::try_from(v).ok().and_then(StatusClass::exactly);
                status.ok_or_else(|| E::invalid_value(Unexpected::Signed(v), &self))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// What counts as an empty body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    Bytes,
    Document,
    /// A list without elements.
    List,
    Either,
    Neither,
}

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Empty;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, \"bytes\", \"document\" or \"list\"")
            }
            fn visit_bool<E>(self, v: bool) -> Result<Empty, E> {
                Ok(if v { Empty::Either } else { Empty::Neither })
            }
            fn visit_str<E: Error>(self, v: &str) -> Result<Empty, E> {
                match v {
                    "bytes" => Ok(Empty::Bytes),
                    "document" => Ok(Empty::Document),
                    "list" => Ok(Empty::List),
                    _ => Err(E::invalid_value(Unexpected::Str(v), &self)),
                }
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Empty {
    /// Whether it wants an empty body, not one that says something.
    pub(crate) fn is_some_body(self) -> bool {
        !matches!(self, Self::Neither)
    }
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
