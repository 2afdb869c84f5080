//! The net: members that no rule weighed, looked through for what has the name of a failure (`docs/envelope.md` 3a.9).
//!
//! Generic: names and values, no vendor. It runs over what was *not* weighed, once for each structure of entries, and only
//! where a reply is about to be called good.

use super::names::{
    Suspicion, contains, is_bad_status, is_of_action, says_failed, says_no, says_something, suspicion,
};
use crate::decode::{Kind, Pointer, Scalar, Value};
use crate::profile::reply::Weighed;

/// Members at the root that only wrap.
const WRAPPERS: [&str; 12] = [
    "response", "result", "results", "data", "body", "output", "return", "meta", "metadata", "status",
    "detail", "details",
];
/// Deepest wrapper looked into beyond what the rules' ways lead through.
const DEEP: usize = 3;

/// What was found: the member, and the way to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Catch<'a> {
    pub(super) value: Value<'a>,
    /// Whether it says of whatever holds it that it failed: a list or a number may speak of others.
    pub(super) certain: bool,
}

/// What the rules weigh, and what a profile calls harmless.
#[derive(Clone, Copy, Debug)]
pub(super) struct Net<'r> {
    pub(super) weighed: &'r Weighed,
    /// Names that look like failures and are none, by the vendor's page.
    pub(super) harmless: &'r [String],
    /// Ways to what the outer verdict was read from.
    pub(super) spared: &'r [Pointer],
    /// Ways to lists whose rules do not speak in this reply.
    pub(super) silent: &'r [&'r Pointer],
    /// Whether the reply as a whole is looked at: the state of one entry is its resource's, and read by its rule.
    pub(super) whole: bool,
    /// Whether no entry said anything bad.
    pub(super) all_good: bool,
    /// Whether any entry spoke; else lists are looked into as well.
    pub(super) entries_read: bool,
    /// The action's name: what cancels says `cancelled` of what went well.
    pub(super) action: &'r str,
}

/// What a way leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    List,
    /// An object that was read as such: entries under keys, a lone entry, an error.
    Map,
    Word,
}

/// A way that may lead on from here, and how far along it this is.
type Way<'r> = (&'r Pointer, usize, Weight);

impl<'r> Net<'r> {
    /// The first member below `node` that has the name of a failure and a value that is more than nothing.
    /// `wrappers` tells whether members that only wrap are looked into although no rule's way leads there.
    pub(super) fn first<'a>(&self, node: Value<'a>, wrappers: bool) -> Option<Catch<'a>> {
        self.walk(node, None, if wrappers { DEEP } else { 0 })
    }

    /// Every way from the start.
    fn ways(&self) -> impl Iterator<Item = Way<'r>> {
        let all = |ways: &'r [Pointer], weight| ways.iter().map(move |way| (way, 0, weight));
        let weighed = self.weighed;
        let lists = all(&weighed.lists, Weight::List).chain(all(&weighed.maps, Weight::Map));
        let ways = lists.chain(all(&weighed.words, Weight::Word)).chain(all(self.spared, Weight::Map));
        let silent = self.silent;
        ways.filter(move |way| silent.is_empty() || !silent.contains(&way.0))
    }

    /// Those of the ways that lead through a member. No `ways`: all, from their start.
    fn on(&self, ways: Option<&[Way<'r>]>, key: Scalar<'_>) -> Vec<Way<'r>> {
        self.step(ways, |way| way.0.step_fits(way.1, key))
    }

    /// Those of the ways whose next step fits, one step on.
    fn step(&self, ways: Option<&[Way<'r>]>, fits: impl Fn(&Way<'r>) -> bool) -> Vec<Way<'r>> {
        let further = |way: Way<'r>| (way.0, way.1 + 1, way.2);
        match ways {
            Some(ways) => ways.iter().copied().filter(fits).map(further).collect(),
            None => self.ways().filter(fits).map(further).collect(),
        }
    }

    fn walk<'a>(&self, node: Value<'a>, ways: Option<&[Way<'r>]>, deep: usize) -> Option<Catch<'a>> {
        for (key, value) in node.members() {
            if value.is_empty() {
                continue;
            }
            if value.scalar().is_some() {
                // Most names are of no interest; only of the others it matters whether a rule read them.
                let Some(suspicion) = suspicion(key.raw) else { continue };
                let read = self.on(ways, key).iter().any(|way| way.0.len() == way.1);
                if !read && let Some(certain) = self.speaks(suspicion, key, value) {
                    return Some(Catch { value, certain });
                }
                continue;
            }
            if let Some(found) = self.container(key, value, ways, deep) {
                return Some(found);
            }
        }
        // A way with `*` leads through a list's elements.
        if node.kind() != Kind::Array {
            return None;
        }
        let on = self.step(ways, |way| way.0.is_every(way.1));
        if on.is_empty() || on.iter().any(|way| way.0.len() == way.1) {
            return None;
        }
        node.elements().find_map(|element| self.walk(element, Some(&on), 0))
    }

    /// A member that is an object or a list.
    fn container<'a>(
        &self,
        key: Scalar<'a>,
        value: Value<'a>,
        ways: Option<&[Way<'r>]>,
        deep: usize,
    ) -> Option<Catch<'a>> {
        let on = self.on(ways, key);
        let is_list = value.kind() == Kind::Array;
        let unread_list = !self.entries_read && is_list;
        // A list that was read; an object is one only where entries stand under keys, or alone.
        let read = |way: &Way<'_>| {
            way.0.len() == way.1
                && (way.2 == Weight::Map || (way.2 == Weight::List && (is_list || value.is_of_xml())))
        };
        // Where all is good, a list whose elements hold entries of their own is looked at, too.
        let holds_more = self.all_good && is_list && on.iter().any(|way| way.0.len() > way.1);
        if on.iter().any(read) && !unread_list && !holds_more {
            return None;
        }
        // What holds a list that was read is judged by that list.
        let holds_list = on.iter().any(|way| way.2 != Weight::Word && way.0.leads(way.1, value));
        if !holds_list
            && let Some(suspicion) = suspicion(key.raw)
            && let Some(certain) = self.speaks(suspicion, key, value)
        {
            return Some(Catch { value, certain });
        }
        let leads = !on.is_empty();
        if leads || (deep > 0 && (wraps(key) || is_shell(value))) {
            let deep = if leads { deep } else { deep - 1 };
            if let Some(found) = self.walk(value, Some(&on), deep) {
                return Some(found);
            }
        }
        // Entries that nobody reads, where the whole call is to be called good.
        if deep > 0 && (!leads || unread_list) && is_list {
            return value.elements().find_map(|element| self.walk(element, Some(&[]), 0));
        }
        None
    }

    /// The members at the root and in wrappers that no rule weighs, as pointers; for people.
    pub(super) fn unread(&self, root: Value<'_>) -> Vec<String> {
        let mut found = Vec::new();
        self.list_unread(root, root, None, &mut found);
        found
    }

    fn list_unread(
        &self,
        root: Value<'_>,
        node: Value<'_>,
        ways: Option<&[Way<'r>]>,
        found: &mut Vec<String>,
    ) {
        for (key, value) in node.members() {
            let on = self.on(ways, key);
            if on.iter().any(|way| way.0.len() == way.1) {
                continue;
            }
            if on.is_empty() {
                found.extend(root.way_to(value));
            } else {
                self.list_unread(root, value, Some(&on), found);
            }
        }
    }

    /// Whether a member speaks of a failure; the inner value tells whether of what holds it, and of nothing else.
    fn speaks(&self, suspicion: Suspicion, key: Scalar<'_>, value: Value<'_>) -> Option<bool> {
        let name = key.raw;
        let (says, certain) = match suspicion {
            Suspicion::Failure => {
                let own = is_of_action(name, self.action);
                (!own && says_something(value), is_certain(name, value))
            }
            Suspicion::Flag => (says_no(value), true),
            Suspicion::HttpStatus => (is_bad_status(value), true),
            Suspicion::State => (self.whole && says_failed(value), true),
        };
        let harmless = || self.harmless.iter().any(|own| own.eq_ignore_ascii_case(name));
        (says && !harmless()).then_some(certain)
    }
}

fn wraps(key: Scalar<'_>) -> bool {
    let name = key.raw.as_bytes();
    WRAPPERS.iter().any(|word| word.eq_ignore_ascii_case(key.raw))
        || ["Result", "Response", "Set", "List"].iter().any(|tail| name.ends_with(tail.as_bytes()))
}

/// Whether an object is there only to hold a list.
fn is_shell(value: Value<'_>) -> bool {
    value.members().any(|(_, inner)| inner.kind() == Kind::Array) && value.members().count() <= 2
}

fn is_certain(name: &str, value: Value<'_>) -> bool {
    let bytes = name.as_bytes();
    let error = ["err", "fault", "exception"].iter().any(|part| contains(bytes, part));
    let counts = ["count", "num", "total"].iter().any(|part| contains(bytes, part));
    let number = || value.scalar().is_some_and(|text| text.raw.parse::<f64>().is_ok());
    !counts && (error || !(value.kind() == Kind::Array || number()))
}

/// The scalars below a node that would speak of a failure if they said something: where two structures are alike, these
/// must be compared.
pub(super) fn suspects<'a>(node: Value<'a>, inside: bool, found: &mut Vec<Value<'a>>) {
    for (key, value) in node.members() {
        let inside = inside || suspicion(key.raw).is_some();
        if inside && value.scalar().is_some() {
            found.push(value);
        }
        suspects(value, inside, found);
    }
    for element in node.elements() {
        if inside && element.scalar().is_some() {
            found.push(element);
        }
        suspects(element, inside, found);
    }
}
