//! Whether a vendor's JSON can stand inside an envelope that every reader takes: I-JSON (RFC 7493).
//!
//! Looked at where a fragment is written, not where a reply is read: most are never shown. The text is known to be JSON.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::json_text::{DEEPEST, is_double, lone_surrogate, plain_run, unescape};

/// Members from which an object's names are looked up instead of compared one by one.
const MANY: usize = 16;

/// Whether a JSON text is I-JSON: no name twice in one object, no half of a surrogate pair, no number beyond a double;
/// and nested no deeper than readers go. One pass.
pub(super) fn is_i_json(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut names = Names::default();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let start = at + 1;
                let (end, escapes) = string_end(bytes, start);
                let inside = text.get(start..end).unwrap_or("");
                if escapes && lone_surrogate(inside).is_some() || !names.take(inside, escapes) {
                    return false;
                }
                at = end;
            }
            b'{' | b'[' => {
                if names.open.len() >= DEEPEST {
                    return false;
                }
                names.enter(byte == b'{');
            }
            b'}' | b']' => names.leave(),
            b',' => names.due = names.open.last().is_some_and(|object| object.is_object),
            b'-' | b'0'..=b'9' => {
                let end = number_end(bytes, at);
                if !is_double(&text[at..end]) {
                    return false;
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    true
}

/// Where the string ends whose inside starts at `at`, and whether it holds escapes.
fn string_end(bytes: &[u8], mut at: usize) -> (usize, bool) {
    let mut escapes = false;
    loop {
        at = plain_run(bytes, at);
        match bytes.get(at) {
            Some(b'\\') => {
                escapes = true;
                at += 2;
            }
            // Unreachable in JSON: a raw control character.
            Some(byte) if *byte != b'"' => at += 1,
            _ => return (at.min(bytes.len()), escapes),
        }
    }
}

fn number_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E')) {
        at += 1;
    }
    at
}

/// The names of all open objects, innermost last: an object's own stand from its start on.
#[derive(Default)]
struct Names<'t> {
    seen: Vec<Cow<'t, str>>,
    open: Vec<Container<'t>>,
    /// Whether the next string is a name.
    due: bool,
}

struct Container<'t> {
    is_object: bool,
    start: usize,
    /// The names of an object with many.
    many: HashSet<Cow<'t, str>>,
}

impl<'t> Names<'t> {
    fn enter(&mut self, is_object: bool) {
        self.open.push(Container { is_object, start: self.seen.len(), many: HashSet::new() });
        self.due = is_object;
    }

    fn leave(&mut self) {
        if let Some(container) = self.open.pop() {
            self.seen.truncate(container.start);
        }
        self.due = false;
    }

    /// Takes a string where it is a name; false when the object has it already.
    fn take(&mut self, inside: &'t str, escapes: bool) -> bool {
        let (true, Some(object)) = (self.due, self.open.last_mut()) else { return true };
        self.due = false;
        let name = if escapes { Cow::Owned(unescape(inside)) } else { Cow::Borrowed(inside) };
        let own = &self.seen[object.start..];
        if own.len() < MANY {
            if own.contains(&name) {
                return false;
            }
            self.seen.push(name);
            return true;
        }
        if object.many.is_empty() {
            object.many.extend(own.iter().cloned());
        }
        object.many.insert(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strict_readers_refuse_is_told() {
        let many = |last: &str| {
            let members: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{{\"a\":1}}")).collect();
            format!("{{{},{last}}}", members.join(","))
        };
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        for (text, strict) in [
            (r#"{"a":1,"b":{"a":[1,{"a":2},{"a":3}]},"c":"a"}"#, true),
            (r#"{"a":1,"b":2,"a":3}"#, false),
            (r#"{"a":1,"b":2,"\u0061":3}"#, false),
            (r#"[{"x":{"n":{},"m":["n"],"n":1}}]"#, false),
            (r#"["a","a",{"a":"a"},"a"]"#, true),
            (r#"{"a":"\ud83d\ude00 \\ud800"}"#, true),
            (r#"{"a":"\ud83d"}"#, false),
            (r#"{"\udc00":1}"#, false),
            (r#"{"a":"b\",\"a"}"#, true),
            (r#"[12345678901234567890.10,-0,1e308]"#, true),
            (r#"[-1e400]"#, false),
            ("null", true),
            (&many(r#""k40":1"#), true),
            (&many(r#""k7":1"#), false),
            (&many(r#""k38":1"#), false),
            (&deep(60), true),
            (&deep(61), false),
        ] {
            assert_eq!(is_i_json(text), strict, "{text}");
        }
    }

    #[test]
    fn many_members_cost_what_they_are_long() {
        let members: Vec<String> = (0..200_000).map(|n| format!("\"{n}\":{{\"{n}\":0}}")).collect();
        assert!(is_i_json(&format!("{{{}}}", members.join(","))));
    }
}
