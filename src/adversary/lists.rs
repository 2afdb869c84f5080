//! Mutations of lists and of what names their entries.

use super::entries::{Entry, names_item, says_failure};
use super::members::MOST_ENTRIES;
use super::rules::{Class, Rule};
use super::seen::Item;
use super::tree::{Node, Path};
use super::{Change, Ground};
use crate::decode::Wire;

const STRANGER: &str = "zzz-stranger";

/// 3a.1 and 3a.6: what an entry says it is, it is; and a failure that nobody can place is anybody's.
///
/// Only asked items, whose only mention this entry is: another mention may still speak for them.
pub(super) fn identities(ground: &Ground<'_>, out: &mut Vec<Change>) {
    for entry in ground.entries.entries.iter().take(MOST_ENTRIES) {
        let item = &ground.seen.items[entry.item];
        let shared = |other: &Item| other.id == item.id && other.index != item.index;
        if !item.is_asked || ground.seen.items.iter().any(shared) || (entry.names.is_empty() && !entry.keyed)
        {
            continue;
        }
        let failing = !item.is_good();
        if failing && ground.declared.first_by_default {
            continue;
        }
        let rule = Rule::Renamed { item: entry.item, failing };
        let mut change = |tree: Option<Node>, done: &str| {
            if let Some(tree) = tree.filter(|tree| !mentions(tree, ground, entry.item)) {
                let what = format!("the id of {} {done}", ground.tree.pointer(&entry.path));
                out.push(Change { class: Class::Identity, what, tree, rule: rule.clone() });
            }
        };
        // An entry that names nothing may be known by its position where the numbers agree.
        let siblings = entry.path.split_last().and_then(|(_, list)| ground.tree.at(list)).map(Node::children);
        let asked = ground.seen.items.iter().filter(|item| item.index.is_some()).count();
        let by_position = siblings.is_some_and(|siblings| siblings.len() == asked);
        if !by_position {
            change(nameless(ground.tree, entry), "removed");
        }
        // Where others are spoken of, too, a strange name is theirs.
        if !ground.declared.volunteers {
            change(renamed(ground.tree, entry, other_case), "in another case");
            change(renamed(ground.tree, entry, |_| Some(STRANGER.to_owned())), "a stranger's");
        }
        let elsewhere =
            mentions(&ground.tree.with(&entry.path, |node| *node = Node::Null), ground, entry.item);
        let placed = by_position && item.is_good();
        if ground.wire == Wire::Json && !(entry.keyed || elsewhere || placed) {
            let tree = entry.names.iter().fold(ground.tree.clone(), |tree, path| {
                tree.with(path, |node| *node = Node::map(&[("x", node.clone())]))
            });
            // The name still stands in it, one level down, where no entry has its name.
            let what = format!("the id of {} an object", ground.tree.pointer(&entry.path));
            out.push(Change { class: Class::Identity, what, tree, rule: rule.clone() });
        }
    }
}

/// 3a.6: a list is a list. XML has no lists to speak of: there, a lone element is one, and its text is a text.
pub(super) fn lists(ground: &Ground<'_>, out: &mut Vec<Change>) {
    if !matches!(ground.wire, Wire::Json) {
        return;
    }
    for (path, elements) in all_lists(ground) {
        let pointer = ground.tree.pointer(&path);
        let below = ground.entries.below(&path);
        let mut change = |node: Node, done: &str, rule: Rule| {
            let tree = ground.tree.with(&path, |list| *list = node);
            out.push(Change { class: Class::List, what: format!("{pointer} {done}"), tree, rule });
        };
        // Whoever is named elsewhere, or may be meant by a place in a list beside this one, may be good by that.
        let rest = ground.tree.with(&path, |list| *list = Node::Null);
        let beside =
            all_lists(ground).iter().any(|(own, other)| *own != path && other.len() == elements.len());
        let named =
            |item: &&usize| ground.entries.entries.iter().any(|e| e.item == **item && !e.names.is_empty());
        let only = below.iter().filter(|item| !mentions(&rest, ground, **item) && (named(item) || !beside));
        let only: Vec<usize> = only.copied().collect();
        let elsewhere: Vec<usize> = below.iter().filter(|item| !only.contains(item)).copied().collect();
        let unlisted =
            |silent: bool| Rule::Unlisted { items: only.clone(), silent, elsewhere: elsewhere.clone() };
        let failure = pointer.rsplit('/').next().is_some_and(says_failure);
        change(Node::Bare("true".to_owned()), "made true", unlisted(failure));
        change(Node::Bare("false".to_owned()), "made false", unlisted(false));
        change(Node::Bare("7".to_owned()), "made a number", unlisted(failure));
        change(Node::text("boom"), "made a text", unlisted(failure));
        let doubled = elements.iter().chain(elements).cloned().collect();
        // Twice as many may be as many as were asked, by chance: then each place is somebody's.
        let asked = ground.seen.items.iter().filter(|item| item.index.is_some()).count();
        if elements.len() * 2 != asked {
            change(Node::List(doubled), "doubled", Rule::NoRise);
        }
        if let Some(first @ Node::Map(_)) = elements.first() {
            let own = ground.entries.below(&[path.as_slice(), &[0]].concat());
            // Whoever has an entry behind the first loses it.
            let entries = ground.entries.entries.iter().filter(|entry| entry.path.starts_with(&path));
            let gone = entries.filter(|entry| entry.path.get(path.len()) != Some(&0)).map(|entry| entry.item);
            let gone: Vec<usize> = gone.collect();
            let rule = match elements.len() {
                1 => unlisted(false),
                _ if own.is_empty() && gone.is_empty() => continue,
                _ if gone.iter().any(|item| own.contains(item)) => continue,
                _ => Rule::Gone { items: gone },
            };
            change(first.clone(), "made an object", rule);
        }
        if !elements.is_empty() {
            // Empty it is another reply, and a documented one for a list of failures: what it held has nothing to say.
            let tree = ground.tree.with(&path, |list| *list = Node::List(Vec::new()));
            if !below.is_empty() && !below.iter().any(|item| mentions(&tree, ground, *item)) {
                change(Node::List(Vec::new()), "emptied", Rule::Emptied { items: only.clone() });
            }
        }
    }
}

/// A list's order says nothing where every entry has a name of its own, and no list beside it is read along with it.
pub(super) fn orders(ground: &Ground<'_>, out: &mut Vec<Change>) {
    let lists = all_lists(ground);
    for (path, elements) in lists.iter().filter(|(_, elements)| elements.len() > 1) {
        let named = (0..elements.len()).all(|at| {
            let own = [path.as_slice(), &[at]].concat();
            let is_own = |entry: &&Entry| entry.path == own && !entry.names.is_empty();
            ground
                .entries
                .entries
                .iter()
                .find(is_own)
                .is_some_and(|entry| ground.seen.items[entry.item].is_asked)
        });
        let parallel = lists.iter().filter(|(_, other)| other.len() == elements.len()).count() > 1;
        let rule = if named && !parallel { Rule::Same } else { Rule::NoMore };
        let tree = ground.tree.with(path, |list| {
            if let Node::List(elements) = list {
                elements.reverse();
            }
        });
        let what = format!("{} reversed", ground.tree.pointer(path));
        out.push(Change { class: Class::Order, what, tree, rule });
    }
}

/// Every list outside the entries. One inside an element of another that speaks of nobody may be part of an id, or of what a
/// resource is.
fn all_lists<'g>(ground: &Ground<'g>) -> Vec<(Path, &'g [Node])> {
    let mut found = Vec::new();
    ground.tree.walk(&mut Vec::new(), &mut |path, node| {
        if ground.entries.is_inside(path) {
            return false;
        }
        if let Node::List(elements) = node {
            let inner =
                (0..path.len()).any(|length| matches!(ground.tree.at(&path[..length]), Some(Node::List(_))));
            if inner && ground.entries.below(path).is_empty() {
                return false;
            }
            found.push((path.to_vec(), elements.as_slice()));
        }
        true
    });
    found
}

/// Whether anything in a tree still names an item.
fn mentions(tree: &Node, ground: &Ground<'_>, item: usize) -> bool {
    let mut found = false;
    tree.walk(&mut Vec::new(), &mut |_, node| {
        found |= names_item(node, ground.seen) == Some(item)
            || node.members().iter().any(|(key, _)| ground.seen.items[item].is_named(key));
        !found
    });
    found
}

fn nameless(tree: &Node, entry: &Entry) -> Option<Node> {
    let whole = entry.names.contains(&entry.path);
    if entry.keyed || whole {
        return None;
    }
    // From the back, so that the paths before stay true.
    Some(entry.names.iter().rev().fold(tree.clone(), |tree, path| tree.without(path)))
}

fn renamed(tree: &Node, entry: &Entry, name: impl Fn(&str) -> Option<String>) -> Option<Node> {
    let mut tree = tree.clone();
    if entry.keyed {
        let (&last, map) = entry.path.split_last()?;
        let Node::Map(members) = tree.at_mut(map)? else { return None };
        members[last].0 = name(&members[last].0)?;
    }
    for path in &entry.names {
        let node = tree.at_mut(path)?;
        *node = Node::text(&name(node.scalar()?)?);
    }
    Some(tree)
}

/// Letters in the other case; nothing without letters, nor for UUIDs, which are equal in any case.
fn other_case(text: &str) -> Option<String> {
    let is_uuid = text.len() == 36 && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    let swap = |c: char| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let swapped: String = text.chars().map(swap).collect();
    (swapped != text && !is_uuid).then_some(swapped)
}
