//! Entries read by example. A batch's entries are mostly built alike and say one of a few things, so an entry that is
//! built like one before it, with the same words where words decide, is not judged anew: only what is its own is read.

use super::found::Found;
use super::net::suspects;
use super::scope::Scope;
use crate::decode::{Pointer, Scalar, Value, same};
use crate::envelope::{Text, Texts, Verdict};
use crate::profile::place::Place;
use crate::profile::reply::EntryRule;

/// Examples kept for a rule; entries that say yet other things are judged one by one.
const MOST: usize = 4;
/// Entries in vain after which a list is taken for one without likeness.
const PATIENCE: usize = 32;

/// The examples of one rule.
pub(super) struct Examples<'a> {
    rule: &'a EntryRule,
    deciding: Deciding<'a>,
    known: Vec<Example<'a>>,
    /// The entry that was judged last, whether it stood under a key, and what was told of it. It becomes an example when
    /// another entry comes: a list of one needs none.
    last: Option<(Value<'a>, bool, Told<'a>)>,
    in_vain: usize,
}

/// Which words decide beside an entry's structure.
enum Deciding<'a> {
    /// More than the entry decides, or nothing was alike.
    Nothing,
    /// Not asked yet; `coded`: the vendor writes codes into messages.
    Unasked {
        coded: bool,
    },
    Words(Vec<&'a Pointer>),
}

/// An entry that was judged.
struct Example<'a> {
    entry: Value<'a>,
    /// Whether it stood under a key.
    keyed: bool,
    nodes: u32,
    /// The words that decided: how far into the entry, and what they were.
    words: Vec<(u32, &'a str)>,
    told: Told<'a>,
}

/// What was made of an entry.
#[derive(Clone, Copy)]
pub(super) enum Told<'a> {
    /// `where` leaves it out.
    Left,
    /// It says nothing about its item.
    Silent,
    Said(Statement<'a>),
}

/// A verdict, and which of its texts are each entry's own.
#[derive(Clone, Copy)]
pub(super) struct Statement<'a> {
    verdict: Verdict,
    id: Own,
    task: Option<u32>,
    message: Option<(u32, &'a str)>,
}

#[derive(Clone, Copy)]
enum Own {
    /// The key the entry stands under.
    Key,
    /// The value so many nodes into the entry.
    At(u32),
}

impl<'a> Examples<'a> {
    pub(super) fn new(rule: &'a EntryRule, scope: &Scope<'a>, tracing: bool) -> Self {
        let by_own_id = rule.joins_by_one_id();
        let monitored = scope.request.monitor.is_some() && !rule.task.is_empty();
        let can = by_own_id && rule.key.is_empty() && !monitored && !tracing && !rule.percent;
        let coded = scope.request.profile.vendor.code_in_message.is_some();
        let deciding = if can { Deciding::Unasked { coded } } else { Deciding::Nothing };
        Self { rule, deciding, known: Vec::new(), last: None, in_vain: 0 }
    }

    /// What the example tells that an entry is like.
    #[inline]
    pub(super) fn of(&mut self, entry: Value<'a>, keyed: bool) -> Option<&Told<'a>> {
        if self.last.is_some() {
            self.keep();
        }
        let nodes = entry.size();
        let like = |example: &&Example<'a>| {
            example.nodes == nodes
                && example.keyed == keyed
                && entry.is_like(example.entry)
                && example.words.iter().all(|(at, word)| same(entry.within(*at).text(), word))
        };
        self.known.iter().find(like).map(|example| &example.told)
    }

    /// Whether another example could be kept.
    pub(super) fn wants_more(&self) -> bool {
        !matches!(self.deciding, Deciding::Nothing) && self.known.len() < MOST
    }

    /// Remembers an entry for an example, where something was told by which others can be.
    pub(super) fn learn(&mut self, scope: &Scope<'a>, told: Option<Told<'a>>) {
        if matches!(self.deciding, Deciding::Nothing) {
            return;
        }
        match (scope.here, told) {
            (Some(entry), Some(told)) if self.known.len() < MOST && entry.is_small() => {
                self.last = Some((entry, scope.key.is_some(), told));
            }
            _ => self.fail(),
        }
    }

    /// Makes an example of the entry that was judged last.
    fn keep(&mut self) {
        let Some((entry, keyed, told)) = self.last.take() else { return };
        if let Deciding::Unasked { coded } = self.deciding {
            self.deciding = deciding(self.rule, coded).map_or(Deciding::Nothing, Deciding::Words);
        }
        let Deciding::Words(deciding) = &self.deciding else { return };
        let words = deciding.iter().filter_map(|pointer| pointer.first_text(entry));
        let mut decided: Vec<Value<'a>> = words.collect();
        suspects(entry, false, &mut decided);
        let words = decided.into_iter().map(|value| (entry.distance(value), value.text())).collect();
        self.known.push(Example { entry, keyed, nodes: entry.size(), words, told });
    }

    fn fail(&mut self) {
        self.in_vain += 1;
        if self.in_vain > PATIENCE * (self.known.len() + 1) {
            self.deciding = Deciding::Nothing;
            self.known.clear();
        }
    }

    /// A verdict that was just made, as an example's: none when its texts cannot be told apart from what decided.
    pub(super) fn statement(&self, verdict: Verdict, scope: &Scope<'a>) -> Option<Told<'a>> {
        let entry = scope.here?;
        let message = match verdict.fault {
            Some(_) => own(&self.rule.message, scope)?,
            None => None,
        };
        let message = message.map(|at| (at, entry.within(at).text()));
        let id = match self.rule.id.iter().find(|place| scope.text_at(place).is_some())? {
            Place::Key => Own::Key,
            Place::Here(pointer) => Own::At(entry.distance(pointer.first_text(entry)?)),
            _ => return None,
        };
        let task = own(&self.rule.task, scope)?;
        Some(Told::Said(Statement { verdict, id, task, message }))
    }

    /// The same for an entry that says nothing.
    pub(super) fn silence(&self, scope: &Scope<'a>) -> Option<Told<'a>> {
        own(&self.rule.task, scope)?.is_none().then_some(Told::Silent)
    }
}

/// The places of a rule that decide beside an entry's structure; none where that cannot be told from the entry. `coded`: the
/// vendor writes codes into messages.
fn deciding(rule: &EntryRule, coded: bool) -> Option<Vec<&Pointer>> {
    let structural = |place: &Place| match place {
        Place::Here(pointer) => pointer.goes_by_structure(),
        Place::Parallel(_) => false,
        // The same for every entry, or its key, of which only the id is made.
        Place::Root(_) | Place::Header(_) | Place::Status | Place::Kept(_) | Place::Key => true,
    };
    let message = if coded { rule.message.as_slice() } else { &[] };
    let delays = rule.retry_after.iter().map(|(place, _)| place);
    let words = rule
        .filter
        .by_words()
        .chain(rule.outcome.places())
        .chain(&rule.code)
        .chain(message)
        .chain(&rule.mark)
        .chain(&rule.sender_fault)
        .chain(delays);
    let words: Vec<&Place> = words.collect();
    let mut structure = rule.filter.by_structure().chain(&rule.id).chain(&rule.task).chain(&rule.message);
    if !structure.all(structural) || !words.iter().all(|place| structural(place) && **place != Place::Key) {
        return None;
    }
    let ways = words.into_iter().filter_map(|place| match place {
        Place::Here(pointer) => Some(pointer),
        _ => None,
    });
    Some(ways.collect())
}

/// Where the first text stands that places give, if it is the entry's own. Outer none: it must be looked at each time.
fn own(places: &[Place], scope: &Scope<'_>) -> Option<Option<u32>> {
    let entry = scope.here?;
    for place in places {
        match place {
            Place::Here(pointer) => {
                if let Some(value) = pointer.first_text(entry) {
                    return value.scalar().is_some_and(speaks).then(|| Some(entry.distance(value)));
                }
            }
            Place::Key => return None,
            other if scope.text_at(other).is_some() => return Some(None),
            _ => {}
        }
    }
    Some(None)
}

/// Whether it is text beyond doubt: not blank, and not the `0` of "no task".
fn speaks(text: Scalar<'_>) -> bool {
    text.raw != "0"
        && text.raw.as_bytes().first().is_some_and(u8::is_ascii_graphic)
        && !text.raw.starts_with('\\')
}

impl<'a> Statement<'a> {
    /// The id of an entry like the example's; none when it must be read in full.
    #[inline]
    pub(super) fn id(&self, entry: Value<'a>, key: Option<Scalar<'a>>) -> Option<&'a str> {
        let id = match self.id {
            Own::Key => key?,
            Own::At(at) => entry.within(at).scalar()?,
        };
        (!id.escaped && !id.raw.is_empty()).then_some(id.raw)
    }

    /// The example's verdict, and what differs on an entry like it; none when it must be read in full.
    #[inline]
    pub(super) fn verdict(&self, entry: Value<'a>, texts: &mut Texts<'a>) -> Option<(&Verdict, Differing)> {
        let mut read = |at: u32| {
            let text = entry.within(at).scalar().filter(|text| speaks(*text))?;
            Some(Some(Found::from(text).store(texts)))
        };
        let task = self.task.map_or(Some(None), &mut read)?;
        let message = self.message.filter(|(at, message)| !same(entry.within(*at).text(), message));
        let message = message.map_or(Some(None), |(at, _)| read(at))?;
        Some((&self.verdict, Differing { task, message, data: None }))
    }
}

/// The texts that are an entry's own; none where they are the example's.
#[derive(Clone, Copy)]
pub(super) struct Differing {
    task: Option<Text>,
    message: Option<Text>,
    pub(super) data: Option<Text>,
}

impl Differing {
    #[inline]
    pub(super) fn put(self, verdict: &mut Verdict) {
        if let (Some(task), Some(id)) = (&mut verdict.task, self.task) {
            task.id = id;
        }
        if let (Some(fault), Some(_)) = (&mut verdict.fault, self.message) {
            fault.message = self.message;
        }
        if self.data.is_some() {
            verdict.data = self.data;
        }
    }
}
