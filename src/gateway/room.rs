//! What reading a body may take of `limits.memory`, reserved before it is read.

use crate::body::Budget;
use crate::decode::{Bounds, likely_nodes};
use crate::request::Asked;

/// Bodies below are read on the event loop, one at a time, whatever stands in them.
const SMALL: usize = 64 << 10;
/// What reading a small one usually takes, for each of its bytes.
const READING: usize = 4;
/// The text again, as JSON where it is none, and in results.
const TEXT: usize = 3;
/// A node of the tape (12 bytes), the tape's growth, and its share of the verdicts.
const NODE: usize = 32;
/// An asked item's verdict and result.
const ITEM: usize = 192;
/// Nodes beyond those that were counted on: samples may miss where a body is dense.
const SPARE: usize = 4096;

/// Makes room for reading `body` beside what is held. Bounds are tightened to the room there is, so that no body takes more,
/// however dense it is. None where that would be less than it needs.
pub(super) fn to_read(budget: &mut Budget, held: usize, body: &[u8], bounds: Bounds) -> Option<Bounds> {
    if body.len() < SMALL {
        return budget.reserve(held + READING * body.len()).then_some(bounds);
    }
    let likely = likely_nodes(body).min(bounds.nodes);
    let text = held + TEXT * body.len();
    let share = budget.reserve_up_to(text + NODE * (likely + likely / 4 + SPARE));
    let nodes = share.checked_sub(text)? / NODE;
    (nodes >= likely).then_some(Bounds { nodes: nodes.min(bounds.nodes), ..bounds })
}

/// Makes room for undoing a content coding beside what is held: how large the body may become, at most `most` bytes.
pub(super) fn to_decode(budget: &mut Budget, held: usize, most: usize) -> usize {
    // A buffer that grows is there twice for a while.
    (budget.reserve_up_to(held + 2 * most).saturating_sub(held) / 2).min(most)
}

/// The same where it is read at once: how large the body may become, and how many nodes there is room for beside it.
pub(super) fn to_decode_and_read(
    budget: &mut Budget,
    held: usize,
    most: usize,
    bounds: Bounds,
) -> (usize, usize) {
    let decoded = to_decode(budget, held, most);
    (decoded, bounds.nodes.min(decoded / NODE + SPARE))
}

/// What judging the asked items takes, whatever the reply says.
pub(super) fn of_items(asked: &Asked) -> usize {
    ITEM * asked.len()
}
