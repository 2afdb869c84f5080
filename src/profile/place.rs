//! Where a value is found: one grammar for requests, replies and entries.

use http::HeaderName;

use crate::decode::Pointer;

/// A place in a request.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestPlace {
    /// In the request's document; of an element's id, in the element.
    Document(Pointer),
    /// From the document's root, wherever it is asked for.
    Root(Pointer),
    Header(HeaderName),
    /// In the query string, read as a form.
    Query(Pointer),
    /// A capture of the action's path; none: the whole path.
    Path(Option<Box<str>>),
    /// A capture of the vendor's host pattern.
    Host(Box<str>),
    /// The key an asked element stood under.
    Key,
    /// The fields that a GraphQL document at that place asks for: many ids.
    Fields(Pointer),
    /// Whether a GraphQL request at that place changes anything: `mutation`, or nothing.
    Operation(Pointer),
}

/// A place in a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// From the node at hand: an entry, or the document where there is none.
    Here(Pointer),
    /// From the document's root.
    Root(Pointer),
    /// The element of a list at the entry's own position.
    Parallel(Pointer),
    /// The key the entry stood under.
    Key,
    Header(HeaderName),
    Status,
    /// A value kept from the request, by its number.
    Kept(usize),
}

impl RequestPlace {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix('$') {
            return pointer(rest).map(Self::Root);
        }
        let Some(rest) = text.strip_prefix('@') else { return pointer(text).map(Self::Document) };
        let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
        match (kind, name) {
            ("key", "") => Ok(Self::Key),
            ("path", "") => Ok(Self::Path(None)),
            ("path", name) => Ok(Self::Path(Some(name.into()))),
            ("host", name) if !name.is_empty() => Ok(Self::Host(name.into())),
            ("header", name) => header(name).map(Self::Header),
            ("operation", "") => Ok(Self::Operation(Pointer::default())),
            ("operation", name) => pointer(&format!("/{name}")).map(Self::Operation),
            ("fields", name) if !name.is_empty() => pointer(&format!("/{name}")).map(Self::Fields),
            ("query", name) if !name.is_empty() => pointer(&format!("/{name}")).map(Self::Query),
            _ => Err(format!("{text:?} is no place in a request")),
        }
    }

    /// The same, whatever the case of names.
    pub(super) fn loose(self) -> Self {
        match self {
            Self::Document(pointer) => Self::Document(pointer.loose()),
            Self::Root(pointer) => Self::Root(pointer.loose()),
            Self::Query(pointer) => Self::Query(pointer.loose()),
            Self::Fields(pointer) => Self::Fields(pointer.loose()),
            Self::Operation(pointer) => Self::Operation(pointer.loose()),
            other => other,
        }
    }
}

impl Place {
    /// `kept` collects the request's places that replies refer to.
    pub(super) fn parse(text: &str, kept: &mut Vec<RequestPlace>) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix('$') {
            return match rest.strip_suffix("/#") {
                Some(list) => pointer(list).map(Self::Parallel),
                None => pointer(rest).map(Self::Root),
            };
        }
        let Some(rest) = text.strip_prefix('@') else { return pointer(text).map(Self::Here) };
        match rest.split_once('/').unwrap_or((rest, "")) {
            ("key", "") => Ok(Self::Key),
            ("status", "") => Ok(Self::Status),
            ("header", name) => header(name).map(Self::Header),
            ("request", inner) => {
                let inner = if inner.starts_with('@') { inner.to_owned() } else { format!("/{inner}") };
                Ok(Self::keep(RequestPlace::parse(&inner)?, kept))
            }
            ("query" | "path" | "host", _) => Ok(Self::keep(RequestPlace::parse(text)?, kept)),
            _ => Err(format!("{text:?} is no place in a reply")),
        }
    }

    fn keep(place: RequestPlace, kept: &mut Vec<RequestPlace>) -> Self {
        let at = kept.iter().position(|known| *known == place).unwrap_or_else(|| {
            kept.push(place);
            kept.len() - 1
        });
        Self::Kept(at)
    }
}

fn pointer(text: &str) -> Result<Pointer, String> {
    Pointer::parse(text).map_err(|cause| cause.to_string())
}

fn header(name: &str) -> Result<HeaderName, String> {
    name.to_ascii_lowercase().parse().map_err(|_| format!("{name:?} is no header name"))
}

impl std::fmt::Display for RequestPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Document(pointer) => write!(f, "{pointer}"),
            Self::Root(pointer) => write!(f, "${pointer}"),
            Self::Header(name) => write!(f, "@header/{name}"),
            Self::Query(pointer) => write!(f, "@query{pointer}"),
            Self::Path(None) => f.write_str("@path"),
            Self::Path(Some(name)) => write!(f, "@path/{name}"),
            Self::Host(name) => write!(f, "@host/{name}"),
            Self::Key => f.write_str("@key"),
            Self::Fields(pointer) => write!(f, "@fields{pointer}"),
            Self::Operation(pointer) => write!(f, "@operation{pointer}"),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here(pointer) => write!(f, "{pointer}"),
            Self::Root(pointer) => write!(f, "${pointer}"),
            Self::Parallel(pointer) => write!(f, "${pointer}/#"),
            Self::Key => f.write_str("@key"),
            Self::Header(name) => write!(f, "@header/{name}"),
            Self::Status => f.write_str("@status"),
            Self::Kept(_) => f.write_str("@request"),
        }
    }
}
