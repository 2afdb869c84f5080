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
    pub query: Vec<(Pointer, Vec<String>)>,
    pub header: Vec<(HeaderName, Vec<String>)>,
    pub first_key: Vec<String>,
    pub body: Vec<(Pointer, Vec<String>)>,
    /// None: the body if there is one, else the query.
    pub wire: Option<Wire>,
    pub from_query: bool,
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
    pub split: Option<String>,
}

impl Action {
    /// Whether recognition needs the request's body.
    pub fn needs_body(&self) -> bool {
        !self.first_key.is_empty() || !self.body.is_empty()
    }
}
