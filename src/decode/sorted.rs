//! Parameters sorted into groups, and written as JSON text: in any order, escaped or not. Bounded before anything is made of them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::BuildHasher;

use hashbrown::HashTable;
use percent_encoding::percent_decode_str;

use super::tape::{LONGEST_TEXT, Room};
use super::{Bounds, DecodeError};
use crate::json_text::string;

/// What is not said by the tree about how its parameters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Readers differ: a number of a list stands twice, is left out (who counts from the first on stops there), has a sign or
    /// noughts before it, or stands beside names; or a structure has a member twice.
    pub(super) oddly: bool,
    /// A list begins with 0.
    pub(super) from_nought: bool,
}

/// What AWS's query protocol writes before the numbers of a list.
pub(super) const MEMBER: &str = ".member.";

/// A name's steps; AWS's `member` before a number says nothing.
pub(super) fn steps(name: &str) -> impl Iterator<Item = &str> {
    name.split('.').filter(|step| *step != "member")
}

/// The same, and which of them stand behind a `member`.
fn steps_by_member(name: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut behind = false;
    name.split('.').filter_map(move |step| {
        let is_member = step == "member";
        let was = std::mem::replace(&mut behind, is_member);
        (!is_member).then_some((step, was))
    })
}

/// A number as everybody writes it: without a sign, without noughts before it.
pub(super) fn plain_number(text: &str) -> Option<u64> {
    let plain = text == "0" || text.as_bytes().first().is_some_and(|first| matches!(first, b'1'..=b'9'));
    if plain { text.parse().ok() } else { None }
}

/// Most steps of a name; a deeper one is a caller's mischief, not a vendor's parameter.
pub(super) const DEEPEST: usize = 16;

/// What a member takes while parameters are sorted, in nodes of twelve bytes: its own, its group's, and two of the tape.
const PER_MEMBER: usize = 6;
/// Members that are always sorted.
const FEW: usize = 512;

/// The text's pairs as JSON, and how they were written. What is no pair is a name without a value.
///
/// # Errors
/// [`DecodeError::TooMany`] and [`DecodeError::TooLong`], before anything is made of the pairs.
pub(super) fn to_json(text: &str, bounds: Bounds) -> Result<(String, Written), DecodeError> {
    if text.len() > LONGEST_TEXT {
        return Err(DecodeError::TooLong);
    }
    let pairs = || text.split('&').filter(|pair| !pair.is_empty());
    // A group begins behind a dot, which may be escaped.
    let dots = memchr::memchr_iter(b'.', text.as_bytes()).count() + text.matches("%2").count();
    let members = pairs().count().saturating_add(dots);
    // Few take little, whatever the bounds; the tape is bounded when it is read.
    let bounds = Bounds { nodes: bounds.nodes.max(FEW * PER_MEMBER), ..bounds };
    Room::of(bounds).take(members.saturating_mul(PER_MEMBER))?;
    let mut tree = Tree::of(text.len(), members);
    for pair in pairs() {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (tree.store(name), tree.store(value));
        tree.insert(name, value);
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / 4 + 16);
    let mut written = Written::default();
    tree.write(&mut out, 0, &mut written);
    Ok((String::from_utf8(out).unwrap_or_default(), written))
}

/// From, to.
type Span = (u32, u32);

/// Parameters while they are sorted. Members stand in one list, each group's in a chain: a few bytes for each, however they
/// are nested.
struct Tree {
    /// Names and values, decoded.
    text: String,
    members: Vec<Member>,
    /// The root is the first.
    groups: Vec<Group>,
    /// Members that are groups, by the group they stand in and their name.
    known: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Clone, Copy)]
struct Member {
    name: Span,
    /// A text; a group where it begins at [`NONE`].
    value: Span,
    /// The group it stands in, and that group's next member.
    of: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Group {
    first: u32,
    last: u32,
    /// Whether names lead here with a `member` before the number, and without: whoever writes a list writes it in one way.
    by_member: bool,
    plainly: bool,
}

const EMPTY: Group = Group { first: NONE, last: NONE, by_member: false, plainly: false };

impl Tree {
    fn of(len: usize, members: usize) -> Self {
        Self {
            text: String::with_capacity(len),
            members: Vec::with_capacity(members),
            groups: vec![EMPTY],
            known: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// Keeps a name or value, decoded.
    fn store(&mut self, coded: &str) -> Span {
        let from = self.text.len() as u32;
        self.text.push_str(&plain(coded));
        (from, self.text.len() as u32)
    }

    fn at(&self, (from, to): Span) -> &str {
        self.text.get(from as usize..to as usize).unwrap_or("")
    }

    fn insert(&mut self, name: Span, value: Span) {
        let mut spans = [((0, 0), false); DEEPEST];
        let mut count = 0;
        let text = self.at(name);
        for (step, by_member) in steps_by_member(text) {
            if step.is_empty() || count == DEEPEST {
                count = DEEPEST + 1;
                break;
            }
            let from = name.0 + (step.as_ptr() as usize - text.as_ptr() as usize) as u32;
            spans[count] = ((from, from + step.len() as u32), by_member);
            count += 1;
        }
        // Too deep, or a step is missing: a name as it stands.
        let Some(spans) = spans.get(..count) else { return self.push(0, name, value) };
        let Some(((mut step, _), inner)) = spans.split_first().map(|(first, inner)| (*first, inner)) else {
            return;
        };
        let mut group = 0;
        for (next, by_member) in inner {
            group = self.inner(group, step);
            let own = &mut self.groups[group as usize];
            own.by_member |= by_member;
            own.plainly |= !by_member;
            step = *next;
        }
        self.push(group, step, value);
    }

    /// The group of this name in a group.
    fn inner(&mut self, of: u32, name: Span) -> u32 {
        let is_it = |tree: &Self, member: &Member| {
            member.value.0 == NONE && member.of == of && tree.at(member.name) == tree.at(name)
        };
        // Mostly the one before: parameters of one list stand together.
        let last = self.members.get(self.groups[of as usize].last as usize);
        if let Some(last) = last.filter(|last| is_it(self, last)) {
            return last.value.1;
        }
        let hash = self.hasher.hash_one((of, self.at(name)));
        if let Some(known) = self.known.find(hash, |at| is_it(self, &self.members[*at as usize])) {
            return self.members[*known as usize].value.1;
        }
        let group = self.groups.len() as u32;
        self.groups.push(EMPTY);
        self.push(of, name, (NONE, group));
        let Self { text, members, known, hasher, .. } = self;
        let rehash = |at: &u32| {
            let Member { of, name: (from, to), .. } = members[*at as usize];
            hasher.hash_one((of, text.get(from as usize..to as usize).unwrap_or("")))
        };
        known.insert_unique(hash, members.len() as u32 - 1, rehash);
        group
    }

    fn push(&mut self, of: u32, name: Span, value: Span) {
        let at = self.members.len() as u32;
        self.members.push(Member { name, value, of, next: NONE });
        let Group { first, last, .. } = &mut self.groups[of as usize];
        match self.members.get_mut(*last as usize) {
            Some(before) => before.next = at,
            None => *first = at,
        }
        *last = at;
    }

    /// A group's members, in order of appearance.
    fn members(&self, group: u32) -> impl Iterator<Item = &Member> {
        let first = self.members.get(self.groups[group as usize].first as usize);
        std::iter::successors(first, |member| self.members.get(member.next as usize))
    }

    fn write(&self, out: &mut Vec<u8>, group: u32, written: &mut Written) {
        if let Some(elements) = self.numbered(group) {
            let Group { by_member, plainly, .. } = self.groups[group as usize];
            written.oddly |= !self.counts(group, &elements) || (by_member && plainly);
            written.from_nought |= elements[0].0 == 0;
            out.push(b'[');
            for (n, (_, element)) in elements.into_iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                self.write_value(out, element, written);
            }
            return out.push(b']');
        }
        written.oddly |= group != 0 && self.is_odd(group);
        out.push(b'{');
        for (n, member) in self.members(group).enumerate() {
            if n > 0 {
                out.push(b',');
            }
            string(out, self.at(member.name));
            out.push(b':');
            self.write_value(out, member.value, written);
        }
        out.push(b'}');
    }

    fn write_value(&self, out: &mut Vec<u8>, value: Span, written: &mut Written) {
        if value.0 == NONE {
            return self.write(out, value.1, written);
        }
        let text = self.at(value);
        let looks_json = text.starts_with(['[', '{']);
        if looks_json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            out.extend_from_slice(text.as_bytes());
        } else {
            string(out, text);
        }
    }

    /// Whether a list's numbers, sorted, are 0, 1, 2 … or 1, 2, 3 …, and plainly written.
    fn counts(&self, group: u32, elements: &[(u64, Span)]) -> bool {
        elements.first().is_some_and(|(first, _)| *first <= 1)
            && elements.windows(2).all(|pair| pair[1].0 - pair[0].0 == 1)
            && self.members(group).all(|member| plain_number(self.at(member.name)).is_some())
    }

    /// Whether a structure has a member twice, or one that is a number.
    fn is_odd(&self, group: u32) -> bool {
        let mut seen = HashSet::new();
        let mut names = self.members(group).map(|member| self.at(member.name));
        names.any(|name| name.parse::<u64>().is_ok() || !seen.insert(name))
    }

    /// The members' values in numeric order, when all their names are numbers.
    fn numbered(&self, group: u32) -> Option<Vec<(u64, Span)>> {
        let number = |member: &Member| Some((self.at(member.name).parse::<u64>().ok()?, member.value));
        let mut elements = self.members(group).map(number).collect::<Option<Vec<_>>>()?;
        elements.sort_by_key(|(number, _)| *number);
        (!elements.is_empty()).then_some(elements)
    }
}

fn plain(text: &str) -> Cow<'_, str> {
    match memchr::memchr2(b'+', b'%', text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()),
    }
}
