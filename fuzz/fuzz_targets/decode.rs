//! Every other wire: no panic, no hang, and what comes out is JSON. The first byte chooses the wire.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onevelope::decode::{Bounds, Wire, read};

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let wires = [Wire::Xml, Wire::Form, Wire::Multipart, Wire::Ndjson, Wire::Lines, Wire::Labelled];
    let wire = wires[*choice as usize % wires.len()];
    let bounds = Bounds { depth: 64, nodes: 1 << 18, ..Bounds::default() };
    if let Ok((document, _)) = read(body, wire, "multipart/mixed; boundary=b", bounds, false) {
        assert!(serde_json::from_str::<serde_json::Value>(document.text()).is_ok());
    }
});
