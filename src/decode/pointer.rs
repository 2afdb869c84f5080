//! The way from a node to the nodes below it: RFC 6901 pointers plus `*` for every element or member value
//! and `[name=text]` for the elements whose member has that text.
//!
//! A step into an object visits *every* member of that name, since XML repeats elements where JSON has a list.

use super::{Kind, Scalar, Value};

/// A parsed pointer. The empty pointer is the node itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pointer {
    steps: Box<[Step]>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Name(Box<str>),
    /// A name in any case, with or without `_`: as servers take it that read one name in several conventions.
    Loose(Box<str>),
    /// A number: a list's element, or a member with that name.
    Index(u32, Box<str>),
    Every,
    /// `[name=text]`: elements whose member has that text.
    Where(Box<str>, Box<str>),
}

/// Why a pointer could not be parsed.
#[derive(Debug, thiserror::Error)]
#[error("a pointer is empty or starts with `/`: {0:?}")]
pub struct PointerError(String);

impl Pointer {
    /// Parses `/a/*/b`; `~0` and `~1` stand for `~` and `/`.
    ///
    /// # Errors
    /// When the text is neither empty nor starts with `/`.
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let rest = text.strip_prefix('/').ok_or_else(|| PointerError(text.to_owned()))?;
        let steps = rest.split('/').map(|step| match step {
            "*" => Step::Every,
            _ if step.starts_with('[') && step.ends_with(']') && step.contains('=') => {
                let (name, text) = step[1..step.len() - 1].split_once('=').unwrap_or_default();
                Step::Where(name.into(), text.into())
            }
            _ => {
                let name: Box<str> = step.replace("~1", "/").replace("~0", "~").into();
                match name.parse() {
                    Ok(index) => Step::Index(index, name),
                    Err(_) => Step::Name(name),
                }
            }
        });
        Ok(Self { steps: steps.collect() })
    }

    /// The same, whatever the case of names, and with or without `_` in them.
    pub(crate) fn loose(self) -> Self {
        let loose = |step| match step {
            Step::Name(name) => Step::Loose(name),
            other => other,
        };
        Self { steps: self.steps.into_iter().map(loose).collect() }
    }

    /// Whether it is the node itself.
    pub fn is_self(&self) -> bool {
        self.steps.is_empty()
    }

    /// The member it names, when it is that one step and nothing else.
    pub fn name(&self) -> Option<&str> {
        match &*self.steps {
            [Step::Name(name) | Step::Loose(name) | Step::Index(_, name)] => Some(name),
            _ => None,
        }
    }

    /// The member that its first step names.
    pub(crate) fn first_name(&self) -> Option<&str> {
        match self.steps.first()? {
            Step::Name(name) | Step::Loose(name) | Step::Index(_, name) => Some(name),
            Step::Every | Step::Where(..) => None,
        }
    }

    /// The name of its last step that has one.
    pub(crate) fn last_name(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Name(name) | Step::Loose(name) => Some(&**name),
            _ => None,
        })
    }

    /// Splits at the last `*`: the list, and the way from its elements on.
    pub fn split_every(&self) -> Option<(Pointer, Pointer)> {
        let at = self.steps.iter().rposition(|step| *step == Step::Every)?;
        let (list, rest) = (&self.steps[..at], &self.steps[at + 1..]);
        Some((Pointer { steps: list.into() }, Pointer { steps: rest.into() }))
    }

    /// Whether it can find more than one node in a document without repeated members.
    pub fn has_every(&self) -> bool {
        self.steps.contains(&Step::Every)
    }

    /// The way to whatever holds what it leads to, where its last step is `*`.
    pub(crate) fn before_every(&self) -> Option<Pointer> {
        let (last, before) = self.steps.split_last()?;
        (*last == Step::Every).then(|| Pointer { steps: before.into() })
    }

    /// The way to whatever holds what it leads to.
    pub(crate) fn parent(&self) -> Option<Pointer> {
        self.steps.split_last().map(|(_, before)| Pointer { steps: before.into() })
    }

    /// Whether it can lead anywhere from an object with such first letters (see [`first_letters`]).
    #[inline]
    pub(crate) fn may_begin(&self, letters: u64) -> bool {
        match self.steps.first() {
            Some(Step::Name(name)) => {
                name.as_bytes().first().is_none_or(|letter| letters & bit(*letter) != 0)
            }
            _ => true,
        }
    }

    /// Whether it leads through what another leads to.
    pub(crate) fn goes_beyond(&self, other: &Pointer) -> bool {
        self.steps.len() > other.steps.len() && self.steps.starts_with(&other.steps)
    }

    /// How many steps it has.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether its step number `at` goes into a member of that name.
    pub(crate) fn step_fits(&self, at: usize, key: Scalar<'_>) -> bool {
        match self.steps.get(at) {
            Some(Step::Name(name) | Step::Index(_, name)) => key.is(name),
            Some(Step::Loose(name)) => key.is_loosely(name),
            Some(Step::Every) => true,
            // It picks among elements, and stays where it is in an object.
            Some(Step::Where(..)) | None => false,
        }
    }

    /// Whether something that is no list stands where one of its `*` leads into a list.
    pub(crate) fn is_cut_short(&self, from: Value<'_>) -> bool {
        let every = self.steps.iter().enumerate().filter(|(_, step)| **step == Step::Every);
        every.map(|(at, _)| at).any(|at| {
            walk(&self.steps[..at], from, &mut |value| {
                value.scalar().is_some_and(|text| !text.raw.is_empty())
            })
        })
    }

    /// Whether its steps from number `at` on lead anywhere from a node.
    pub(crate) fn leads(&self, at: usize, from: Value<'_>) -> bool {
        self.steps.get(at..).is_some_and(|steps| walk(steps, from, &mut |_| true))
    }

    /// Whether its step number `at` goes into every element of a list, or into some of them.
    pub(crate) fn is_every(&self, at: usize) -> bool {
        matches!(self.steps.get(at), Some(Step::Every | Step::Index(..) | Step::Where(..)))
    }

    /// Whether it leads to the same places in all documents that are built the same.
    pub fn goes_by_structure(&self) -> bool {
        !self.steps.iter().any(|step| matches!(step, Step::Where(..)))
    }

    /// Calls `found` for each node the pointer leads to, in order, until it returns true.
    pub fn visit<'d>(&self, from: Value<'d>, found: &mut impl FnMut(Value<'d>) -> bool) -> bool {
        walk(&self.steps, from, found)
    }

    /// The first node the pointer leads to.
    pub fn first<'d>(&self, from: Value<'d>) -> Option<Value<'d>> {
        let mut hit = None;
        self.visit(from, &mut |value| {
            hit = Some(value);
            true
        });
        hit
    }

    /// The first scalar it leads to that is not empty.
    pub fn first_text<'d>(&self, from: Value<'d>) -> Option<Value<'d>> {
        let mut found = None;
        self.visit(from, &mut |value| {
            found = Some(value).filter(|value| value.scalar().is_some_and(|scalar| !scalar.raw.is_empty()));
            found.is_some()
        });
        found
    }
}

/// The first letters of an object's keys, as a set: most ways lead nowhere, and this tells without a search. All letters for
/// what is no object.
pub(crate) fn first_letters(value: Value<'_>) -> u64 {
    if value.kind() != Kind::Object {
        return u64::MAX;
    }
    let letter = |key: Scalar<'_>| {
        if key.escaped { u64::MAX } else { key.raw.as_bytes().first().map_or(0, |b| bit(*b)) }
    };
    value.members().fold(0, |letters, (key, _)| letters | letter(key))
}

fn bit(letter: u8) -> u64 {
    1 << (letter & 63)
}

fn walk<'d>(steps: &[Step], from: Value<'d>, found: &mut impl FnMut(Value<'d>) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return found(from) };
    match (step, from.kind()) {
        (Step::Name(name) | Step::Index(_, name), Kind::Object) => {
            from.members().filter(|(key, _)| key.is(name)).any(|(_, value)| walk(rest, value, found))
        }
        (Step::Loose(name), Kind::Object) => {
            from.members().filter(|(key, _)| key.is_loosely(name)).any(|(_, value)| walk(rest, value, found))
        }
        (Step::Index(index, _), Kind::Array) => {
            from.elements().nth(*index as usize).is_some_and(|value| walk(rest, value, found))
        }
        (Step::Where(name, text), Kind::Array) => from
            .elements()
            .filter(|element| element.get(name).and_then(Value::scalar).is_some_and(|found| found.is(text)))
            .any(|value| walk(rest, value, found)),
        (Step::Where(name, text), Kind::Object) => {
            from.get(name).and_then(Value::scalar).is_some_and(|found| found.is(text))
                && walk(rest, from, found)
        }
        (Step::Every, Kind::Array) => from.elements().any(|value| walk(rest, value, found)),
        (Step::Every, Kind::Object) => from.members().any(|(_, value)| walk(rest, value, found)),
        _ => false,
    }
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for step in &self.steps {
            match step {
                Step::Name(name) | Step::Loose(name) | Step::Index(_, name) => write!(f, "/{name}")?,
                Step::Every => f.write_str("/*")?,
                Step::Where(name, text) => write!(f, "/[{name}={text}]")?,
            }
        }
        Ok(())
    }
}
