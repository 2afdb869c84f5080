//! How a request is recognised and what it asks: the compiled form of `[[actions]]`.

use std::collections::BTreeMap;

use http::{HeaderName, Method};

use super::file::RequestShape;
use super::pattern::PathPattern;
use super::place::RequestPlace;
use super::when::When;
use crate::decode::{Pointer, Wire};

/// One action of a family.
#[derive(Debug)]
pub struct Action {
    /// The vendor's own name for it; also the metric label.
    pub name: String,
    /// Where the action's name stands and what it must be; empty places: recognised by path.
    pub selector: Selector,
    pub services: Vec<String>,
    pub resource_type: Option<String>,
    pub methods: Vec<Method>,
    /// Captures of the vendor's host and the texts allowed there.
    pub host: Vec<(String, Vec<String>)>,
    pub paths: Vec<PathPattern>,
    /// Paths that are not meant, though one of `paths` fits.
    pub except: Vec<PathPattern>,
    pub query: Vec<(Pointer, Vec<String>)>,
    pub header: Vec<(HeaderName, Vec<String>)>,
    pub first_key: Vec<String>,
    pub body: Vec<(Pointer, Vec<String>)>,
    /// None: the body if there is one, else the query.
    pub wire: Option<Wire>,
    pub from_query: bool,
    /// Its messages are not read (gRPC): what it asks is unclear, and its answer is never rewritten.
    pub opaque: bool,
    pub items: Items,
    pub count: Vec<RequestPlace>,
    /// A job, task or invocation query: its items are what the reply names.
    pub lookup: bool,
    pub asynchronous: bool,
    pub atomic: bool,
    pub task: Vec<RequestPlace>,
    pub monitor: Option<String>,
}

/// Recognition of RPC style actions.
#[derive(Debug, Default, Clone)]
pub struct Selector {
    pub places: Vec<RequestPlace>,
    pub value: String,
}

/// Where the asked items are.
#[derive(Debug, Default)]
pub struct Items {
    /// Lists (or maps), each with the places of an element's id; the first that finds anything counts.
    pub lists: Vec<(Pointer, Vec<RequestPlace>)>,
    /// Single places outside the document (path, query, header), when no list finds anything.
    pub single: Vec<RequestPlace>,
    pub shape: RequestShape,
    pub unwrap: bool,
    pub(crate) filter: When,
    pub lines_after: BTreeMap<String, u32>,
    pub id_parts: Vec<Pointer>,
    /// What belongs to an identity beside the id: what the id is relative to, and what follows it.
    pub parent: Vec<RequestPlace>,
    pub version: Vec<RequestPlace>,
    pub port: Vec<RequestPlace>,
    /// An element that has this list is a group: its elements are the items.
    pub nested: Option<Pointer>,
    pub key: Vec<RequestPlace>,
    pub id_url: bool,
    pub distinct: bool,
    /// A request may name none: it acts on a filter, a tag or everything.
    pub optional: bool,
    /// Where a request says by a tag, query or label whom it is about, and where it says that it is about all.
    pub filters: Vec<RequestPlace>,
    pub all: Vec<RequestPlace>,
    pub split: Option<String>,
    /// Texts by which an id selects whatever fits it, in place of naming one.
    pub patterns: Vec<String>,
    /// Where else such a text selects.
    pub patterns_at: Vec<Pointer>,
    /// Each element is a request of its own.
    pub subrequest: Option<Subrequest>,
}

/// Where an element that is a request has its parts.
#[derive(Debug)]
pub struct Subrequest {
    pub target: Vec<Pointer>,
    pub method: Vec<Pointer>,
    pub body: Vec<Pointer>,
    /// What stands before the key of another request, whose result is meant: `$` in `$1/Orders`.
    pub refers: Vec<String>,
}

impl Subrequest {
    fn in_any_case(self) -> Self {
        let loose = |pointers: Vec<Pointer>| pointers.into_iter().map(Pointer::loose).collect();
        let (target, method, body) = (loose(self.target), loose(self.method), loose(self.body));
        Self { target, method, body, ..self }
    }
}

impl Action {
    /// The same, as a vendor reads it that takes names of paths and members in any case.
    pub(super) fn in_any_case(self) -> Self {
        let pairs = |rows: Vec<(Pointer, Vec<String>)>| {
            rows.into_iter().map(|(pointer, texts)| (pointer.loose(), texts)).collect()
        };
        let places =
            |places: Vec<RequestPlace>| places.into_iter().map(RequestPlace::loose).collect::<Vec<_>>();
        let items = self.items;
        let lists = items.lists.into_iter().map(|(list, id)| (list.loose(), places(id))).collect();
        Self {
            paths: self.paths.into_iter().map(PathPattern::in_any_case).collect(),
            query: pairs(self.query),
            body: pairs(self.body),
            count: places(self.count),
            task: places(self.task),
            items: Items {
                lists,
                single: places(items.single),
                id_parts: items.id_parts.into_iter().map(Pointer::loose).collect(),
                parent: places(items.parent),
                version: places(items.version),
                port: places(items.port),
                nested: items.nested.map(Pointer::loose),
                key: places(items.key),
                filters: places(items.filters),
                all: places(items.all),
                subrequest: items.subrequest.map(Subrequest::in_any_case),
                ..items
            },
            ..self
        }
    }

    /// The header fields that it is recognised by and that name what it asks.
    pub(super) fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        let places = self.selector.places.iter().chain(&self.items.single).chain(&self.count);
        let named = places.filter_map(|place| match place {
            RequestPlace::Header(name) => Some(name),
            _ => None,
        });
        named.chain(self.header.iter().map(|(name, _)| name))
    }

    /// Whether a parameter of that name says one thing: what the call is, how many it is about, or which one.
    pub(crate) fn reads_one(&self, name: &str) -> bool {
        let places =
            self.selector.places.iter().chain(&self.items.single).chain(&self.count).chain(&self.task);
        let named = places.filter_map(|place| match place {
            RequestPlace::Document(pointer) | RequestPlace::Query(pointer) => pointer.name(),
            _ => None,
        });
        let conditions = self.query.iter().chain(&self.body).filter_map(|(pointer, _)| pointer.name());
        named.chain(conditions).any(|own| own == name)
    }

    /// Whether a parameter of that name holds a list of ids.
    pub(crate) fn reads_list(&self, name: &str) -> bool {
        self.items.lists.iter().any(|(list, _)| list.first_name() == Some(name))
    }

    /// Whether recognition needs the request's body.
    pub fn needs_body(&self) -> bool {
        !self.first_key.is_empty() || !self.body.is_empty()
    }
}
