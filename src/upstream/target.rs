//! An upstream's URL: where requests are sent, with the captures of the route's host filled in.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

/// Scheme, authority and base path; `{name}` in the authority stands for a capture.
#[derive(Clone, Debug)]
pub struct Target {
    scheme: Scheme,
    /// The authority as a template, and parsed where it has no captures.
    template: String,
    fixed: Option<Authority>,
    base: String,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("{url:?} is no URL"))?;
        let scheme = scheme.parse().map_err(|_| format!("{scheme:?} is no scheme"))?;
        let (authority, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let fixed = if authority.contains('{') {
            None
        } else {
            Some(authority.parse().map_err(|_| format!("{authority:?} is no host"))?)
        };
        Ok(Self {
            scheme,
            template: authority.to_owned(),
            fixed,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// The authority to dial.
    pub fn authority(&self, captures: &[(String, String)]) -> Option<Authority> {
        if let Some(fixed) = &self.fixed {
            return Some(fixed.clone());
        }
        let fill =
            |text: String, (name, value): &(String, String)| text.replace(&format!("{{{name}}}"), value);
        captures.iter().fold(self.template.clone(), fill).parse().ok()
    }

    /// The full URI for a path and query, which stay byte for byte.
    pub fn uri(&self, authority: Authority, path_and_query: PathAndQuery) -> Option<Uri> {
        let path = if self.base.is_empty() {
            path_and_query
        } else {
            format!("{}{path_and_query}", self.base).parse().ok()?
        };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(authority);
        parts.path_and_query = Some(path);
        Uri::from_parts(parts).ok()
    }
}
