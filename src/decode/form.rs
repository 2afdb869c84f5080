//! Query strings and form bodies as a tree: `X.N.Y=v` becomes `{"X":[{"Y":"v"}]}`.
//!
//! Indexed parameters count from 0 or 1 and are put in numeric order; AWS writes `X.member.N` for the same thing. Gaps are
//! closed, and said: some readers stop there. A value that is a JSON list or object is read as such (Alibaba squeezes ids into one
//! parameter). Keys keep their order of first appearance, repeats are kept.

use std::borrow::Cow;

use hashbrown::HashMap;
use percent_encoding::percent_decode_str;

use super::Bounds;
use super::tape::{Kind, MOST_NODES, Node};
use crate::json_text::string;

/// What is not said by the tree about how its parameters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Readers differ: a number of a list stands twice, is left out (who counts from the first on stops there), has a sign or
    /// noughts before it, or stands beside names; or a structure has a member twice.
    pub(super) oddly: bool,
    /// A list begins with 0.
    pub(super) from_nought: bool,
}

/// Reads parameters that stand in order and need no decoding straight onto the tape, and whether a list begins with 0; none
/// where anything is unusual.
///
/// The nodes point into the parameters themselves, which are no JSON.
pub(super) fn parse_plain(text: &str, bounds: Bounds) -> Option<(Vec<Node>, Written)> {
    // What would have to be decoded, escaped or read as JSON. Nodes point to places by 32 bits.
    let plain = |b: u8| b >= b' ' && !matches!(b, b'%' | b'+' | b'"' | b'\\' | b'[' | b'{');
    // In pieces without an early end, which is many bytes at a time.
    let all_plain = |piece: &[u8]| piece.iter().fold(true, |all, b| all & plain(*b));
    if !text.as_bytes().chunks(256).all(all_plain) || text.len() > u32::MAX as usize {
        return None;
    }
    let bounds = Bounds { nodes: bounds.nodes.min(MOST_NODES), ..bounds };
    let pairs = memchr::memchr_iter(b'&', text.as_bytes()).count() + 1;
    let nodes = Vec::with_capacity(pairs.min(bounds.nodes) + 32);
    let mut tape = Tape { text, nodes, open: Vec::new(), prefix: "", from_nought: false };
    tape.nodes.push(Node::new(Kind::Object, false, 0, text.len(), 1));
    tape.open.push(Level { name: "", node: 0, last: None, by_member: false, groups: Vec::new() });
    let mut from = 0;
    for end in memchr::memchr_iter(b'&', text.as_bytes()).chain([text.len()]) {
        let pair = &text[from..end];
        from = end + 1;
        if pair.is_empty() {
            continue;
        }
        let equals = memchr::memchr(b'=', pair.as_bytes()).unwrap_or(pair.len());
        tape.add(&pair[..equals], pair.get(equals + 1..).unwrap_or(&pair[pair.len()..]))?;
        if tape.nodes.len() > bounds.nodes || tape.open.len() > bounds.depth.min(DEEPEST) {
            return None;
        }
    }
    tape.close_to(0);
    Some((tape.nodes, Written { oddly: false, from_nought: tape.from_nought }))
}

/// Nodes as they are added, and the groups that are open.
struct Tape<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    open: Vec<Level<'t>>,
    /// The last name up to its last dot, whose levels are open.
    prefix: &'t str,
    from_nought: bool,
}

struct Level<'t> {
    name: &'t str,
    node: usize,
    /// A list's last number; none for an object.
    last: Option<u64>,
    /// Whether `member` stands before a list's numbers.
    by_member: bool,
    /// An object's groups so far: none may come again.
    groups: Vec<&'t str>,
}

impl<'t> Tape<'t> {
    fn add(&mut self, name: &'t str, value: &'t str) -> Option<()> {
        // Mostly one more of the same list.
        let same = if self.prefix.is_empty() { None } else { name.strip_prefix(self.prefix) };
        if let Some(step) = same.filter(|step| step.bytes().all(|b| b.is_ascii_digit()) && !step.is_empty()) {
            self.member(step, false)?;
            self.push(Kind::String, value);
            return Some(());
        }
        let mut steps = steps(name);
        let mut step = steps.next().filter(|step| !step.is_empty())?;
        let mut depth = 0;
        for next in steps {
            if next.is_empty() {
                return None;
            }
            depth += 1;
            if self.open.get(depth).is_none_or(|level| level.name != step) {
                self.close_to(depth - 1);
                self.open(step, next)?;
            }
            step = next;
        }
        self.close_to(depth);
        // Up to the last step, which need not be the name's end: `member` may follow.
        let before = step.as_ptr() as usize - name.as_ptr() as usize;
        self.prefix = if depth > 0 { &name[..before] } else { "" };
        self.member(step, false)?;
        self.push(Kind::String, value);
        Some(())
    }

    /// A list begins where the first name below is a number.
    fn open(&mut self, name: &'t str, first: &str) -> Option<()> {
        self.member(name, true)?;
        let list = first.parse::<u64>().is_ok();
        let node = self.nodes.len();
        self.push(if list { Kind::Array } else { Kind::Object }, name);
        // Numbers start at 0 or 1; one below the first is before it.
        let last = list.then_some(0);
        self.open.push(Level { name, node, last, by_member: false, groups: Vec::new() });
        Some(())
    }

    /// A member's key, or a list's next place.
    fn member(&mut self, name: &'t str, group: bool) -> Option<()> {
        let start = self.offset(name);
        let level = self.open.last_mut()?;
        match &mut level.last {
            Some(last) => {
                let by_member = self.text[..start].ends_with(MEMBER);
                if *last > 0 && level.by_member != by_member {
                    return None;
                }
                level.by_member = by_member;
                // One more than the number, so that 0 comes after nothing. All readers agree only where none is left out.
                let number = plain_number(name)?.checked_add(1)?;
                let next = number == *last + 1 || (number == 2 && *last == 0);
                self.from_nought |= number == 1;
                next.then(|| *last = number)
            }
            None => {
                // All numbers: a list, at the top; below, beside names, nobody knows.
                if name.as_bytes().first().is_some_and(u8::is_ascii_digit) && name.parse::<u64>().is_ok() {
                    return None;
                }
                // A structure's member stands once; of the root's, whoever knows the action can tell.
                if level.node > 0 && has(&self.nodes[level.node + 1..], self.text, name) {
                    return None;
                }
                if group {
                    if level.groups.len() > 64 || level.groups.contains(&name) {
                        return None;
                    }
                    level.groups.push(name);
                }
                let next = self.nodes.len() + 1;
                self.nodes.push(Node::key(false, start, start + name.len(), next));
                Some(())
            }
        }
    }

    fn push(&mut self, kind: Kind, span: &str) {
        let start = self.offset(span);
        let next = self.nodes.len() + 1;
        self.nodes.push(Node::new(kind, false, start, start + span.len(), next));
    }

    fn offset(&self, part: &str) -> usize {
        part.as_ptr() as usize - self.text.as_ptr() as usize
    }

    fn close_to(&mut self, depth: usize) {
        let next = self.nodes.len();
        for level in self.open.drain(depth + 1..) {
            let node = &mut self.nodes[level.node];
            node.close(self.text.len(), next);
        }
        if depth == 0 {
            self.nodes[0].close(self.text.len(), next);
        }
    }
}

/// Whether one of an object's members has a name; of many members it is not looked for, and may have.
fn has(members: &[Node], text: &str, name: &str) -> bool {
    let first = members.first().map_or(0, |key| key.next());
    let (mut at, mut left) = (0, 64);
    // Nodes are numbered from the tape's start: the first key's value is the second node here.
    let before = (first as usize).saturating_sub(1);
    while let (Some(key), 1..) = (members.get(at), left) {
        if text[key.start as usize..key.end as usize] == *name {
            return true;
        }
        let value = &members[at + 1];
        (at, left) = (value.next() as usize - before, left - 1);
    }
    left == 0
}

/// A number as everybody writes it: without a sign, without noughts before it.
fn plain_number(text: &str) -> Option<u64> {
    let plain = text == "0" || text.as_bytes().first().is_some_and(|first| matches!(first, b'1'..=b'9'));
    if plain { text.parse().ok() } else { None }
}

/// A parameter tree while it is built.
enum Part<'t> {
    Text(Cow<'t, str>),
    Members(Group<'t>),
}

/// Members in order of appearance; those that hold members of their own can be found again.
#[derive(Default)]
struct Group<'t> {
    list: Vec<(Cow<'t, str>, Part<'t>)>,
    groups: HashMap<Cow<'t, str>, usize, foldhash::fast::RandomState>,
    /// Whether names lead here with a `member` before the number, and without: whoever writes a list writes it in one way.
    by_member: bool,
    plainly: bool,
}

/// What AWS's query protocol writes before the numbers of a list.
const MEMBER: &str = ".member.";

/// A name's steps; AWS's `member` before a number says nothing.
fn steps(name: &str) -> impl Iterator<Item = &str> {
    name.split('.').filter(|step| *step != "member")
}

/// The same, and which of them stand behind a `member`.
fn steps_by_member(name: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut behind = false;
    name.split('.').filter_map(move |step| {
        let is_member = step == "member";
        let was = std::mem::replace(&mut behind, is_member);
        (!is_member).then_some((step, was))
    })
}

/// Deepest path; a deeper one is a caller's mischief, not a vendor's parameter.
const DEEPEST: usize = 16;

/// The text's pairs as JSON. Never fails: what is no pair is a name without a value.
pub fn form_to_json(text: &str) -> String {
    to_json(text).0
}

/// The same, and how it was written.
pub(super) fn to_json(text: &str) -> (String, Written) {
    let mut root = Group::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (plain(name), plain(value));
        if steps(&name).count() > DEEPEST || steps(&name).any(str::is_empty) {
            root.list.push((name, Part::Text(value)));
            continue;
        }
        match name {
            Cow::Borrowed(name) => {
                root.insert(steps_by_member(name).map(|(step, by)| (Cow::Borrowed(step), by)), value);
            }
            Cow::Owned(name) => {
                let owned = |(step, by): (&str, bool)| (Cow::Owned(step.to_owned()), by);
                root.insert(steps_by_member(&name).map(owned), value);
            }
        }
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / 4 + 16);
    let mut written = Written::default();
    write(&mut out, &Part::Members(root), true, &mut written);
    (String::from_utf8(out).unwrap_or_default(), written)
}

impl<'t> Group<'t> {
    fn insert(&mut self, mut steps: impl Iterator<Item = (Cow<'t, str>, bool)>, value: Cow<'t, str>) {
        let Some((mut step, _)) = steps.next() else { return };
        let mut group = self;
        for (next, by_member) in steps {
            group = group.inner(step);
            group.by_member |= by_member;
            group.plainly |= !by_member;
            step = next;
        }
        group.list.push((step, Part::Text(value)));
    }

    /// The members below a name.
    fn inner(&mut self, name: Cow<'t, str>) -> &mut Group<'t> {
        // Mostly the one before: parameters of one list stand together.
        let last =
            self.list.last().is_some_and(|(last, part)| *last == name && matches!(part, Part::Members(_)));
        let known = if last { Some(self.list.len() - 1) } else { self.groups.get(&name).copied() };
        let at = known.unwrap_or_else(|| {
            self.groups.insert(name.clone(), self.list.len());
            self.list.push((name, Part::Members(Group::default())));
            self.list.len() - 1
        });
        match &mut self.list[at].1 {
            Part::Members(inner) => inner,
            Part::Text(_) => unreachable!("only groups are remembered"),
        }
    }
}

fn write(out: &mut Vec<u8>, part: &Part<'_>, is_root: bool, written: &mut Written) {
    match part {
        Part::Text(text) => {
            let looks_json = text.starts_with(['[', '{']);
            if looks_json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
                out.extend_from_slice(text.as_bytes());
            } else {
                string(out, text);
            }
        }
        Part::Members(Group { list: members, by_member, plainly, .. }) => match numbered(members) {
            Some(elements) => {
                written.oddly |= !counts(members, &elements) || (*by_member && *plainly);
                written.from_nought |= elements[0].0 == 0;
                out.push(b'[');
                for (n, (_, element)) in elements.into_iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    write(out, element, false, written);
                }
                out.push(b']');
            }
            None => {
                written.oddly |= !is_root && is_odd(members);
                out.push(b'{');
                for (n, (name, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    string(out, name);
                    out.push(b':');
                    write(out, value, false, written);
                }
                out.push(b'}');
            }
        },
    }
}

/// Whether a list's numbers, sorted, are 0, 1, 2 … or 1, 2, 3 …, and plainly written.
fn counts(members: &[(Cow<'_, str>, Part<'_>)], elements: &[(u64, &Part<'_>)]) -> bool {
    elements.first().is_some_and(|(first, _)| *first <= 1)
        && elements.windows(2).all(|pair| pair[1].0 - pair[0].0 == 1)
        && members.iter().all(|(name, _)| plain_number(name).is_some())
}

/// Whether a structure has a member twice, or one that is a number.
fn is_odd(members: &[(Cow<'_, str>, Part<'_>)]) -> bool {
    let mut seen = std::collections::HashSet::with_capacity(members.len());
    members.iter().any(|(name, _)| name.parse::<u64>().is_ok() || !seen.insert(name))
}

/// The members in numeric order, when all their names are numbers.
fn numbered<'m, 't>(members: &'m [(Cow<'t, str>, Part<'t>)]) -> Option<Vec<(u64, &'m Part<'t>)>> {
    let mut elements = Vec::with_capacity(members.len());
    for (name, part) in members {
        elements.push((name.parse::<u64>().ok()?, part));
    }
    elements.sort_by_key(|(number, _)| *number);
    (!elements.is_empty()).then_some(elements)
}

fn plain(text: &str) -> Cow<'_, str> {
    match memchr::memchr2(b'+', b'%', text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Document, Scalar, Value, Wire, read};
    use super::*;

    fn check(form: &str, json: &str) {
        assert_eq!(form_to_json(form), json);
    }

    #[test]
    fn indexed_parameters_become_lists_in_numeric_order() {
        check("Ids.10=c&Ids.2=b&Ids.1=a", r#"{"Ids":["a","b","c"]}"#);
        check("E.1.Id=a&E.1.R=x&E.2.Id=b", r#"{"E":[{"Id":"a","R":"x"},{"Id":"b"}]}"#);
        check("E.member.1.Id=a", r#"{"E":[{"Id":"a"}]}"#);
        check("Id.99999999=a", r#"{"Id":["a"]}"#);
    }

    #[test]
    fn a_list_that_is_not_counted_one_by_one_is_known() {
        for form in [
            "I.1=a&I.2=b",
            "I.0=a&I.1=b",
            "I.2=b&I.1=a",
            "I.1.a=x&I.1.b=y&I.2.b=x&I.2.a=z",
            "a.b=1&a.c.1=2&a.c.2=3&a.d=4",
            "1=a&b=2",
        ] {
            assert!(!to_json(form).1.oddly, "{form}");
        }
        for form in [
            "I.1=a&I.3=b",
            "I.2=a",
            "I.01=a",
            "I.%2B1=a",
            "I.1=a&I.1=b",
            "I.1=a&I.x=b",
            "I.0=a&I.2=b",
            "I.1=a&I.99999999999999999999=b",
            "I.1.a=x&I.1.a=y",
            "I.1.a=x&I.1.b=z&I.1.a=y",
            "a.b=1&a.b=2",
            "a.b=1&a.b.c=2",
            "I.1=a&I.member.2=b",
            "I.member.1.a=a&I.2.a=b",
        ] {
            assert!(to_json(form).1.oddly, "{form}");
            assert!(parse_plain(form, Bounds::default()).is_none(), "{form}");
        }
    }

    /// The tree of what can be read straight, and of its JSON.
    fn alike(form: &str) -> bool {
        let Some((nodes, written)) = parse_plain(form, Bounds::default()) else { return false };
        let straight = Document::parameters(form.into(), nodes, written);
        let (json, slowly) = to_json(form);
        assert_eq!(written, slowly, "{form}");
        let (document, _) = read(json.as_bytes(), Wire::Json, "", Bounds::default(), false).expect("JSON");
        assert_eq!(outline(straight.root()), outline(document.root()), "{form}");
        true
    }

    fn outline(value: Value<'_>) -> String {
        match value.kind() {
            Kind::Array => format!("{:?}", value.elements().map(outline).collect::<Vec<_>>()),
            Kind::Object => {
                let member =
                    |(key, value): (Scalar<'_>, Value<'_>)| (key.decode().into_owned(), outline(value));
                format!("{:?}", value.members().map(member).collect::<Vec<_>>())
            }
            _ => value.scalar().map(|text| text.decode().into_owned()).unwrap_or_default(),
        }
    }

    #[test]
    fn what_is_read_straight_is_what_its_json_says() {
        for form in [
            "Action=Stop&Ids.1=a&Ids.2=b&Region=r",
            "Ids.0=a&Ids.1=b",
            "E.1.Id=a&E.1.R=x&E.2.Id=b&Version=1",
            "E.member.1.Id=a&E.member.2.Id=b",
            "F.1.Name=n&F.1.Value.1=a&F.1.Value.2=b&F.2.Name=m",
            "a.b=1&a.c=2&d=",
            "a=1&a=2&b",
            "a=1&a.b=2",
            "",
        ] {
            assert!(alike(form), "{form:?} is plain");
        }
        for form in [
            "Ids.2=b&Ids.1=a",
            "a.1=x&b=1&a.2=y",
            "1=a&2=b",
            "a.1=x&a.b=y",
            "a..b=1",
            "a=%41",
            "a=[1]",
            "I.1=a&I.1=b",
            "I.1=a&I.3=b",
            "I.01=a",
        ] {
            assert!(!alike(form), "{form:?} is not");
        }
    }

    #[test]
    fn json_in_one_parameter_is_read_and_the_rest_is_text() {
        check("Ids=%5B%22a%22%5D&n=7&s=%5Bx", r#"{"Ids":["a"],"n":"7","s":"[x"}"#);
        check("delete", r#"{"delete":""}"#);
        check("a=1&a=2+3", r#"{"a":"1","a":"2 3"}"#);
    }
}
