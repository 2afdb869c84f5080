//! Whether a JSON document can stand inside another that every reader takes: I-JSON (RFC 7493), told from its tape. The
//! envelope, which has no tape, tells it of a fragment from the text (`envelope/strict.rs`).

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::compare::same_bytes;
use super::document::{Document, Kind, Node};
use crate::json_text::{DEEPEST, is_double, lone_surrogate, unescape};

/// Members up to which names that look alike are compared one by one.
const FEW: usize = 8;

impl Document<'_> {
    /// No name twice in one object, no half of a surrogate pair, no number beyond a double, and nested no deeper than readers
    /// go. One pass over the tape: it is asked of every reply that is shown.
    pub fn is_i_json(&self) -> bool {
        let (tape, text) = (self.tape(), self.text());
        let inside = |node: &Node| text.get(node.start as usize..node.end as usize).unwrap_or("");
        // Where the containers end that are open.
        let mut open: Vec<u32> = Vec::with_capacity(DEEPEST + 1);
        for (at, node) in tape.iter().enumerate() {
            match node.kind() {
                Kind::Null | Kind::Bool => {}
                // Four characters hold no more than 9e99.
                Kind::Number if node.end - node.start > 4 && !is_double(inside(node)) => return false,
                Kind::String if node.escaped() && lone_surrogate(inside(node)).is_some() => return false,
                Kind::Number | Kind::String => {}
                kind @ (Kind::Array | Kind::Object) => {
                    while open.last().is_some_and(|end| *end <= at as u32) {
                        open.pop();
                    }
                    open.push(node.next());
                    if open.len() > DEEPEST || (kind == Kind::Object && !has_each_name_once(tape, at, text)) {
                        return false;
                    }
                }
            }
        }
        true
    }
}

/// The keys of the object at a place of the tape.
#[inline]
fn keys(tape: &[Node], object: usize) -> impl Iterator<Item = Node> {
    let end = tape.get(object).map_or(0, |object| object.next() as usize);
    let mut at = object + 1;
    std::iter::from_fn(move || {
        let key = *tape.get(at).filter(|_| at < end)?;
        at = tape.get(at + 1)?.next() as usize;
        Some(key)
    })
}

#[inline]
fn name<'t>(text: &'t str, key: &Node) -> &'t [u8] {
    text.as_bytes().get(key.start as usize..key.end as usize).unwrap_or(&[])
}

/// Names that share nothing of length, first and last letter are not compared.
#[inline]
fn has_each_name_once(tape: &[Node], object: usize, text: &str) -> bool {
    let mut looks = 0_u64;
    for (before, key) in keys(tape, object).enumerate() {
        let this = name(text, &key);
        let ends = this
            .first()
            .zip(this.last())
            .map_or(0, |(first, last)| usize::from(*first) + usize::from(*last) * 4);
        let look = 1_u64 << ((this.len() * 8 + ends) % 64);
        let alike = looks & look != 0;
        // Escapes may spell one name two ways.
        if key.escaped() || (alike && before >= FEW) {
            return has_each_of_many_once(tape, object, text);
        }
        if alike && keys(tape, object).take(before).any(|known| same_bytes(name(text, &known), this)) {
            return false;
        }
        looks |= look;
    }
    true
}

fn has_each_of_many_once(tape: &[Node], object: usize, text: &str) -> bool {
    let nodes = tape.get(object).map_or(0, |node| node.next() as usize - object);
    let mut names = HashSet::with_capacity_and_hasher((nodes / 4).min(1 << 16), RandomState::default());
    keys(tape, object).all(|key| {
        if key.escaped() {
            let escaped = text.get(key.start as usize..key.end as usize).unwrap_or("");
            return names.insert(Cow::Owned(unescape(escaped).into_bytes()));
        }
        names.insert(Cow::Borrowed(name(text, &key)))
    })
}

#[cfg(test)]
mod tests {
    use crate::decode::{Bounds, Wire, read};

    fn is_i_json(text: &str) -> bool {
        let read = read(text.as_bytes(), Wire::Json, "", Bounds::default(), false);
        read.expect("JSON").0.is_i_json()
    }

    #[test]
    fn what_strict_readers_refuse_is_told() {
        let many: Vec<String> = (0..40).map(|n| format!("\"k{n}\":1")).collect();
        let many = |last: &str| format!("{{{},{last}}}", many.join(","));
        for (text, fine) in [
            (r#"{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}"#, true),
            (r#"{"a":1,"b":2,"a":3}"#, false),
            (r#"{"ab":1,"cd":2,"ae":3,"ab":4}"#, false),
            (r#"{"axb":1,"ayb":2,"azb":3}"#, true),
            (r#"{"":1,"a":2,"":3}"#, false),
            (r#"{"a":1,"\u0061":3}"#, false),
            (r#"[{"a":{"b":1,"b":1}}]"#, false),
            (r#"["\ud83d\ude00"]"#, true),
            (r#"["\ud83d"]"#, false),
            (r#"{"\ud83d":1}"#, false),
            ("[12345678901234567890]", true),
            ("[1e999]", false),
        ] {
            assert_eq!(is_i_json(text), fine, "{text}");
        }
        assert!(is_i_json(&many("\"x\":1")) && !is_i_json(&many("\"k7\":1")));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_i_json(&nested(60)) && !is_i_json(&nested(61)));
    }
}
