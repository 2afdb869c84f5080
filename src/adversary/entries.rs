//! Where a reply speaks of single items, found by the ids of its envelope and not by any rule of the profile.
//!
//! What is not certain is left out: an element that names two items is a wrapper, two lists that could both be meant by
//! position are neither.

use super::seen::Seen;
use super::tree::{Node, Path};

/// The part of a reply that speaks of one item.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: Path,
    /// Position in [`Seen::items`].
    pub(super) item: usize,
    /// Where in the tree its names stand; empty when it is known by its position, or by its key.
    pub(super) names: Vec<Path>,
    /// It is a map's member, and its key names it.
    pub(super) keyed: bool,
}

/// Entries, and the containers they stand in.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    pub(super) entries: Vec<Entry>,
}

impl Entries {
    pub(super) fn find(tree: &Node, seen: &Seen) -> Self {
        let mut found = Self::default();
        found.by_name(seen, tree, &mut Vec::new());
        if found.entries.is_empty() {
            found.by_position(tree, seen);
        }
        found
    }

    /// The items whose entries stand below a path.
    pub(super) fn below(&self, path: &[usize]) -> Vec<usize> {
        self.entries.iter().filter(|entry| entry.path.starts_with(path)).map(|entry| entry.item).collect()
    }

    /// Whether a path leads into an entry, or is one.
    pub(super) fn is_inside(&self, path: &[usize]) -> bool {
        self.entries.iter().any(|entry| path.starts_with(&entry.path))
    }

    fn by_name(&mut self, seen: &Seen, node: &Node, path: &mut Path) {
        let is_list = matches!(node, Node::List(_));
        for (at, child) in node.children().into_iter().enumerate() {
            path.push(at);
            let key = node.members().get(at).map(|(key, _)| key.as_str());
            // Repeated members are XML's list; a lone one is a list of one as soon as it holds the name itself.
            let holds_it = matches!(child, Node::Map(_))
                && child.children().iter().any(|inner| names_item(inner, seen).is_some());
            let listed = is_list || (key.is_some() && holds_it);
            let by_key = key.and_then(|key| seen.items.iter().position(|item| item.is_named(key)));
            if let Some(item) = by_key {
                self.entries.push(Entry { path: path.clone(), item, names: Vec::new(), keyed: true });
            } else if let Some((item, inner)) = if listed { only_name(child, seen) } else { None } {
                let names = inner.into_iter().map(|inner| [path.as_slice(), &inner].concat()).collect();
                self.entries.push(Entry { path: path.clone(), item, names, keyed: false });
            } else {
                self.by_name(seen, child, path);
            }
            path.pop();
        }
    }

    /// One list as long as what was asked, its elements naming nobody, every verdict reported.
    fn by_position(&mut self, tree: &Node, seen: &Seen) {
        let asked = seen.items.iter().filter(|item| item.index.is_some()).count();
        if asked == 0 || asked != seen.items.len() || !seen.items.iter().all(|item| item.is_reported()) {
            return;
        }
        let mut lists = Vec::new();
        tree.walk(&mut Vec::new(), &mut |path, node| {
            if let Node::List(elements) = node
                && elements.len() == asked
                && elements.iter().all(|element| matches!(element, Node::Map(_)))
            {
                lists.push(path.to_vec());
                return false;
            }
            true
        });
        let [list] = lists.as_slice() else { return };
        self.entries = (0..asked)
            .map(|item| Entry {
                path: [list.as_slice(), &[item]].concat(),
                item,
                names: Vec::new(),
                keyed: false,
            })
            .collect();
    }
}

/// The item a scalar names: by its whole text or, for URLs and ARNs, by its last segment.
pub(super) fn names_item(node: &Node, seen: &Seen) -> Option<usize> {
    let text = node.scalar()?;
    let by = |text: &str| {
        let mut items = (0..seen.items.len()).filter(|item| seen.items[*item].is_named(text));
        // A name that two items share names neither.
        items.next().filter(|_| items.next().is_none())
    };
    by(text).or_else(|| by(text.rsplit(['/', ':']).next().filter(|last| last.len() < text.len())?))
}

/// The one item that a node's scalars name, and where; nothing if they name none or several.
fn only_name(node: &Node, seen: &Seen) -> Option<(usize, Vec<Path>)> {
    let mut found: Option<(usize, Vec<Path>)> = None;
    let mut several = false;
    node.walk(&mut Vec::new(), &mut |path, inner| {
        if let Some(item) = names_item(inner, seen) {
            match &mut found {
                None => found = Some((item, vec![path.to_vec()])),
                Some((own, paths)) if *own == item => paths.push(path.to_vec()),
                Some(_) => several = true,
            }
        }
        !several
    });
    found.filter(|_| !several)
}

/// Whether a member's name says failure, in any convention; never a code's or a message's name.
pub(super) fn says_failure(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["fail", "error", "reject", "conflict", "skip", "unprocessed", "unsuccessful", "exception"]
        .iter()
        .any(|word| name.contains(word))
        && !says_kind(&name)
}

/// Whether a member's name says success.
pub(super) fn says_success(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["success", "succeed"].iter().any(|word| name.contains(word))
        && !name.contains("unsuccess")
        && !says_kind(&name)
}

/// Codes, kinds and times are numbers, but count nothing.
fn says_kind(name: &str) -> bool {
    ["code", "errno", "type", "status", "level", "time", "date", "at", "id", "msg", "message", "reason"]
        .iter()
        .any(|word| name.ends_with(word))
}
