//! The strict JSON reader agrees with `serde_json` on what is JSON; what the repairing reader gives is JSON, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onevelope::decode::{Bounds, Kind, Value, Wire, read, to_utf8};

/// What a tree says, in `serde_json`'s terms: of a repeated member the last.
fn value(tree: Value<'_>) -> serde_json::Value {
    match tree.kind() {
        Kind::Array => tree.elements().map(value).collect(),
        Kind::Object => tree.members().map(|(key, inner)| (key.decode().into_owned(), value(inner))).collect(),
        _ => serde_json::from_str(tree.raw()).expect("a scalar"),
    }
}

fuzz_target!(|data: &[u8]| {
    let bounds = Bounds { depth: 100, nodes: 1 << 20, ..Bounds::default() };
    let strict = read(data, Wire::Json, "", bounds, false);
    // serde_json stops at depth 128, so both accept all that is shallower than 100.
    // Other charsets than UTF-8 are read by their byte order mark; the text is what is compared.
    let (text, replaced) = to_utf8(data, "");
    let theirs = (!replaced).then(|| serde_json::from_str::<serde::de::IgnoredAny>(&text));
    match (&strict, theirs) {
        (Ok((document, _)), theirs) => {
            assert!(matches!(theirs, Some(Ok(_))), "accepted what is no JSON");
            let plain = serde_json::from_str::<serde_json::Value>(document.text());
            // It knows no number beyond a double, and no half of a surrogate pair.
            if let Ok(plain) = plain {
                assert_eq!(value(document.root()), plain, "another value than serde_json's");
            }
        }
        (Err(onevelope::decode::DecodeError::TooDeep { .. }), _) => {}
        (Err(cause), theirs) => assert!(!matches!(theirs, Some(Ok(_))), "refused JSON: {cause}"),
    }
    if let Ok((document, fidelity)) = read(data, Wire::Json, "", bounds, true) {
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(document.text()).is_ok());
        assert_eq!(strict.is_ok(), fidelity.slips.is_empty(), "a repair must be told");
    }
});
