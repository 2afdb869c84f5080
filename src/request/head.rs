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
}
