//! Whether a JSON document can stand inside another that every reader takes: I-JSON (RFC 7493), told from its tape.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::document::{Document, Kind, Value};
use crate::json_text::lone_surrogate;

/// Deepest nesting that is spliced in. Common readers stop at 64 levels, and the envelope has three of its own.
const DEEPEST: usize = 60;
/// Members up to which an object's names are compared one by one.
const FEW: usize = 8;

impl Document<'_> {
    /// No name twice in one object, no half of a surrogate pair, no number beyond a double, and nested no deeper than readers
    /// go.
    pub fn is_i_json(&self) -> bool {
        is_fine(self.root(), 1)
    }
}

fn is_fine(value: Value<'_>, depth: usize) -> bool {
    match value.kind() {
        Kind::Null | Kind::Bool => true,
        Kind::Number => is_double(value.text()),
        Kind::String => value.scalar().is_none_or(|text| !text.escaped || lone_surrogate(text.raw).is_none()),
        Kind::Array => depth <= DEEPEST && value.elements().all(|element| is_fine(element, depth + 1)),
        Kind::Object => {
            depth <= DEEPEST
                && has_each_name_once(value)
                && value.members().all(|(_, inner)| is_fine(inner, depth + 1))
        }
    }
}

/// Whether a number's magnitude is a double's. Its precision is the reader's affair: 64-bit ids are everywhere.
fn is_double(number: &str) -> bool {
    let plain = number.len() < 300 && !number.bytes().any(|b| b | 0x20 == b'e');
    plain || number.parse::<f64>().is_ok_and(f64::is_finite)
}

fn has_each_name_once(object: Value<'_>) -> bool {
    let mut few: [&str; FEW] = [""; FEW];
    let mut count = 0;
    for (key, _) in object.members() {
        // Escapes may spell one name two ways.
        if key.escaped || count == FEW {
            return has_each_of_many_once(object);
        }
        if few[..count].iter().any(|known| super::same(known, key.raw)) {
            return false;
        }
        few[count] = key.raw;
        count += 1;
    }
    true
}

fn has_each_of_many_once(object: Value<'_>) -> bool {
    let mut names = HashSet::with_capacity_and_hasher(object.members().count(), RandomState::default());
    object.members().all(|(key, _)| {
        key.escaped.then(|| lone_surrogate(key.raw)).flatten().is_none() && names.insert(key.decode())
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
