//! The parts of a request that recognition reads.

use http::{HeaderMap, Method};

/// A request's head. `host` is without port; `path` and `query` are as sent, undecoded.
#[derive(Clone, Copy, Debug)]
pub struct Head<'r> {
    pub method: &'r Method,
    pub host: Option<&'r str>,
    pub path: &'r str,
    pub query: &'r str,
    pub headers: &'r HeaderMap,
}

impl<'r> Head<'r> {
    /// A header's text; empty when it is missing or no text.
    pub fn header(&self, name: &str) -> &'r str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// A parameter of the query string, as sent; only for names that need no decoding.
    pub(super) fn raw_query(&self, name: &str) -> Option<&'r str> {
        self.query.split('&').find_map(|pair| {
            let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
            (own == name).then_some(value)
        })
    }
}
