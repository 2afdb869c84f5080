//! An upstream's URL: where requests are sent, with the captures of the route's host filled in.

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};

/// Scheme, authority and base path; `{name}` in the authority stands for a capture.
#[derive(Clone, Debug)]
pub struct Target {
    scheme: Scheme,
    /// The authority, parsed, where it has no captures.
    fixed: Option<Authority>,
    /// The authority as a template: text, then a capture's name, then text, and so on.
    template: Vec<(String, Option<String>)>,
    base: String,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("{url:?} is no URL"))?;
        let scheme = scheme.parse().map_err(|_| format!("{scheme:?} is no scheme"))?;
        let (authority, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let bad = || format!("{authority:?} is no host");
        let (fixed, template) = if authority.contains('{') {
            (None, template(authority).ok_or_else(bad)?)
        } else {
            (Some(authority.parse().map_err(|_| bad())?), Vec::new())
        };
        Ok(Self { scheme, fixed, template, base: base.trim_end_matches('/').to_owned() })
    }

    /// Whether it always dials the same.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }

    /// The authority to dial. Captures are parts of a name ([`crate::route`]), and are not looked into for further ones.
    pub fn authority(&self, captures: &[(String, String)]) -> Option<Authority> {
        if let Some(fixed) = &self.fixed {
            return Some(fixed.clone());
        }
        let mut filled = String::with_capacity(64);
        for (text, name) in &self.template {
            filled.push_str(text);
            if let Some(name) = name {
                filled.push_str(&captures.iter().find(|(own, _)| own == name)?.1);
            }
        }
        filled.parse().ok()
    }

    /// Whether it puts a path of its own before the request's.
    pub fn has_base(&self) -> bool {
        !self.base.is_empty()
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

/// None: a bracket has no end.
fn template(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        pieces.push((before.to_owned(), Some(name.to_owned())));
        rest = after;
    }
    pieces.push((rest.to_owned(), None));
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_template_is_filled_once() {
        let target = Target::parse("https://{a}.{b}.example:8443/base").expect("a target");
        let filled = |a: &str, b: &str| {
            let captures = [("a".to_owned(), a.to_owned()), ("b".to_owned(), b.to_owned())];
            target.authority(&captures).map(|authority| authority.to_string())
        };
        assert_eq!(filled("x", "y").as_deref(), Some("x.y.example:8443"));
        // What stands in a value is text, and no host here.
        assert_eq!(filled("{b}", "y"), None);
        assert_eq!(target.authority(&[]), None);
    }
}
