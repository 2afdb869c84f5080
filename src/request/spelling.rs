//! A request's head as the vendor's router and parser read it: what is spelled in several ways means one thing.
//!
//! What servers read in different ways is not decided here: it is read in the way that asks for most, and why it is not certain
//! is kept.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use super::head::Head;
use crate::decode::{Bounds, Document, read_parameters};
use crate::profile::PathPattern;

/// Why it is not certain what a request asks, in words that stand in a diagnostic.
pub type Reason = &'static str;

const SEVERAL: Reason = "its path is read in several ways";

/// What a path template captured.
type Captured<'s> = Vec<(&'s str, &'s str)>;

/// Headers and parameters by which frameworks let a caller say another method than the one that is sent.
const OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
const OVERRIDING: [&str; 2] = ["_method", "_HttpMethod"];

/// A head, read.
#[derive(Debug)]
pub(super) struct Spelling<'r> {
    pub(super) head: &'r Head<'r>,
    /// Escapes undone, without empty segments; what would split a segment stays as it is.
    pub(super) path: Cow<'r, str>,
    /// What else a server may read, and why.
    others: Vec<(String, Option<Reason>)>,
    pub(super) query: Option<Document<'r>>,
    pub(super) unclear: Option<Reason>,
}

impl<'r> Spelling<'r> {
    pub(super) fn of(head: &'r Head<'r>, bounds: Bounds) -> Self {
        let (path, others) = if is_plain(head.path) {
            (Cow::Borrowed(head.path), Vec::new())
        } else {
            let path = canonical(head.path);
            let others = others(&path);
            (Cow::Owned(path), others)
        };
        let dots = !others.is_empty() && path.split('/').any(is_dots);
        // Who takes steps up reads another path.
        let mut unclear = dots.then_some(SEVERAL);
        let query = match head.query {
            "" => None,
            query => read_parameters(query.as_bytes(), "", bounds).ok(),
        };
        if query.is_none() && !head.query.is_empty() {
            unclear = Some("the query string cannot be read");
        }
        Self { head, path, others, query, unclear }
    }

    /// The paths that a server may read, the likeliest first, and why another is not certain.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, Option<Reason>)> {
        let others = self.others.iter().map(|(path, reason)| (path.as_str(), *reason));
        std::iter::once((&*self.path, None)).chain(others)
    }

    /// Whether a path template fits.
    pub(super) fn fits(&self, pattern: &PathPattern) -> bool {
        self.paths().any(|(path, _)| pattern.fits(path))
    }

    /// What a path template captures, and why that is not certain.
    pub(super) fn captures<'s>(&'s self, pattern: &'s PathPattern) -> Option<(Captured<'s>, Option<Reason>)> {
        self.paths().find_map(|(path, reason)| Some((pattern.find(path)?, reason)))
    }

    /// Another method than the one that is sent, where the caller says that it is meant.
    pub(super) fn meant(&self) -> Option<Method> {
        meant(self.head, self.query.as_ref())
    }

    /// Whether it may be a call by one of these methods; none: any.
    pub(super) fn is_by(&self, methods: &[Method]) -> bool {
        let same =
            |sent: &Method| methods.iter().any(|method| method.as_str().eq_ignore_ascii_case(sent.as_str()));
        methods.is_empty()
            || methods.contains(self.head.method)
            || same(self.head.method)
            || self.meant().as_ref().is_some_and(same)
    }
}

/// Whether all read a path alike: no escapes, no empty segments, no dots at the head of one, no format.
fn is_plain(path: &str) -> bool {
    let mut last = b'a';
    let odd = |byte: u8| {
        let odd = byte == b'%' || (last == b'/' && matches!(byte, b'/' | b'.'));
        last = byte;
        odd
    };
    let ends =
        || path.ends_with(".json") || path.ends_with(".xml") || (path.len() > 1 && path.ends_with('/'));
    !path.bytes().any(odd) && !ends()
}

/// A path as most routers read it.
fn canonical(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let decoded = percent_decode_str(segment).decode_utf8().ok();
        // What would become two segments, or one above, stays as it is.
        let splits = |text: &str| text.contains(['/', '\0']) || matches!(text, "." | "..");
        out.push('/');
        out.push_str(decoded.as_deref().filter(|text| !splits(text)).unwrap_or(segment));
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// Whether a segment stays where it is or goes up, escaped or not.
fn is_dots(segment: &str) -> bool {
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded.is_ok_and(|segment| matches!(&*segment, "." | ".."))
}

/// Without a format's suffix; with slashes that were escaped, and steps up taken.
fn others(path: &str) -> Vec<(String, Option<Reason>)> {
    let mut others = Vec::new();
    let mut add = |path: &str, reason| {
        others.push((path.to_owned(), reason));
        let bare = [".json", ".xml"].iter().find_map(|format| path.strip_suffix(format));
        others.extend(bare.map(|path| (path.to_owned(), reason)));
    };
    if path.ends_with(".json") || path.ends_with(".xml") {
        add(path, None);
    }
    let dots = path.split('/').any(is_dots);
    if dots || path.contains('%') {
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let mut steps = Vec::new();
        for step in decoded.split('/').filter(|step| !step.is_empty() && *step != ".") {
            if step == ".." {
                steps.pop();
            } else {
                steps.push(step);
            }
        }
        add(&format!("/{}", steps.join("/")), Some(SEVERAL));
    }
    others
}

/// Another method than the one that is sent, where a header or parameter says so.
fn meant(head: &Head<'_>, query: Option<&Document<'_>>) -> Option<Method> {
    // All names are looked at: three look-ups would cost more.
    let by_header = || {
        let mut fields = head.headers.iter().filter(|(name, _)| OVERRIDES.contains(&name.as_str()));
        fields.find_map(|(_, value)| value.to_str().ok()).map(Cow::Borrowed)
    };
    let by_query = || {
        let root = query?.root();
        OVERRIDING.iter().find_map(|name| root.get(name)?.scalar().map(|text| text.decode()))
    };
    let text = by_header().or_else(by_query)?;
    let method: Method = text.trim().to_ascii_uppercase().parse().ok()?;
    (method != *head.method).then_some(method)
}

#[cfg(test)]
mod tests {
    use super::{canonical, is_plain, others};

    #[test]
    fn most_paths_are_read_alike_by_all() {
        for path in ["/", "/v2/index.php", "/a.b/c", "/xml"] {
            assert!(is_plain(path), "{path}");
        }
        for path in ["/a/", "//a", "/a//b", "/%61", "/a/../b", "/./a", "/a.json", "/a.xml"] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn a_path_is_read_as_routers_read_it() {
        for (sent, read) in [
            ("/a/b", "/a/b"),
            ("/", "/"),
            ("/a/b/", "/a/b"),
            ("//a//b", "/a/b"),
            ("/%61/b%20c", "/a/b c"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a/%2e%2e/b", "/a/%2e%2e/b"),
            ("/%zz/%ff", "/%zz/%ff"),
        ] {
            assert_eq!(canonical(sent), read, "{sent}");
        }
    }

    #[test]
    fn what_servers_read_in_several_ways_is_known() {
        let read = |path: &str| others(path).into_iter().map(|(path, _)| path).collect::<Vec<_>>();
        assert!(read("/a/b").is_empty());
        assert_eq!(read("/a/ports.json"), ["/a/ports.json", "/a/ports"]);
        assert_eq!(read("/a%2Fb/../c"), ["/a/c"]);
        assert_eq!(read("/a/%2e%2e/b"), ["/b"]);
    }
}
