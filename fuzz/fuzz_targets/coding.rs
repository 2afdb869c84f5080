//! Content codings: no panic, and never more bytes than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onevelope::decode::decode_content;

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let codings = ["gzip", "deflate", "br", "zstd", "gzip, br"];
    let limit = 1 << 20;
    if let Ok(plain) = decode_content(body, codings[*choice as usize % codings.len()], limit, 100) {
        assert!(plain.len() <= limit.max(body.len()));
    }
});
