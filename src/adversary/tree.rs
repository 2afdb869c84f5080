//! A reply as a tree that can be changed: what a [`Document`](crate::decode::Document) says, owned.
//!
//! Repeated members are kept. Knows no wire format: `wire` reads and writes it.

use crate::decode::{Kind, Value};

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    /// A number or a boolean, as written.
    Bare(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The way to a node: positions among an element's or member's siblings.
pub(super) type Path = Vec<usize>;

impl Node {
    pub(super) fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::String => Self::Text(scalar(value)),
            Kind::Array => Self::List(value.elements().map(Self::of).collect()),
            Kind::Object => Self::Map(
                value.members().map(|(key, value)| (key.decode().into_owned(), Self::of(value))).collect(),
            ),
            _ => Self::Bare(scalar(value)),
        }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(super) fn map(members: &[(&str, Self)]) -> Self {
        Self::Map(members.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    /// A scalar's text.
    pub(super) fn scalar(&self) -> Option<&str> {
        match self {
            Self::Bare(text) | Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Null, an empty text, list or map.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bare(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::List(elements) => elements.is_empty(),
            Self::Map(members) => members.is_empty(),
        }
    }

    pub(super) fn members(&self) -> &[(String, Self)] {
        if let Self::Map(members) = self { members } else { &[] }
    }

    /// Elements, or the members' values.
    pub(super) fn children(&self) -> Vec<&Self> {
        match self {
            Self::List(elements) => elements.iter().collect(),
            Self::Map(members) => members.iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn at(&self, path: &[usize]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| node.children().get(*step).copied())
    }

    pub(super) fn at_mut(&mut self, path: &[usize]) -> Option<&mut Self> {
        let mut node = self;
        for &step in path {
            node = match node {
                Self::List(elements) => elements.get_mut(step)?,
                Self::Map(members) => &mut members.get_mut(step)?.1,
                _ => return None,
            };
        }
        Some(node)
    }

    /// The tree with one node changed.
    pub(super) fn with(&self, path: &[usize], change: impl FnOnce(&mut Self)) -> Self {
        let mut tree = self.clone();
        if let Some(node) = tree.at_mut(path) {
            change(node);
        }
        tree
    }

    /// The tree without one member or element.
    pub(super) fn without(&self, path: &[usize]) -> Self {
        let Some((&last, parent)) = path.split_last() else { return self.clone() };
        self.with(parent, |node| match node {
            Self::List(elements) => drop(elements.remove(last)),
            Self::Map(members) => drop(members.remove(last)),
            _ => {}
        })
    }

    /// Every scalar in it, with its path.
    pub(super) fn scalars(&self) -> Vec<(Path, &str)> {
        let mut found = Vec::new();
        self.walk(&mut Vec::new(), &mut |path, node| {
            found.extend(node.scalar().map(|text| (path.to_vec(), text)));
            true
        });
        found
    }

    /// Visits it and all below, front to back; `visit` says whether to go in.
    pub(super) fn walk<'t>(&'t self, path: &mut Path, visit: &mut impl FnMut(&[usize], &'t Self) -> bool) {
        if !visit(path, self) {
            return;
        }
        for (at, child) in self.children().into_iter().enumerate() {
            path.push(at);
            child.walk(path, visit);
            path.pop();
        }
    }

    /// The path as a pointer for people; list positions as numbers.
    pub(super) fn pointer(&self, path: &[usize]) -> String {
        let mut out = String::new();
        let mut node = self;
        for &step in path {
            out.push('/');
            match node {
                Self::Map(members) => out.push_str(members.get(step).map_or("?", |(key, _)| key)),
                _ => out.push_str(&step.to_string()),
            }
            node = match node.children().get(step) {
                Some(child) => child,
                None => break,
            };
        }
        if out.is_empty() { "the root".to_owned() } else { out }
    }

    /// Which members it has, all the way down, whatever they hold; null and empty members are as good as absent.
    pub(super) fn shape(&self) -> String {
        let mut names = Vec::new();
        self.names("", &mut names);
        names.sort();
        names.dedup();
        names.join(" ")
    }

    fn names(&self, above: &str, names: &mut Vec<String>) {
        match self {
            Self::List(elements) => elements.iter().for_each(|element| element.names(above, names)),
            Self::Map(members) => {
                for (key, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
                    let name = format!("{above}/{key}");
                    value.names(&name, names);
                    names.push(name);
                }
            }
            _ => {}
        }
    }
}

fn scalar(value: Value<'_>) -> String {
    value.scalar().map(|scalar| scalar.decode().into_owned()).unwrap_or_default()
}
