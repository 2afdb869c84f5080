//! The tree every wire format becomes: a flat tape of nodes over the body's text.
//!
//! One growable array instead of a tree of boxes, because a batch of ten thousand resources is read once, front
//! to back, and then thrown away. Order, repeated keys and the spelling of numbers are kept: a map keyed by
//! resource id may repeat a key, and the repeat is a second statement about that resource.

use std::borrow::Cow;
use std::collections::HashMap;

use super::compare::{same, same_bytes};
use super::sorted::Written;
use super::tape::{Kind, Node, Suspects, Tape};
use crate::json_text::{string, unescape};

/// A body as a tree. Members of an object are (key, value) pairs of nodes on the tape.
#[derive(Debug)]
pub struct Document<'a> {
    text: Cow<'a, str>,
    nodes: Vec<Node>,
    /// What a strict reader might not take.
    suspects: Suspects,
    /// Whether the text is JSON: strings stand between quotes.
    json: bool,
    /// An XML document's root element, which is no part of the tree.
    root_name: Option<Box<str>>,
    /// Of parameters: how they are written.
    parameters: Option<Written>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: Cow<'a, str>, tape: Tape) -> Self {
        Self {
            text,
            nodes: tape.nodes,
            suspects: tape.suspects,
            json: true,
            root_name: None,
            parameters: None,
        }
    }

    /// Parameters as they stand: there is no JSON of them.
    pub(super) fn parameters(text: Cow<'a, str>, nodes: Vec<Node>, written: Written) -> Self {
        let parameters = Some(written);
        Self { text, nodes, suspects: Suspects::default(), json: false, root_name: None, parameters }
    }

    /// The same, of parameters that were decoded into JSON.
    pub(super) fn of_parameters(self, written: Written) -> Self {
        Self { parameters: Some(written), ..self }
    }

    /// The same, of XML whose root element has that name.
    pub(super) fn of_xml(self, root: String) -> Self {
        Self { root_name: Some(root.into()), ..self }
    }

    /// An XML document's root element; none for all other wires.
    pub fn root_name(&self) -> Option<&str> {
        self.root_name.as_deref()
    }

    /// All nodes, keys included, in the order of the text.
    pub(super) fn tape(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    /// Whether the text is the body itself, byte for byte.
    pub fn is_borrowed(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// Gives up the tree and keeps its text.
    pub fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    /// Whether it is a query string or a form.
    pub fn is_parameters(&self) -> bool {
        self.parameters.is_some()
    }

    /// Whether two members of the root have one name in different cases.
    pub fn repeats_loosely(&self) -> bool {
        let mut spelled: HashMap<Vec<u8>, Cow<'_, str>> = HashMap::new();
        self.root().members().any(|(key, _)| {
            let name = key.decode();
            let known = spelled.entry(letters(&name).collect()).or_insert_with(|| name.clone());
            *known != name
        })
    }

    /// Whether it is parameters that are numbered or repeated as only some readers take them; `from_one`: a list that
    /// begins with 0 is.
    pub fn is_written_oddly(&self, from_one: bool) -> bool {
        self.parameters.is_some_and(|written| written.oddly || (from_one && written.from_nought))
    }

    /// Whether a name stands twice in one object: readers take one of them. Of parameters' names only those count of which
    /// `is_one` says that readers expect it once.
    pub fn repeats(&self, is_one: impl Fn(&str) -> bool) -> bool {
        if self.parameters.is_none() {
            return self.has_names_twice();
        }
        let mut ones: Vec<Cow<'_, str>> = Vec::new();
        self.root().members().any(|(key, _)| {
            let name = key.decode();
            let again = ones.contains(&name);
            if !again && is_one(&name) {
                ones.push(name);
            }
            again
        })
    }

    /// The topmost value.
    pub fn root(&self) -> Value<'_> {
        Value { document: self, at: 0 }
    }

    /// The text under the tree.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many nodes there are, keys included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a document has at least its root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// A scalar's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar<'d> {
    /// A string's inside in its JSON spelling, or a number or boolean as written.
    pub raw: &'d str,
    /// Whether `raw` holds JSON escapes.
    pub escaped: bool,
}

impl<'d> Scalar<'d> {
    /// The text itself.
    pub fn decode(&self) -> Cow<'d, str> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }
}

/// A node in a document.
#[derive(Clone, Copy, Debug)]
pub struct Value<'d> {
    document: &'d Document<'d>,
    at: u32,
}

impl<'d> Value<'d> {
    #[inline]
    fn node(self) -> Node {
        self.document.nodes[self.at as usize]
    }

    pub fn kind(self) -> Kind {
        self.node().kind()
    }

    /// A string, number or boolean as text; nothing for null, lists and objects.
    #[inline(always)]
    pub fn scalar(self) -> Option<Scalar<'d>> {
        let node = self.node();
        match node.kind() {
            Kind::Null | Kind::Array | Kind::Object => None,
            _ => Some(Scalar { raw: self.span(node), escaped: node.escaped() }),
        }
    }

    /// Whether it stands in XML, where a list of one is no list.
    pub fn is_of_xml(self) -> bool {
        self.document.root_name.is_some()
    }

    /// The value's JSON, verbatim. Parameters that were read straight have none: see [`Self::json`].
    pub fn raw(self) -> &'d str {
        let node = self.node();
        match node.kind() {
            Kind::String if self.document.json => {
                &self.document.text[node.start as usize - 1..node.end as usize + 1]
            }
            _ => self.span(node),
        }
    }

    /// The value's JSON; made where the text under the tree is none.
    pub fn json(self) -> Cow<'d, str> {
        if self.document.json {
            return Cow::Borrowed(self.raw());
        }
        let mut out = Vec::new();
        self.write(&mut out);
        Cow::Owned(String::from_utf8(out).unwrap_or_default())
    }

    /// Parameters hold strings, lists and objects, nested no deeper than their reader allows.
    fn write(self, out: &mut Vec<u8>) {
        let (open, close) = match self.kind() {
            Kind::Array => (b'[', b']'),
            Kind::Object => (b'{', b'}'),
            _ => return string(out, self.text()),
        };
        out.push(open);
        for (n, element) in self.elements().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            element.write(out);
        }
        for (n, (key, value)) in self.members().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            string(out, key.raw);
            out.push(b':');
            value.write(out);
        }
        out.push(close);
    }

    #[inline]
    fn span(self, node: Node) -> &'d str {
        &self.document.text[node.start as usize..node.end as usize]
    }

    /// Null, an empty string, an empty list or an empty object.
    pub fn is_empty(self) -> bool {
        let node = self.node();
        match node.kind() {
            Kind::Null => true,
            Kind::String => node.start == node.end,
            Kind::Array | Kind::Object => node.next() == self.at + 1,
            Kind::Bool | Kind::Number => false,
        }
    }

    /// Whether another value is built the same: kinds, keys, escapes, and which strings are empty.
    #[inline(always)]
    pub fn is_like(self, other: Value<'_>) -> bool {
        let (own, others) = (self.nodes(), other.nodes());
        let apart = self.at.wrapping_sub(other.at);
        if own.len() != others.len() {
            return false;
        }
        let (text, other_text) = (self.document.text.as_bytes(), other.document.text.as_bytes());
        for (a, b) in own.iter().zip(others) {
            if !a.is_like(*b, apart) || (a.start == a.end) != (b.start == b.end) {
                return false;
            }
            if a.is_key() {
                let key = text.get(a.start as usize..a.end as usize);
                let other = other_text.get(b.start as usize..b.end as usize);
                if !key.zip(other).is_some_and(|(key, other)| same_bytes(key, other)) {
                    return false;
                }
            }
        }
        true
    }

    /// It and everything in it.
    #[inline]
    fn nodes(self) -> &'d [Node] {
        &self.document.nodes[self.at as usize..self.node().next() as usize]
    }

    /// How many nodes it has, itself included.
    pub fn size(self) -> u32 {
        self.node().next() - self.at
    }

    /// Whether comparing it node by node ([`Self::is_like`]) is worth it.
    pub fn is_small(self) -> bool {
        self.size() <= 64
    }

    /// A scalar's text as it stands, without the quotes.
    #[inline]
    pub fn text(self) -> &'d str {
        self.span(self.node())
    }

    /// How many nodes after this one a value within it stands.
    pub fn distance(self, inner: Value<'_>) -> u32 {
        inner.at - self.at
    }

    /// The value so many nodes after this one: the same in all that are built like this.
    pub fn within(self, distance: u32) -> Value<'d> {
        Value { document: self.document, at: self.at + distance }
    }

    /// The pointer (RFC 6901) from this node to one within it.
    pub fn way_to(self, inner: Value<'_>) -> Option<String> {
        if self.at == inner.at {
            return Some(String::new());
        }
        let holds = |value: &Value<'_>| value.at <= inner.at && inner.at < value.node().next();
        let members = self.members().map(|(key, value)| (key.decode(), value));
        let elements = self.elements().enumerate().map(|(at, value)| (Cow::Owned(at.to_string()), value));
        let (step, next) = members.chain(elements).find(|(_, value)| holds(value))?;
        let step = step.replace('~', "~0").replace('/', "~1");
        Some(format!("/{step}{}", next.way_to(inner)?))
    }

    /// A list's elements; nothing for other kinds.
    pub fn elements(self) -> Children<'d> {
        let node = self.node();
        let end = if node.kind() == Kind::Array { node.next() } else { self.at + 1 };
        Children { document: self.document, at: self.at + 1, end }
    }

    /// An object's members in order, repeated keys included; nothing for other kinds.
    pub fn members(self) -> Members<'d> {
        let node = self.node();
        let end = if node.kind() == Kind::Object { node.next() } else { self.at + 1 };
        Members { document: self.document, at: self.at + 1, end }
    }

    /// The first member of that name.
    pub fn get(self, name: &str) -> Option<Value<'d>> {
        self.members().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }
}

impl Scalar<'_> {
    /// Whether the text is `name`.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        if self.escaped { self.decode() == name } else { same(self.raw, name) }
    }

    /// Whether the text is `name` in any case, with or without `_`.
    pub fn is_loosely(&self, name: &str) -> bool {
        self.is(name) || letters(&self.decode()).eq(letters(name))
    }
}

/// What is left of a name where neither case nor `_` says anything.
fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase())
}

/// Iterator over a list's elements.
#[derive(Clone, Debug)]
pub struct Children<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Value<'d>;

    #[inline]
    fn next(&mut self) -> Option<Value<'d>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { document: self.document, at: self.at };
        self.at = value.node().next();
        Some(value)
    }
}

/// Iterator over an object's members.
#[derive(Clone, Debug)]
pub struct Members<'d> {
    document: &'d Document<'d>,
    at: u32,
    end: u32,
}

impl<'d> Iterator for Members<'d> {
    type Item = (Scalar<'d>, Value<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let key = Value { document: self.document, at: self.at };
        let value = Value { document: self.document, at: self.at + 1 };
        self.at = value.node().next();
        let node = key.node();
        Some((Scalar { raw: key.span(node), escaped: node.escaped() }, value))
    }
}
