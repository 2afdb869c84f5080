//! The asked items, findable by more than their ids. Made when first asked for, once for a reply: what an entry's join costs
//! does not grow with the number of items, whatever a vendor sends.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::decode::{Bounds, Document, Wire, read};
use crate::request::Asked;

/// Comparisons of an entry with an item that one reply may cost. More than any batch needs that is joined so: 360 items in the
/// reverse order. Beyond, entries are about nobody that was asked.
const COMPARISONS: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Index<'a> {
    asked: &'a Asked,
    tails: Option<HashMap<&'a str, Vec<u32>>>,
    decoded: Option<HashMap<Cow<'a, str>, u32>>,
    lower: Option<HashMap<String, u32>>,
    elements: Option<Vec<Option<Document<'a>>>>,
    /// For each position, one at or behind it before which all items have spoken.
    silent: Vec<u32>,
    comparisons: usize,
}

impl<'a> Index<'a> {
    pub(super) fn of(asked: &'a Asked) -> Self {
        let (tails, decoded, lower, elements) = (None, None, None, None);
        Self { asked, tails, decoded, lower, elements, silent: Vec::new(), comparisons: COMPARISONS }
    }

    fn ids(asked: &'a Asked) -> impl Iterator<Item = (u32, &'a str)> {
        (0..asked.len()).filter_map(|item| Some((item as u32, asked.id(item)?)))
    }

    /// The first item whose id has this last segment and fits.
    pub(super) fn by_tail(&mut self, tail: &str, fits: impl Fn(&str) -> bool) -> Option<u32> {
        let asked = self.asked;
        let tails = self.tails.get_or_insert_with(|| {
            let mut tails: HashMap<&str, Vec<u32>> = HashMap::new();
            for (item, id) in Self::ids(asked) {
                tails.entry(last_segment(id)).or_default().push(item);
            }
            tails
        });
        let candidates = tails.get(tail)?.iter();
        let left = &mut self.comparisons;
        candidates
            .take_while(|_| spend(left))
            .find(|item| asked.id(**item as usize).is_some_and(&fits))
            .copied()
    }

    /// The first item whose id is this, its escapes undone.
    pub(super) fn by_decoded(&mut self, id: &str) -> Option<u32> {
        let asked = self.asked;
        let decoded = self.decoded.get_or_insert_with(|| {
            let mut decoded = HashMap::new();
            for (item, id) in Self::ids(asked) {
                decoded.entry(percent_encoding::percent_decode_str(id).decode_utf8_lossy()).or_insert(item);
            }
            decoded
        });
        decoded.get(id).copied()
    }

    /// Whether an item has this id in any case.
    pub(super) fn has_in_any_case(&mut self, id: &str) -> bool {
        let asked = self.asked;
        let lower = self.lower.get_or_insert_with(|| {
            Self::ids(asked).map(|(item, id)| (id.to_ascii_lowercase(), item)).collect()
        });
        lower.contains_key(&id.to_ascii_lowercase())
    }

    /// The first item that did not speak yet and whose element fits.
    pub(super) fn by_element(
        &mut self,
        spoke: impl Fn(u32) -> bool,
        fits: impl Fn(u32, &Document<'a>) -> bool,
    ) -> Option<u32> {
        let asked = self.asked;
        self.elements.get_or_insert_with(|| {
            let element = |item| {
                let raw = asked.raw(item)?;
                read(raw.as_bytes(), Wire::Json, "", Bounds::default(), false)
                    .ok()
                    .map(|(document, _)| document)
            };
            (0..asked.len()).map(element).collect()
        });
        // Those in front have spoken, mostly.
        let position = self.next_silent(0, &spoke)?;
        let from = asked.at_position(position)?;
        let (elements, left) = (self.elements.as_deref().unwrap_or_default(), &mut self.comparisons);
        let candidates = elements.iter().enumerate().skip(from).take_while(|_| spend(left));
        let mut candidates = candidates.map(|(item, element)| (item as u32, element.as_ref()));
        let fits = |item, element: Option<&Document<'a>>| element.is_some_and(|element| fits(item, element));
        candidates.find(|(item, element)| !spoke(*item) && fits(*item, *element)).map(|(item, _)| item)
    }

    /// The first position from `at` on whose number `spoke` does not know. What spoke once has spoken, so that no position is
    /// stepped over twice.
    pub(super) fn next_silent(&mut self, at: usize, spoke: impl Fn(u32) -> bool) -> Option<usize> {
        let len = self.asked.listed();
        if self.silent.is_empty() {
            self.silent = (0..=len as u32).collect();
        }
        let mut to = at;
        loop {
            let next = *self.silent.get(to)? as usize;
            if next != to {
                to = next;
            } else if to < len && self.asked.at_position(to).is_none_or(|item| spoke(item as u32)) {
                self.silent[to] = to as u32 + 1;
            } else {
                break;
            }
        }
        // What was stepped over leads here at once from now on.
        let mut from = at;
        while from < to {
            from = std::mem::replace(&mut self.silent[from], to as u32) as usize;
        }
        (to < len).then_some(to)
    }
}

fn spend(left: &mut usize) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

pub(super) fn last_segment(text: &str) -> &str {
    text.rsplit(['/', ':']).next().unwrap_or(text)
}
