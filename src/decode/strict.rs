//! Whether a JSON document can stand inside another that every reader takes: I-JSON (RFC 7493). Reading it leaves suspects, and
//! only they are looked at again. The envelope, which has no tape, tells it of a fragment from the text (`envelope/strict.rs`).

use std::borrow::Cow;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::compare::same_bytes;
use super::document::Document;
use super::tape::Node;
use crate::json_text::unescape;

/// Members up to which names are compared one by one.
const FEW: usize = 8;

/// What an object's names look like: those that share nothing of length, first and last letter need not be compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looks {
    seen: u64,
    alike: bool,
}

impl Looks {
    /// Adds a key. True for the first that may be one of those before it.
    #[inline]
    pub(super) fn add(&mut self, key: Node, text: &[u8]) -> bool {
        if self.alike {
            return false;
        }
        let name = name(text, key);
        let ends = name
            .first()
            .zip(name.last())
            .map_or(0, |(first, last)| usize::from(*first) + usize::from(*last) * 4);
        let look = 1_u64 << ((name.len() * 8 + ends) % 64);
        // Escapes may spell one name two ways.
        self.alike = self.seen & look != 0 || key.escaped();
        self.seen |= look;
        self.alike
    }
}

impl Document<'_> {
    /// No name twice in one object, no half of a surrogate pair, no number beyond a double, and nested no deeper than readers
    /// go.
    pub fn is_i_json(&self) -> bool {
        !self.suspects().certain && !self.has_names_twice()
    }

    /// Whether an object has a name twice.
    pub(super) fn has_names_twice(&self) -> bool {
        let once = |object: &u32| has_each_name_once(self.tape(), *object as usize, self.text());
        !self.suspects().objects.iter().all(once)
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
fn name(text: &[u8], key: Node) -> &[u8] {
    text.get(key.start as usize..key.end as usize).unwrap_or(&[])
}

fn has_each_name_once(tape: &[Node], object: usize, text: &str) -> bool {
    let bytes = text.as_bytes();
    let few = keys(tape, object).nth(FEW).is_none() && keys(tape, object).all(|key| !key.escaped());
    if few {
        let twice = |(before, key): (usize, Node)| {
            let mut known = keys(tape, object).take(before);
            known.any(|known| same_bytes(name(bytes, known), name(bytes, key)))
        };
        return !keys(tape, object).enumerate().any(twice);
    }
    let nodes = tape.get(object).map_or(0, |node| node.next() as usize - object);
    let mut names: HashTable<Cow<'_, [u8]>> = HashTable::with_capacity((nodes / 4).min(1 << 16));
    let hasher = RandomState::default();
    let hash = |name: &Cow<'_, [u8]>| hasher.hash_one(&**name);
    keys(tape, object).all(|key| {
        let own = if key.escaped() {
            let escaped = text.get(key.start as usize..key.end as usize).unwrap_or("");
            Cow::Owned(unescape(escaped).into_bytes())
        } else {
            Cow::Borrowed(name(bytes, key))
        };
        let hash_of = hash(&own);
        let once = names.find(hash_of, |known| same_bytes(known, &own)).is_none();
        if once {
            names.insert_unique(hash_of, own, hash);
        }
        once
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
            ("[1e9,-1e-999]", true),
        ] {
            assert_eq!(is_i_json(text), fine, "{text}");
        }
        assert!(is_i_json(&many("\"x\":1")) && !is_i_json(&many("\"k7\":1")));
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_i_json(&nested(60)) && !is_i_json(&nested(61)));
        assert!(!is_i_json(&format!("[1{}]", "0".repeat(310))));
    }

    #[test]
    fn an_object_built_like_the_one_before_it_hides_no_second_name() {
        for (text, fine) in [
            (r#"[{"a":1,"b":2},{"a":1,"b":2},{"a":1}]"#, true),
            (r#"[{"a":1,"b":2},{"a":1,"a":2}]"#, false),
            (r#"[{"a":1,"b":2},{"a":1,"b":2,"a":3}]"#, false),
            (r#"[{"a":1,"b":2},{"b":1,"a":2,"b":3}]"#, false),
            (r#"[{"a":1,"b":{"c":1}},{"a":1,"b":{"c":1,"c":2}}]"#, false),
            (r#"[{"a":1,"b":{"c":1}},{"a":1,"b":{"c":1,"d":2},"d":3}]"#, true),
            // The elder's end is the end, whatever stands behind it.
            (r#"{"a":{"x":1},"x":2,"b":{"x":1,"x":3}}"#, false),
            (r#"[[{"x":1}],{"x":2},{"x":1,"y":3,"y":4}]"#, false),
            (r#"[{"a\u0062":1},{"a\u0062":1}]"#, true),
            (r#"[{"a\u0062":1},{"a\u0062":1,"ab":2}]"#, false),
        ] {
            assert_eq!(is_i_json(text), fine, "{text}");
        }
    }

    #[test]
    fn names_in_two_cases_are_found_among_very_many() {
        let document = |last: &str| {
            let names: String = (0..200_000).map(|n| format!("\"name{n}\":1,")).collect();
            format!("{{{names}\"{last}\":1}}")
        };
        for (last, twice) in [("other", false), ("Name_7", true), ("name7", false)] {
            let text = document(last);
            let read = read(text.as_bytes(), Wire::Json, "", Bounds::default(), false);
            assert_eq!(read.expect("JSON").0.repeats_loosely(), twice, "{last}");
        }
    }
}
