//! Query strings and form bodies as a tree: `X.N.Y=v` becomes `{"X":[{"Y":"v"}]}`.
//!
//! Indexed parameters count from 0 or 1, may leave gaps, and are put in numeric order; AWS writes `X.member.N`
//! for the same thing. A value that is a JSON list or object is read as such (Alibaba squeezes ids into one
//! parameter). Keys keep their order of first appearance, repeats are kept.

use std::borrow::Cow;

use hashbrown::HashMap;
use percent_encoding::percent_decode_str;

use super::Bounds;
use super::tape::{Kind, MOST_NODES, Node};
use crate::json_text::string;

/// Reads parameters that stand in order and need no decoding straight onto the tape; none where anything is unusual.
///
/// The nodes point into the parameters themselves, which are no JSON.
pub(super) fn parse_plain(text: &str, bounds: Bounds) -> Option<Vec<Node>> {
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
    let mut tape = Tape { text, nodes, open: Vec::new(), prefix: "" };
    tape.nodes.push(Node::new(Kind::Object, false, 0, text.len(), 1));
    tape.open.push(Level { name: "", node: 0, last: None, groups: Vec::new() });
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
    Some(tape.nodes)
}

/// Nodes as they are added, and the groups that are open.
struct Tape<'t> {
    text: &'t str,
    nodes: Vec<Node>,
    open: Vec<Level<'t>>,
    /// The last name up to its last dot, whose levels are open.
    prefix: &'t str,
}

struct Level<'t> {
    name: &'t str,
    node: usize,
    /// A list's last number; none for an object.
    last: Option<u64>,
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
        self.open.push(Level { name, node, last, groups: Vec::new() });
        Some(())
    }

    /// A member's key, or a list's next place.
    fn member(&mut self, name: &'t str, group: bool) -> Option<()> {
        let level = self.open.last_mut()?;
        match &mut level.last {
            Some(last) => {
                // One more than the number, so that 0 comes after nothing.
                let number = name.parse::<u64>().ok()?.checked_add(1)?;
                (number > *last).then(|| *last = number)
            }
            None => {
                // All numbers: a list, at the top.
                if level.node == 0 && name.parse::<u64>().is_ok() {
                    return None;
                }
                if group {
                    if level.groups.len() > 64 || level.groups.contains(&name) {
                        return None;
                    }
                    level.groups.push(name);
                }
                let start = self.offset(name);
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
}

/// A name's steps; AWS's `member` before a number says nothing.
fn steps(name: &str) -> impl Iterator<Item = &str> {
    name.split('.').filter(|step| *step != "member")
}

/// Deepest path; a deeper one is a caller's mischief, not a vendor's parameter.
const DEEPEST: usize = 16;

/// The text's pairs as JSON. Never fails: what is no pair is a name without a value.
pub fn form_to_json(text: &str) -> String {
    to_json(text).0
}

/// The same, and whether a number of a list stands twice.
pub(super) fn to_json(text: &str) -> (String, bool) {
    let mut root = Group::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (plain(name), plain(value));
        if steps(&name).count() > DEEPEST || steps(&name).any(str::is_empty) {
            root.list.push((name, Part::Text(value)));
            continue;
        }
        match name {
            Cow::Borrowed(name) => root.insert(steps(name).map(Cow::Borrowed), value),
            Cow::Owned(name) => root.insert(steps(&name).map(|step| Cow::Owned(step.to_owned())), value),
        }
    }
    let mut out = Vec::with_capacity(text.len() + text.len() / 4 + 16);
    let mut twice = false;
    write(&mut out, &Part::Members(root), &mut twice);
    (String::from_utf8(out).unwrap_or_default(), twice)
}

impl<'t> Group<'t> {
    fn insert(&mut self, mut steps: impl Iterator<Item = Cow<'t, str>>, value: Cow<'t, str>) {
        let Some(mut step) = steps.next() else { return };
        let mut group = self;
        for next in steps {
            group = group.inner(step);
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

fn write(out: &mut Vec<u8>, part: &Part<'_>, twice: &mut bool) {
    match part {
        Part::Text(text) => {
            let looks_json = text.starts_with(['[', '{']);
            if looks_json && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
                out.extend_from_slice(text.as_bytes());
            } else {
                string(out, text);
            }
        }
        Part::Members(Group { list: members, .. }) => match numbered(members) {
            Some(elements) => {
                *twice |= elements.windows(2).any(|pair| pair[0].0 == pair[1].0);
                out.push(b'[');
                for (n, (_, element)) in elements.into_iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    write(out, element, twice);
                }
                out.push(b']');
            }
            None => {
                out.push(b'{');
                for (n, (name, value)) in members.iter().enumerate() {
                    if n > 0 {
                        out.push(b',');
                    }
                    string(out, name);
                    out.push(b':');
                    write(out, value, twice);
                }
                out.push(b'}');
            }
        },
    }
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

    /// The tree of what can be read straight, and of its JSON.
    fn alike(form: &str) -> bool {
        let Some(nodes) = parse_plain(form, Bounds::default()) else { return false };
        let straight = Document::parameters(form.into(), nodes);
        let json = form_to_json(form);
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
