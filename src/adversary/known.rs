//! What the cases of a profile show to be good: the documented bodies, statuses and shapes that no mutation may be blamed for
//! turning into.

use std::collections::{HashMap, HashSet};

use super::entries::Entries;
use super::seen::Seen;
use super::tree::Node;
use super::wire::Body;
use crate::decode::{Bounds, Wire, read};
use crate::message::Message;

/// What all cases of one profile show.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By action.
    bodies: HashMap<usize, Bodies>,
    /// Shapes of entries that were good as `reported`.
    pub(super) good_entries: HashSet<String>,
    /// Where entries that were not good stand: an entry there needs more than its presence.
    pub(super) mixed_lists: HashSet<String>,
    nothing: Bodies,
}

/// What the cases of one action show.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    /// Bodies of wholly good replies.
    pub(super) good: HashSet<String>,
    /// Their shapes.
    pub(super) shapes: HashSet<String>,
    /// Statuses under which something was good that no entry reported.
    pub(super) statuses: HashSet<u16>,
}

impl Known {
    /// Takes in one case.
    pub(super) fn learn(&mut self, action: usize, reply: &Message, body: Option<&Body>, seen: &Seen) {
        let bodies = self.bodies.entry(action).or_default();
        if seen.is_good() {
            bodies.good.insert(canonical(&reply.body));
            bodies.shapes.extend(body.map(|body| body.tree.shape()));
        }
        if seen.is_good() || seen.items.iter().any(|item| item.is_good() && !item.is_reported()) {
            bodies.statuses.insert(reply.status);
        }
        let Some(Body { tree, .. }) = body else { return };
        for entry in Entries::find(tree, seen).entries {
            let Some(node) = tree.at(&entry.path) else { continue };
            let item = &seen.items[entry.item];
            if item.is_good() && item.is_reported() {
                self.good_entries.insert(node.shape());
            } else if !item.is_good() {
                self.mixed_lists.insert(place(tree, &entry.path));
            }
        }
    }

    pub(super) fn bodies(&self, action: usize) -> &Bodies {
        self.bodies.get(&action).unwrap_or(&self.nothing)
    }
}

/// A body that can be compared with another: without white space where it is JSON.
pub(super) fn canonical(body: &[u8]) -> String {
    match read(body, Wire::Json, "", Bounds::default(), false) {
        Ok((document, _)) => format!("{:?}", Node::of(document.root())),
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    }
}

/// The place of an entry's list: its path without positions and without keys that may be ids.
pub(super) fn place(tree: &Node, path: &[usize]) -> String {
    let list = &path[..path.len().saturating_sub(1)];
    tree.pointer(list).split('/').filter(|step| step.parse::<usize>().is_err()).collect::<Vec<_>>().join("/")
}
