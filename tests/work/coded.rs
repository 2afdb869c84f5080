//! Content codings: what a body may become is bounded before it is made.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use onevelope::decode::decode_content;

use crate::measure::{Named, alone, black_box, linear, peak};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

#[test]
fn a_coded_body_takes_work_and_memory_for_what_it_becomes() {
    let _alone = alone();
    let words = |size: usize| {
        (0..size as u32 / 4).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    };
    let coded: &[Named<'_>] = &[
        ("gzip", &|size| {
            let words: Vec<u8> = words(size);
            gzip(&words)
        }),
        ("gzip", &|size| gzip(b"").repeat(size / gzip(b"").len())),
        ("zstd", &|size| {
            let words: Vec<u8> = words(size);
            zstd::encode_all(words.as_slice(), 3).expect("in memory")
        }),
    ];
    for (coding, shape) in coded {
        linear(coding, 24, *shape, |body| drop(black_box(decode_content(body, coding, 64 << 20, 200))));
    }
}

#[test]
fn a_bomb_takes_no_more_than_its_bound_however_often_it_is_wrapped() {
    let _alone = alone();
    let noughts = vec![0; 64 << 20];
    let once = gzip(&noughts);
    let twice = gzip(&once);
    let limit = 8 << 20;
    for (codings, body) in [("gzip", &once), ("gzip, gzip", &twice), ("gzip, gzip, gzip", &gzip(&twice))] {
        // Growing, a buffer is held twice for a while.
        let times = 3 * limit / body.len() + 1;
        peak(codings, times, body, &|body: &[u8]| {
            drop(black_box(decode_content(body, codings, limit, usize::MAX)))
        });
    }
    let chain = vec!["gzip"; 20_000].join(",");
    peak("a chain", 200, &once, &|body: &[u8]| drop(black_box(decode_content(body, &chain, limit, 200))));
}
