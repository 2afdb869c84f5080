//! Mutations of single members: errors put in, counts moved, marks of success taken away.

use super::entries::{Entries, Entry, says_failure, says_success};
use super::known::{Known, place};
use super::rules::{Class, Declared, Rule};
use super::tree::{Node, Path};
use super::{Change, Ground};

/// Entries of one reply that are looked at; the rest is like them.
pub(super) const MOST_ENTRIES: usize = 6;

/// Members that state an error, in the shapes vendors give it.
fn errors() -> Vec<(&'static str, Node)> {
    let message = Node::map(&[("message", Node::text("boom"))]);
    vec![
        ("error", Node::text("boom")),
        ("error", message.clone()),
        ("errors", Node::List(vec![message])),
        ("Error", Node::map(&[("Code", Node::text("X"))])),
        ("exception", Node::text("boom")),
        ("success", Node::Bare("false".to_owned())),
        ("Success", Node::Bare("false".to_owned())),
        // More than any reply here has: a count that its failures explain says nothing new.
        ("failed_count", Node::Bare("9".to_owned())),
        ("failedIds", Node::List(vec![Node::text("zzz")])),
    ]
}

/// How many of them state an error of one item; the last two count and list others.
const OF_ONE: usize = 7;

/// 3a.2: an error member vetoes, at the root and in each wrapper, in any shape.
pub(super) fn error_members(ground: &Ground<'_>, out: &mut Vec<Change>) {
    for path in wrappers(ground.tree, &ground.entries) {
        // What has the name of a failure, or is an element that holds names of one, states one already.
        let named = path.split_last().and_then(|(at, up)| ground.tree.at(up)?.members().get(*at));
        if named.is_some_and(|(name, _)| says_failure(name)) {
            continue;
        }
        let listed =
            path.split_last().is_some_and(|(_, up)| matches!(ground.tree.at(up), Some(Node::List(_))));
        if listed && ground.entries.below(&path).iter().any(|item| !ground.seen.items[*item].is_good()) {
            continue;
        }
        for (name, value) in errors() {
            if name == "failedIds" && ground.declared.volunteers
                || name == "errors" && ground.declared.first_by_default
            {
                continue;
            }
            // In a map of lists, a list more is a list of somebody's.
            let of_lists = |node: &Node| {
                node.members().len() > 1
                    && node.members().iter().all(|(_, inner)| matches!(inner, Node::List(_)))
            };
            let maps_lists = !path.is_empty()
                && ground
                    .tree
                    .at(&path)
                    .is_some_and(|node| of_lists(node) || matches!(node.members(), [(_, Node::List(_))]));
            if maps_lists && matches!(value, Node::List(_)) {
                continue;
            }
            let Some(tree) = injected(ground.tree, &path, name, &value, &ground.declared) else { continue };
            let what = format!("{} at {}", shown(name, &value), ground.tree.pointer(&path));
            out.push(Change { class: Class::Error, what, tree, rule: Rule::Reported });
        }
    }
    for (path, name, text) in outside(ground) {
        if says_success(name) && text == "true" {
            let tree = ground.tree.with(&path, |node| *node = same_kind(node, "false"));
            let what = format!("false at {}", ground.tree.pointer(&path));
            out.push(Change { class: Class::Error, what, tree, rule: Rule::Reported });
        }
    }
}

/// 3a.9: an entry's own failure is read, or netted.
pub(super) fn entry_errors(ground: &Ground<'_>, out: &mut Vec<Change>) {
    for entry in ground.entries.entries.iter().take(MOST_ENTRIES) {
        // `{"id": {"S": "a"}}`: a typed value. The entry is a row of a table, and its members are the resource's own.
        let typed = |name: &Path| {
            name.len() == entry.path.len() + 2
                && ground.tree.at(&name[..name.len() - 1]).is_some_and(|v| v.members().len() == 1)
        };
        let is_row = !entry.names.is_empty() && entry.names.iter().all(typed);
        if !ground.seen.items[entry.item].is_good() || is_row {
            continue;
        }
        let path = stating(ground.tree, entry);
        for (name, value) in errors().into_iter().take(OF_ONE) {
            let Some(tree) = injected(ground.tree, &path, name, &value, &ground.declared) else { continue };
            let what = format!("{} at {}", shown(name, &value), ground.tree.pointer(&path));
            out.push(Change { class: Class::EntryError, what, tree, rule: Rule::ItemOrBatch(entry.item) });
        }
    }
}

/// 3a.5: counts are statements. Those inside an entry may count what the resource holds, and are left alone.
pub(super) fn counts(ground: &Ground<'_>, out: &mut Vec<Change>) {
    let good = ground.seen.items.iter().filter(|item| item.is_good()).count();
    for (path, name, text) in outside(ground) {
        let Ok(number) = text.parse::<usize>() else { continue };
        let mut change = |to: &str, rule: Rule| {
            let tree = ground.tree.with(&path, |node| {
                *node = if to.parse::<usize>().is_ok() { same_kind(node, to) } else { Node::text(to) };
            });
            let what = format!("{} {number} → {to}", ground.tree.pointer(&path));
            out.push(Change { class: Class::Count, what, tree, rule });
        };
        if says_failure(name) {
            change(&(number + 1).to_string(), Rule::Reported);
        } else if says_success(name) {
            // A larger number counts something else than the items, and one less leaves room for all of them.
            if (1..=good).contains(&number) {
                change(&(number - 1).to_string(), Rule::Derived);
            }
            change("many", Rule::Derived);
        }
    }
}

/// 3a.4: a positive mark. What remains may be a documented success of its own: a shape that a case shows to be good is left out.
pub(super) fn marks(ground: &Ground<'_>, known: &Known, out: &mut Vec<Change>) {
    let shapes = &known.bodies(ground.action).shapes;
    for path in wrappers(ground.tree, &ground.entries) {
        // Not numbers: without a count or a position that spoke against the rest, the rest may stand.
        let texts =
            scalar_members(ground.tree, &path).into_iter().filter(|at| !is_number(ground.tree, &path, *at));
        for at in texts {
            removed(ground, &[path.as_slice(), &[at]].concat(), |tree| !shapes.contains(&tree.shape()), out);
        }
    }
    for entry in ground.entries.entries.iter().take(MOST_ENTRIES) {
        let path = stating(ground.tree, entry);
        let is_new = |tree: &Node| {
            tree.at(&entry.path).is_some_and(|node| !known.good_entries.contains(&node.shape()))
                && !shapes.contains(&tree.shape())
        };
        for at in scalar_members(ground.tree, &path) {
            let member = [path.as_slice(), &[at]].concat();
            if !entry.names.contains(&member) {
                removed(ground, &member, is_new, out);
            }
        }
        bare_entry(ground, known, entry, &is_new, out);
    }
}

/// One scalar gone, and the same one null.
fn removed(ground: &Ground<'_>, path: &[usize], is_new: impl Fn(&Node) -> bool, out: &mut Vec<Change>) {
    let pointer = ground.tree.pointer(path);
    let changed = [
        (ground.tree.without(path), format!("{pointer} removed")),
        (ground.tree.with(path, |node| *node = Node::Null), format!("{pointer} null")),
    ];
    for (tree, what) in changed {
        if is_new(&tree) {
            out.push(Change { class: Class::Mark, what, tree, rule: Rule::NoMarkedRise });
        }
    }
}

/// An entry without all it says but its id. Not outside a list or where containers remain (the mark may be beside it or in
/// them), nor in a list that never held
/// but successes: there, being listed is the mark.
fn bare_entry(
    ground: &Ground<'_>,
    known: &Known,
    entry: &Entry,
    is_new: &impl Fn(&Node) -> bool,
    out: &mut Vec<Change>,
) {
    let item = &ground.seen.items[entry.item];
    let members = ground.tree.at(&entry.path).map(Node::members).unwrap_or_default();
    let listed =
        entry.path.split_last().is_some_and(|(_, list)| matches!(ground.tree.at(list), Some(Node::List(_))));
    let flat = members.iter().all(|(_, value)| value.scalar().is_some() || value.is_empty());
    let mixed = known.mixed_lists.contains(&place(ground.tree, &entry.path));
    if !listed || !flat || !mixed || !item.is_good() || !item.is_reported() || !item.is_asked {
        return;
    }
    let kept = |at: usize| entry.names.contains(&[entry.path.as_slice(), &[at]].concat());
    let mut position = 0;
    let tree = ground.tree.with(&entry.path, |node| {
        if let Node::Map(members) = node {
            members.retain(|_| {
                position += 1;
                kept(position - 1)
            });
        }
    });
    if tree != *ground.tree && is_new(&tree) {
        let what = format!("all but the id removed from {}", ground.tree.pointer(&entry.path));
        out.push(Change { class: Class::Mark, what, tree, rule: Rule::NotItem(entry.item) });
    }
}

/// Where an entry makes its statement: itself, or the body of an embedded message.
fn stating(tree: &Node, entry: &Entry) -> Path {
    let members = tree.at(&entry.path).map(Node::members).unwrap_or_default();
    let embedded = members.iter().any(|(key, _)| key == "headers")
        && members
            .iter()
            .any(|(key, value)| key == "target" || (key == "status" && value.scalar().is_some()));
    let body = members.iter().position(|(key, value)| key == "body" && matches!(value, Node::Map(_)));
    match body {
        Some(body) if embedded => [entry.path.as_slice(), &[body]].concat(),
        _ => entry.path.clone(),
    }
}

/// The root and the objects around the entries; without entries, an object that the root holds alone. Other objects may describe
/// a resource, whose members are not looked into (3a.9), and in a map by id every member is an entry.
fn wrappers(tree: &Node, entries: &Entries) -> Vec<Path> {
    let mut found: Vec<Path> = vec![Vec::new()];
    for entry in &entries.entries {
        found.extend((1..entry.path.len()).map(|length| entry.path[..length].to_vec()));
    }
    let containers: Vec<usize> =
        (0..tree.members().len()).filter(|at| !is_scalar(&tree.members()[*at].1)).collect();
    // What has a name of its own is a resource.
    let named = |at: usize| {
        let members = tree.members()[at].1.members();
        members
            .iter()
            .any(|(key, _)| ["id", "uid", "uuid", "name"].contains(&key.to_ascii_lowercase().as_str()))
    };
    if let ([only], true) = (containers.as_slice(), entries.entries.is_empty())
        && !named(*only)
    {
        found.push(vec![*only]);
    }
    found.sort();
    found.dedup();
    let by_id = |path: &Path| {
        entries
            .entries
            .iter()
            .any(|entry| entry.keyed && entry.path.len() == path.len() + 1 && entry.path.starts_with(path))
    };
    found.retain(|path| matches!(tree.at(path), Some(Node::Map(_))) && (path.is_empty() || !by_id(path)));
    found
}

fn is_scalar(node: &Node) -> bool {
    matches!(node, Node::Null) || node.scalar().is_some()
}

/// A number that counts or points: no code.
fn is_number(tree: &Node, path: &[usize], at: usize) -> bool {
    let member = tree.at(path).and_then(|node| node.members().get(at));
    member.is_some_and(|(key, value)| {
        let key = key.to_ascii_lowercase();
        value.scalar().is_some_and(|text| text.parse::<f64>().is_ok())
            && !["code", "status", "errno"].iter().any(|word| key.contains(word))
    })
}

fn scalar_members(tree: &Node, path: &[usize]) -> Vec<usize> {
    let members = tree.at(path).map(Node::members).unwrap_or_default();
    (0..members.len()).filter(|at| members[*at].1.scalar().is_some()).collect()
}

/// Every named scalar outside the entries.
fn outside<'g>(ground: &'g Ground<'_>) -> Vec<(Path, &'g str, &'g str)> {
    let scalars = ground.tree.scalars().into_iter().filter(|(path, _)| !ground.entries.is_inside(path));
    scalars
        .filter_map(|(path, text)| {
            let (&last, parent) = path.split_last()?;
            let (name, _) = ground.tree.at(parent)?.members().get(last)?;
            Some((path, name.as_str(), text))
        })
        .collect()
}

/// The tree with a member put in, or in the place of an empty one; nothing where the name is taken or harmless.
fn injected(tree: &Node, path: &[usize], name: &str, value: &Node, declared: &Declared) -> Option<Node> {
    let Node::Map(members) = tree.at(path)? else { return None };
    let is_flag = name.eq_ignore_ascii_case("success");
    let taken = members.iter().any(|(key, own)| match is_flag {
        true => key.eq_ignore_ascii_case(name),
        false => key == name && !own.is_empty(),
    });
    if taken || declared.is_harmless(name) {
        return None;
    }
    Some(tree.with(path, |node| {
        if let Node::Map(members) = node {
            members.retain(|(key, _)| key != name);
            members.push((name.to_owned(), value.clone()));
        }
    }))
}

fn shown(name: &str, value: &Node) -> String {
    let kind = match value {
        Node::List(_) => " list",
        Node::Map(_) => " object",
        Node::Text(_) => " text",
        Node::Bare(text) => return format!("{name} {text}"),
        Node::Null => "",
    };
    format!("{name}{kind}")
}

/// A number or flag stays one, and a text of it a text.
fn same_kind(node: &Node, text: &str) -> Node {
    if matches!(node, Node::Text(_)) { Node::text(text) } else { Node::Bare(text.to_owned()) }
}
