//! Pointers (RFC 6901, and what profiles have besides): no panic, nothing found outside of the document, and a plain one finds what
//! `serde_json`'s finds. The text is the pointer up to a line's end, then the document.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onevelope::decode::{Bounds, Pointer, Wire, read};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pointer, json) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(parsed) = Pointer::parse(pointer) else {
        assert!(!pointer.is_empty() && !pointer.starts_with('/'));
        return;
    };
    let Ok((document, _)) = read(json.as_bytes(), Wire::Json, "", Bounds { depth: 100, nodes: 1 << 16, ..Bounds::default() }, false) else {
        return;
    };
    let (mut found, whole) = (Vec::new(), document.text());
    parsed.visit(document.root(), &mut |value| {
        let raw = value.raw();
        assert!(whole.as_bytes().as_ptr_range().contains(&raw.as_ptr()), "outside of the document");
        found.push(raw.to_owned());
        found.len() > 1 << 10
    });
    let plain = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_alphabetic());
    if pointer.is_empty() || pointer[1..].split('/').all(plain) {
        let theirs = serde_json::from_str::<serde_json::Value>(whole);
        if let Ok(theirs) = theirs
            && let Some(theirs) = theirs.pointer(pointer)
        {
            let same = |own: &String| serde_json::from_str::<serde_json::Value>(own).is_ok_and(|own| own == *theirs);
            assert!(found.iter().any(same), "{theirs} was not found");
        }
    }
});
