//! Statements → results: one verdict for each asked item, whatever was said, repeated or left out.

use std::collections::{HashMap, HashSet};

use hashbrown::HashTable;

use super::alike::Differing;
use super::index::{Index, last_segment};
use crate::decode::{Document, same};
use crate::envelope::{Evidence, Outcome, Texts, Verdict};
use crate::request::{Asked, hash_id};

/// The asked items and what was stated about them so far.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    asked: &'a Asked,
    /// Every text of the envelope.
    pub(super) texts: Texts<'a>,
    /// One verdict an asked item, as far as anything was stated; `said` tells which are more than a placeholder.
    slots: Vec<Verdict>,
    said: Vec<bool>,
    /// Further statements about an asked item.
    extras: Vec<(u32, Verdict)>,
    /// What the vendor named and nobody asked for.
    volunteers: Vec<Verdict>,
    volunteer_ids: HashTable<u32>,
    /// Where the next id is expected: vendors mostly keep the request's order.
    cursor: u32,
    matched: usize,
    /// Whether anything that is not good was stated. The worst statement counts, so it stays true.
    bad: bool,
    /// Whether a failure was stated that nobody can place.
    unplaced: bool,
    /// Items that failed by the place of an entry without a name, in a list whose entries have names.
    guessed: HashSet<u32>,
    /// The asked items by more than their ids.
    index: Index<'a>,
    /// While a fallback rule speaks: the items that earlier rules named are closed to it.
    closed: Option<Vec<bool>>,
    /// How many results there may be beside the asked items' own.
    room: usize,
    /// There were more results than may be.
    over: bool,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(asked: &'a Asked, reply: &'a str) -> Self {
        Self {
            asked,
            texts: Texts::new(reply, asked.arena()),
            slots: Vec::new(),
            said: Vec::new(),
            extras: Vec::new(),
            volunteers: Vec::new(),
            volunteer_ids: HashTable::new(),
            cursor: 0,
            matched: 0,
            bad: false,
            unplaced: false,
            guessed: HashSet::new(),
            index: Index::of(asked),
            closed: None,
            room: usize::MAX,
            over: false,
        }
    }

    /// Bounds the results: asked items, volunteers, announced jobs and repeated statements together.
    pub(super) fn bound(&mut self, most: usize) {
        self.over = self.asked.len() > most;
        self.room = most.saturating_sub(self.asked.len());
    }

    /// Whether there were more results than may be: what was stated is not all there.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether there is room for a result that is no asked item's first.
    fn takes(&mut self) -> bool {
        self.over |= self.room == 0;
        self.room = self.room.saturating_sub(1);
        !self.over
    }

    pub(super) fn asked(&self) -> &'a Asked {
        self.asked
    }

    pub(super) fn start_rule(&mut self, fallback: bool) {
        self.cursor = 0;
        self.closed = fallback.then(|| (0..self.asked.len()).map(|item| self.spoke(item as u32)).collect());
    }

    /// The asked item with an id.
    pub(super) fn find(&mut self, id: &str) -> Option<u32> {
        if self.asked.is_empty() {
            return None;
        }
        let next = self.cursor as usize;
        if next < self.asked.len() && self.asked.id(next).is_some_and(|own| same(own, id)) {
            self.cursor += 1;
            return Some(next as u32);
        }
        let found = self.asked.by_id(id)?;
        self.cursor = found + 1;
        Some(found)
    }

    /// The first item whose id is the tail of a text, or has it as its tail.
    pub(super) fn by_tail(&mut self, text: &str, fits: impl Fn(&str) -> bool) -> Option<u32> {
        self.index.by_tail(last_segment(text), fits)
    }

    /// The first item whose id is this, its escapes undone.
    pub(super) fn by_decoded(&mut self, id: &str) -> Option<u32> {
        self.index.by_decoded(id)
    }

    /// Whether an item has this id in any case.
    pub(super) fn has_in_any_case(&mut self, id: &str) -> bool {
        self.index.has_in_any_case(id)
    }

    /// The first silent item whose element fits.
    pub(super) fn by_element(&mut self, fits: impl Fn(u32, &Document<'a>) -> bool) -> Option<u32> {
        let Self { index, said, .. } = self;
        index.by_element(|item| said.get(item as usize).is_some_and(|said| *said), fits)
    }

    /// The first position from this on whose item is silent.
    pub(super) fn next_silent(&mut self, position: usize) -> Option<usize> {
        let Self { index, said, .. } = self;
        index.next_silent(position, |item| said.get(item as usize).is_some_and(|said| *said))
    }

    /// Whether anything was stated about an item.
    pub(super) fn spoke(&self, item: u32) -> bool {
        self.said.get(item as usize).is_some_and(|said| *said)
    }

    /// How many asked items nothing was stated about.
    pub(super) fn silent(&self) -> usize {
        self.asked.len() - self.matched
    }

    pub(super) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        let said = self.slots.iter().zip(&self.said).filter(|(_, said)| **said).map(|(verdict, _)| verdict);
        said.chain(&self.volunteers)
    }

    /// Whether any verdict is not good.
    pub(super) fn any_bad(&self) -> bool {
        self.bad
    }

    /// Whether every named resource is one nobody asked for: they may be other names of the asked ones.
    pub(super) fn strangers_only(&self) -> bool {
        self.matched == 0 && self.volunteers.iter().any(|verdict| verdict.id.is_some())
    }

    pub(super) fn volunteered(&self) -> usize {
        self.volunteers.len()
    }

    /// Records a statement about an asked item, or about something nobody asked for.
    pub(super) fn state(&mut self, item: Option<u32>, mut verdict: Verdict) {
        let Some(item) = item else { return self.volunteer(verdict) };
        if self.closed.as_ref().is_some_and(|closed| closed[item as usize]) {
            return;
        }
        self.bad |= !verdict.outcome.is_good();
        name(self.asked, item, &mut verdict);
        let at = item as usize;
        if at >= self.slots.len() {
            // Mostly the next: vendors keep the request's order.
            self.make_room(at);
            self.append(verdict);
        } else if !self.said[at] {
            self.slots[at] = verdict;
            self.said[at] = true;
            self.matched += 1;
        } else if self.takes() {
            // Worst wins; among equals the first.
            let first = &mut self.slots[at];
            if verdict.outcome.badness() > first.outcome.badness() {
                std::mem::swap(first, &mut verdict);
            }
            self.extras.push((item, verdict));
        }
    }

    /// Records a statement like one before, but for its own texts.
    #[inline]
    pub(super) fn state_like(&mut self, item: u32, verdict: &Verdict, own: Differing) {
        let next = item as usize == self.slots.len() && self.slots.len() < self.slots.capacity();
        if !next || self.closed.is_some() {
            let mut verdict = *verdict;
            own.put(&mut verdict);
            return self.state(Some(item), verdict);
        }
        self.bad |= !verdict.outcome.is_good();
        // Copied once, into its place.
        self.append(*verdict);
        let asked = self.asked;
        if let Some(slot) = self.slots.last_mut() {
            own.put(slot);
            name(asked, item, slot);
        }
    }

    /// The verdict on the first item that has no place yet.
    #[inline]
    fn append(&mut self, verdict: Verdict) {
        self.slots.push(verdict);
        self.said.push(true);
        self.matched += 1;
    }

    /// Placeholders for so many items.
    fn make_room(&mut self, items: usize) {
        if self.slots.capacity() == 0 {
            self.slots.reserve_exact(self.asked.len());
            self.said.reserve_exact(self.asked.len());
        }
        self.slots.resize(items.max(self.slots.len()), Verdict::new(Outcome::Unknown, Evidence::None));
        self.said.resize(self.slots.len(), false);
    }

    /// A failure was stated that is perhaps any item's.
    pub(super) fn unplaced(&mut self) {
        self.unplaced = true;
    }

    /// A failure without a name is this item's by its place, unless another entry has the item's name.
    pub(super) fn guess(&mut self, item: u32) {
        self.guessed.insert(item);
    }

    /// An entry names an item: one without a name that was at its place is perhaps any item's.
    #[inline]
    pub(super) fn name(&mut self, item: u32) {
        self.unplaced |= !self.guessed.is_empty() && self.guessed.contains(&item);
    }

    pub(super) fn has_unplaced(&self) -> bool {
        self.unplaced
    }

    /// How many statements there are, repeats included.
    pub(super) fn statements(&self) -> usize {
        self.verdicts().count() + self.extras.len()
    }

    fn volunteer(&mut self, mut verdict: Verdict) {
        if self.over {
            return;
        }
        if let Some(id) = verdict.id.or(verdict.key) {
            let sources = self.texts.sources();
            let name = sources.decode(id);
            let hash = hash_id(&name);
            let own = |at: &u32| {
                let known = &self.volunteers[*at as usize];
                known.id.or(known.key).map(|id| sources.decode(id)).unwrap_or_default()
            };
            match self.volunteer_ids.find(hash, |at| own(at) == name).copied() {
                Some(_) if self.closed.is_some() => return,
                Some(at) => {
                    if !self.takes() {
                        return;
                    }
                    let first = &mut self.volunteers[at as usize];
                    self.bad |= !verdict.outcome.is_good();
                    if verdict.outcome.badness() > first.outcome.badness() {
                        std::mem::swap(first, &mut verdict);
                    }
                    self.extras.push((u32::MAX - at, verdict));
                    return;
                }
                None => {
                    let rehash = |at: &u32| hash_id(&own(at));
                    self.volunteer_ids.insert_unique(hash, self.volunteers.len() as u32, rehash);
                }
            }
        }
        self.push_nameless(verdict);
    }

    /// No asked id matched, the counts agree and all entries say the same: the vendor's ids name the same resources, by
    /// position. Where they say different things, nobody knows whose is whose.
    pub(super) fn alias(&mut self) -> bool {
        let same = self.matched == 0 && !self.asked.is_empty() && self.volunteers.len() == self.asked.len();
        let alike = self.volunteers.windows(2).all(|pair| pair[0].outcome == pair[1].outcome);
        if !same || !alike || self.volunteers.iter().any(|v| v.id.is_none()) || !self.extras.is_empty() {
            return false;
        }
        for (item, mut verdict) in std::mem::take(&mut self.volunteers).into_iter().enumerate() {
            verdict.vendor_id = verdict.id;
            verdict.evidence = Evidence::Inferred;
            name(self.asked, item as u32, &mut verdict);
            self.slots.push(verdict);
        }
        self.said = vec![true; self.slots.len()];
        self.matched = self.asked.len();
        true
    }

    /// Gives every item nothing was stated about the same verdict.
    pub(super) fn fill(&mut self, same: Verdict) {
        if self.silent() == 0 {
            return;
        }
        self.bad |= !same.outcome.is_good();
        self.make_room(self.asked.len());
        for item in 0..self.slots.len() {
            if !self.said[item] {
                let mut verdict = same;
                name(self.asked, item as u32, &mut verdict);
                self.slots[item] = verdict;
                self.said[item] = true;
            }
        }
        self.matched = self.asked.len();
    }

    /// Adds an item without id that nobody named.
    pub(super) fn push_nameless(&mut self, verdict: Verdict) {
        if self.takes() {
            self.bad |= !verdict.outcome.is_good();
            self.volunteers.push(verdict);
        }
    }

    /// How many statements repeat an earlier one.
    pub(super) fn repeated(&self) -> usize {
        self.extras.len()
    }

    /// The request's order, then the vendor's; repeats stand right behind the verdict that counts.
    pub(super) fn into_results(self) -> (Vec<Verdict>, Texts<'a>) {
        debug_assert!(self.said.iter().all(|said| *said), "`fill` came first");
        if self.extras.is_empty() && self.volunteers.is_empty() {
            return (self.slots, self.texts);
        }
        let mut extras: HashMap<u32, Vec<Verdict>> = HashMap::new();
        for (item, verdict) in self.extras {
            extras.entry(item).or_default().push(verdict);
        }
        let mut results = Vec::with_capacity(self.slots.len() + self.volunteers.len() + extras.len());
        let asked = self.slots.into_iter().enumerate().map(|(at, v)| (at as u32, v));
        let rest = self.volunteers.into_iter().enumerate().map(|(at, v)| (u32::MAX - at as u32, v));
        for (item, verdict) in asked.chain(rest) {
            results.push(verdict);
            for (n, mut extra) in extras.remove(&item).into_iter().flatten().enumerate() {
                extra.occurrence = (n + 1).min(u16::MAX as usize) as u16;
                results.push(extra);
            }
        }
        (results, self.texts)
    }
}

/// The asked item's own spelling of id and key.
#[inline]
fn name(asked: &Asked, item: u32, verdict: &mut Verdict) {
    let item = item as usize;
    verdict.index = Some(asked.index(item));
    verdict.id = asked.id_text(item).or(verdict.id);
    verdict.key = asked.key_text(item).or(verdict.key);
}
