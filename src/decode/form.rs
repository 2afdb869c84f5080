//! Query strings and form bodies as a tree: `X.N.Y=v` becomes `{"X":[{"Y":"v"}]}`. What stands in order is read here, the rest is
//! sorted first (`sorted`).
//!
//! Indexed parameters count from 0 or 1 and are put in numeric order; AWS writes `X.member.N` for the same thing. Gaps are
//! closed, and said: some readers stop there. A value that is a JSON list or object is read as such (Alibaba squeezes ids into one
//! parameter). Keys keep their order of first appearance, repeats are kept.

use super::Bounds;
use super::sorted::{DEEPEST, MEMBER, Written, plain_number, steps};
use super::tape::{Kind, MOST_NODES, Node};

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

#[cfg(test)]
mod tests {
    use super::super::sorted;
    use super::super::{Document, Scalar, Value, Wire, read};
    use super::*;

    fn form_to_json(form: &str) -> String {
        to_json(form).0
    }

    fn to_json(form: &str) -> (String, Written) {
        sorted::to_json(form, Bounds::default()).expect("few")
    }

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
