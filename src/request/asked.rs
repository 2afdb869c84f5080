//! What one request asked for, kept while the vendor is at work. Owned and small: ids lie in one arena.

use std::borrow::Cow;
use std::collections::HashMap;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::decode::same;
use crate::envelope::Text;
use crate::json_text::plain_run;

/// The asked items in the request's order.
#[derive(Debug, Default)]
pub struct Asked {
    arena: String,
    items: Vec<Item>,
    /// Item numbers by id (or by key, where sub-requests are distinct).
    by_id: HashTable<u32>,
    by_key: HashTable<u32>,
    /// Item number by position in the request's list, where ids repeat.
    positions: Option<Vec<u32>>,
    /// Length of the request's list, repeats included.
    len: u32,
    distinct: bool,
    /// Whether two ids have one key, where keys tell elements apart.
    pub(super) clashes: bool,
    interchangeable: bool,
    /// What each item's id is relative to, where the request says so.
    parents: Vec<Span>,
    several_parents: bool,
    /// The version that belongs to each item's identity, where the request says so.
    versions: Vec<Span>,
    several_versions: bool,
    /// Where each group of the request's list begins, where there are groups.
    groups: Vec<u32>,
    /// Whether any text holds what JSON must escape.
    escapes: bool,
}

/// An element whose id is relative to a parent.
#[derive(Debug, Default)]
pub struct Relative<'r> {
    pub parent: Option<Cow<'r, str>>,
    pub id: Option<Cow<'r, str>>,
    pub version: Option<Cow<'r, str>>,
    pub key: Option<Cow<'r, str>>,
    pub raw: Option<Cow<'r, str>>,
}

/// One asked item.
#[derive(Clone, Copy, Debug)]
struct Item {
    index: u32,
    id: Span,
    key: Span,
    /// The element's own JSON, kept for echo joins only.
    raw: Span,
}

#[derive(Clone, Copy, Debug)]
struct Span(u32, u32);

const NONE: Span = Span(u32::MAX, 0);

impl Span {
    /// The text; empty for none.
    fn of(self, arena: &str) -> &str {
        let start = self.0 as usize;
        arena.get(start..start + self.1 as usize).unwrap_or("")
    }
}

impl Asked {
    pub fn new(distinct: bool) -> Self {
        Self { distinct, ..Self::default() }
    }

    /// Adds units of a creation by count: without id, and alike.
    pub fn push_units(&mut self, count: usize) {
        self.interchangeable = true;
        for _ in 0..count {
            self.push(None, None, None);
        }
    }

    /// Whether the items are units of one creation, of which any may be meant.
    pub fn interchangeable(&self) -> bool {
        self.interchangeable
    }

    /// Adds elements whose ids are not the whole identity. Where they name more than one parent, ids show it (`parent/id`);
    /// where one id stands with several versions, ids show those (`id/version`): the whole tells them apart.
    pub fn push_relative(&mut self, elements: &[Relative<'_>]) {
        let first = elements.iter().find_map(|element| element.parent.as_deref());
        self.several_parents = elements.iter().any(|element| element.parent.as_deref() != first);
        let mut seen: HashMap<_, _> = HashMap::new();
        self.several_versions = elements.iter().any(|element| {
            let known = seen.entry((&element.parent, &element.id)).or_insert(&element.version);
            *known != &element.version
        });
        for element in elements {
            let version = element.version.as_deref().filter(|_| self.several_versions);
            let parent = element.parent.as_deref().filter(|_| self.several_parents);
            let whole = element.id.as_deref().map(|id| whole_id(parent, id, None, version));
            let before = self.items.len();
            self.push(whole.as_deref(), element.key.as_deref(), element.raw.as_deref());
            if self.items.len() > before {
                let parent = self.store(element.parent.as_deref());
                self.parents.push(parent);
                let version = self.store(element.version.as_deref());
                self.versions.push(version);
            }
        }
    }

    /// What a call is relative to that names nobody.
    pub fn relate(&mut self, parent: Option<&str>) {
        if parent.is_some() {
            self.parents = vec![self.store(parent)];
        }
    }

    /// The one parent of all items.
    pub fn scope(&self) -> Option<&str> {
        let first = self.parents.first().filter(|_| !self.several_parents)?;
        self.text(*first)
    }

    /// Whether ids show their parent, since there are several.
    pub fn has_several_parents(&self) -> bool {
        self.several_parents
    }

    /// What an item's id is relative to.
    pub fn parent(&self, item: usize) -> Option<&str> {
        self.text(*self.parents.get(item)?)
    }

    /// Whether ids show their version, since one stands with several.
    pub fn has_several_versions(&self) -> bool {
        self.several_versions
    }

    /// The version that belongs to an item's identity.
    pub fn version(&self, item: usize) -> Option<&str> {
        self.text(*self.versions.get(item)?)
    }

    /// What follows belongs to the next group.
    pub fn start_group(&mut self) {
        self.groups.push(self.len);
    }

    /// The items of a group; without groups each place of the list is one.
    pub fn group(&self, group: usize) -> Vec<u32> {
        let range = match self.groups.get(group) {
            Some(from) => {
                *from as usize..self.groups.get(group + 1).map_or(self.len as usize, |to| *to as usize)
            }
            None if self.groups.is_empty() => group..group + 1,
            None => 0..0,
        };
        range.filter_map(|position| self.at_position(position)).map(|item| item as u32).collect()
    }

    /// Makes room for so many elements.
    pub fn expect(&mut self, elements: usize) {
        self.items.reserve(elements);
        let (arena, items) = (&self.arena, &self.items);
        // Nothing is in them yet, mostly, so nothing is hashed again.
        self.by_id.reserve(elements, |n| hash_id(items[*n as usize].id.of(arena)));
    }

    /// Adds the next element of the request's list. A repeated id (or client key) is the same item.
    pub fn push(&mut self, id: Option<&str>, key: Option<&str>, raw: Option<&str>) {
        let position = self.len;
        self.len += 1;
        let number = self.items.len() as u32;
        let (arena, items) = (&self.arena, &self.items);
        let mut by_id = |id: &str| enter(&mut self.by_id, id, number, |n| items[n as usize].id.of(arena));
        let mut by_key =
            |key: &str| enter(&mut self.by_key, key, number, |n| items[n as usize].key.of(arena));
        let known = match (self.distinct, id, key) {
            (true, _, Some(key)) => by_key(key),
            (false, Some(id), _) => by_id(id),
            (false, None, Some(key)) => by_key(key),
            (true, _, None) | (false, None, None) => None,
        };
        // One key is one item, and yet there are two.
        self.clashes |= known.is_some() && (self.distinct || id.is_none());
        // A new item is found by its other name, too. Only now: a table must not hold an item that is not kept.
        if known.is_none() {
            match (self.distinct, id, key) {
                (true, Some(id), _) => by_id(id),
                (false, Some(_), Some(key)) => by_key(key),
                _ => None,
            };
        }
        if let Some(positions) = &mut self.positions {
            positions.push(known.unwrap_or(number));
        } else if let Some(known) = known {
            self.positions = Some((0..position).chain([known]).collect());
        }
        if known.is_none() {
            let item =
                Item { index: position, id: self.store(id), key: self.store(key), raw: self.store(raw) };
            self.items.push(item);
        }
    }

    fn store(&mut self, text: Option<&str>) -> Span {
        let Some(text) = text else { return NONE };
        self.escapes |= plain_run(text.as_bytes(), 0) < text.len();
        let start = self.arena.len() as u32;
        self.arena.push_str(text);
        Span(start, text.len() as u32)
    }

    fn text(&self, span: Span) -> Option<&str> {
        (span.0 != u32::MAX).then(|| &self.arena[span.0 as usize..(span.0 + span.1) as usize])
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let spans = self.parents.capacity() + self.versions.capacity();
        let numbers = self.groups.capacity() + self.positions.as_ref().map_or(0, Vec::capacity);
        self.arena.capacity()
            + self.items.capacity() * size_of::<Item>()
            + spans * size_of::<Span>()
            + numbers * size_of::<u32>()
            + self.by_id.allocation_size()
            + self.by_key.allocation_size()
    }

    /// The text that all ids and keys are slices of.
    pub fn arena(&self) -> &str {
        &self.arena
    }

    /// How many items were asked, each id once.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Length of the request's list, repeats included: what positional replies are measured by.
    pub fn listed(&self) -> usize {
        self.len as usize
    }

    pub fn id(&self, item: usize) -> Option<&str> {
        self.text(self.items[item].id)
    }

    /// Its id, as a text of an envelope.
    pub(crate) fn id_text(&self, item: usize) -> Option<Text> {
        self.refer(self.items[item].id)
    }

    /// Its key, as a text of an envelope.
    pub(crate) fn key_text(&self, item: usize) -> Option<Text> {
        self.refer(self.items[item].key)
    }

    fn refer(&self, span: Span) -> Option<Text> {
        (span.0 != u32::MAX).then(|| Text::asked(span.0, span.1, !self.escapes))
    }

    pub fn key(&self, item: usize) -> Option<&str> {
        self.text(self.items[item].key)
    }

    pub fn raw(&self, item: usize) -> Option<&str> {
        self.text(self.items[item].raw)
    }

    /// An item's first position in the request's list.
    pub fn index(&self, item: usize) -> u32 {
        self.items[item].index
    }

    /// The item at a position of the request's list.
    pub fn at_position(&self, position: usize) -> Option<usize> {
        match &self.positions {
            Some(positions) => positions.get(position).map(|&item| item as usize),
            None => (position < self.items.len()).then_some(position),
        }
    }

    /// The item with an id; UUIDs are compared without regard to case.
    pub fn by_id(&self, id: &str) -> Option<u32> {
        let same = |n: &u32| self.id(*n as usize).is_some_and(|known| same_id(known, id));
        self.by_id.find(hash_id(id), same).copied()
    }

    pub fn by_key(&self, key: &str) -> Option<u32> {
        let same = |n: &u32| self.key(*n as usize).is_some_and(|known| same_id(known, key));
        self.by_key.find(hash_id(key), same).copied()
    }

    /// Whether no item has an id: creations, records, messages.
    pub fn nameless(&self) -> bool {
        self.by_id.is_empty()
    }
}

/// The item that a table has for a text; where it has none, `number` from now on.
fn enter<'t>(
    table: &mut HashTable<u32>,
    text: &str,
    number: u32,
    text_of: impl Fn(u32) -> &'t str,
) -> Option<u32> {
    match table.entry(hash_id(text), |n| same_id(text_of(*n), text), |n| hash_id(text_of(*n))) {
        Entry::Occupied(found) => Some(*found.get()),
        Entry::Vacant(free) => {
            free.insert(number);
            None
        }
    }
}

/// An id with what is shown of the rest of its identity: `parent/id:port/version`.
pub(crate) fn whole_id<'i>(
    parent: Option<&str>,
    id: &'i str,
    port: Option<&str>,
    version: Option<&str>,
) -> Cow<'i, str> {
    let mut whole = Cow::Borrowed(id);
    if let Some(parent) = parent {
        whole = Cow::Owned(format!("{parent}/{whole}"));
    }
    for (mark, part) in [(':', port), ('/', version)] {
        if let Some(part) = part {
            let whole = whole.to_mut();
            whole.push(mark);
            whole.push_str(part);
        }
    }
    whole
}

/// Whether two ids name the same resource.
pub(crate) fn same_id(a: &str, b: &str) -> bool {
    same(a, b) || (a.len() == 36 && a.eq_ignore_ascii_case(b) && is_uuid(a))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

pub(crate) fn hash_id(id: &str) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    // Keyed per process: ids come from strangers.
    static STATE: std::sync::LazyLock<foldhash::fast::RandomState> =
        std::sync::LazyLock::new(Default::default);
    let mut hasher = STATE.build_hasher();
    // Whatever might be a UUID; `same_id` looks closer.
    if let Ok(mut lower) = <[u8; 36]>::try_from(id.as_bytes()) {
        lower.make_ascii_lowercase();
        hasher.write(&lower);
    } else {
        hasher.write(id.as_bytes());
    }
    hasher.finish()
}
