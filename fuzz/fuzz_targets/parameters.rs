//! Parameters read straight are what their JSON says. The first byte sets how deep and how many they may be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onevelope::decode::{Bounds, Kind, Value, Wire, read, read_parameters};

fn same(a: Value<'_>, b: Value<'_>) -> bool {
    let text = |value: Value<'_>| value.scalar().map(|text| text.decode().into_owned());
    a.kind() == b.kind()
        && match a.kind() {
            Kind::Array => a.elements().count() == b.elements().count() && a.elements().zip(b.elements()).all(|(a, b)| same(a, b)),
            Kind::Object => {
                a.members().count() == b.members().count()
                    && a.members().zip(b.members()).all(|((k, a), (l, b))| k.decode() == l.decode() && same(a, b))
            }
            _ => text(a) == text(b),
        }
}

fuzz_target!(|data: &[u8]| {
    let Some((limit, form)) = data.split_first() else { return };
    let bounds = match limit {
        0..=199 => Bounds::default(),
        _ => Bounds { depth: *limit as usize - 199, nodes: *limit as usize - 190, ..Bounds::default() },
    };
    match (read_parameters(form, "", bounds), read(form, Wire::Form, "", bounds, false)) {
        (Ok(straight), Ok((by_json, _))) => {
            assert!(same(straight.root(), by_json.root()));
            assert_eq!(straight.root().json(), by_json.root().raw());
        }
        (straight, by_json) => assert_eq!(straight.err(), by_json.err()),
    }
});
