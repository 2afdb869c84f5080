//! The invariants of `docs/envelope.md` section 9 over generated batches, for every shape that vendors use.
//!
//! Bytes in observe and passthrough, and metrics against summaries, need a gateway: see `tests/gateway`.

mod conversations; // the cases of tests/profiles
mod elders; // objects read by their elder siblings
mod evidence; // a failure more, a proof less
mod example; // entries read by example
mod judge; // conversation → envelope
mod oracle; // the page, once more
mod parameters; // parameters and asked items
mod places; // ids in each of their places
mod quiet; // one failure, told once
mod recognition; // which action a request is
mod rules; // what no shipped profile has
mod shapes; // generated batches
mod suite; // JSON, by the public suite
mod told; // replies to profiles of our own
mod tree; // replies with damage

use judge::{Arrival, Judged, asked, judge, judge_bytes};
use oracle::{assert_sound, text_codes};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use shapes::{Batch, SHAPES, Said, Shape, batch};

/// Runs a property over each shape's batches and some more data.
fn check<S: Strategy>(
    shapes: impl Fn(&Shape) -> bool,
    more: S,
    holds: impl Fn(&'static Shape, Batch, S::Value),
) {
    for shape in SHAPES.iter().filter(|shape| shapes(shape)) {
        // A failing input is printed; it belongs into a test of its own, not into a file beside this one.
        let config = Config { cases: 128, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&(batch(shape), &more), |(batch, more)| {
            quiet::run(|| holds(shape, batch, more)).map_err(TestCaseError::fail)
        });
        if let Err(cause) = result {
            panic!("{}: {cause}", shape.name);
        }
    }
}

fn any(_: &Shape) -> bool {
    true
}

/// Where an asked name stands in a result: nowhere for records, which have none.
fn member(shape: &Shape) -> &'static str {
    match shape.name {
        "aws/put-records" => "",
        "aws/sqs" => "key",
        _ => "id",
    }
}

fn sound(shape: &Shape, batch: &Batch, judged: &Judged) {
    assert_sound(judged, &batch.asked, member(shape));
}

/// Outcome and evidence that a batch's statements deserve.
fn deserved(shape: &Shape, batch: &Batch, at: usize) -> (&'static str, &'static str) {
    match batch.said.iter().find(|said| said.id == batch.asked[at]) {
        Some(Said { bad: None, .. }) => (shape.good, "reported"),
        Some(_) => ("failed", "reported"),
        // A failure that nobody asked about may be anybody's.
        None if shape.failures_only && !batch.is_of_strangers() => ("succeeded", "inferred"),
        None => ("unknown", "none"),
    }
}

fn verdict(result: &Value) -> (&str, &str) {
    (result["outcome"].as_str().expect("outcome"), result["evidence"].as_str().expect("evidence"))
}

#[test]
fn every_item_gets_the_verdict_that_its_statement_deserves() {
    check(any, Just(()), |shape, batch, ()| {
        let judged = judge(&asked(shape, &batch.asked), &(shape.tell)(&batch.said));
        sound(shape, &batch, &judged);
        // Without any statement the outer code speaks, and each vendor's means something else.
        if !batch.said.is_empty() {
            for at in 0..batch.asked.len() {
                assert_eq!(verdict(judged.of(at)), deserved(shape, &batch, at), "{}", judged.text);
            }
        }
    });
}

#[test]
fn the_order_of_the_vendors_list_changes_no_verdict() {
    check(
        |shape| !shape.positional,
        any_order(),
        |shape, batch, seed| {
            let request = asked(shape, &batch.asked);
            let first = judge(&request, &(shape.tell)(&batch.said));
            let mut turned = batch.said.clone();
            turned.reverse();
            if !turned.is_empty() {
                let by = seed.index(turned.len());
                turned.rotate_left(by);
            }
            let second = judge(&request, &(shape.tell)(&turned));
            for at in 0..batch.asked.len() {
                assert_eq!(first.of(at), second.of(at));
            }
            for shared in ["outcome", "summary", "operation", "error"] {
                assert_eq!(first.envelope.get(shared), second.envelope.get(shared), "{shared}");
            }
            assert_eq!(first.status, second.status);
        },
    );
}

fn any_order() -> impl Strategy<Value = Index> {
    proptest::arbitrary::any::<Index>()
}

#[test]
fn a_content_coding_changes_nothing() {
    let coding = proptest::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, br"]);
    check(any, coding, |shape, batch, coding| {
        let (request, told) = (asked(shape, &batch.asked), (shape.tell)(&batch.said));
        let coded =
            coding.split(", ").fold(told.body.clone().into_bytes(), |body, coding| encode(coding, &body));
        let arrival = Arrival { verbatim: true, ..Arrival::default() };
        let plain = judge_bytes(&request, &told, told.body.as_bytes(), arrival);
        let decoded = judge_bytes(&request, &told, &coded, Arrival { coding: Some(coding), ..arrival });
        assert_eq!(plain.text, decoded.text);
    });
}

fn encode(coding: &str, body: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut out = Vec::new();
    let level = flate2::Compression::fast();
    match coding {
        "gzip" => flate2::read::GzEncoder::new(body, level).read_to_end(&mut out).map(drop),
        "deflate" => flate2::read::ZlibEncoder::new(body, level).read_to_end(&mut out).map(drop),
        "br" => brotli::BrotliCompress(&mut &*body, &mut out, &brotli::enc::BrotliEncoderParams::default())
            .map(drop),
        _ => zstd::stream::copy_encode(body, &mut out, 1),
    }
    .expect("coded");
    out
}

#[test]
fn leaving_one_item_out_moves_that_item_only() {
    let with_others = |shape: &Shape| !shape.positional;
    check(with_others, any_order(), |shape, batch, which| {
        // The last statement's removal leaves the outer code alone with the word.
        if batch.said.len() < 2 {
            return;
        }
        let request = asked(shape, &batch.asked);
        let before = judge(&request, &(shape.tell)(&batch.said));
        let mut rest = batch.said.clone();
        rest.remove(which.index(rest.len()));
        let judged = judge(&request, &(shape.tell)(&rest));
        let rest = Batch { said: rest, ..batch.clone() };
        if !rest.said.iter().any(|said| rest.asked.contains(&said.id)) {
            return;
        }
        for at in 0..batch.asked.len() {
            // Silence means what the rest says; a statement stays what it is.
            if !rest.said.iter().any(|said| said.id == batch.asked[at]) {
                assert_eq!(verdict(judged.of(at)), deserved(shape, &rest, at), "{}", judged.text);
            } else {
                assert_eq!(judged.of(at), before.of(at));
            }
        }
        sound(shape, &rest, &judged);
    });
}

#[test]
fn a_record_too_few_leaves_no_record_certain() {
    check(
        |shape| shape.positional,
        any_order(),
        |shape, batch, which| {
            let mut rest = batch.said.clone();
            rest.remove(which.index(rest.len()));
            let judged = judge(&asked(shape, &batch.asked), &(shape.tell)(&rest));
            assert_eq!(judged.count("unknown"), batch.asked.len() as u64, "{}", judged.text);
        },
    );
}

#[test]
fn no_truncation_raises_a_success() {
    let more = (any_order(), proptest::option::of(Just("gzip")), proptest::bool::ANY);
    check(any, more, |shape, batch, (at, coding, framed)| {
        let (request, told) = (asked(shape, &batch.asked), (shape.tell)(&batch.said));
        let whole = judge(&request, &told);
        let body = coding
            .map_or_else(|| told.body.clone().into_bytes(), |coding| encode(coding, told.body.as_bytes()));
        // A body of no bytes that is framed as such was not truncated, as far as anybody can tell.
        let least = usize::from(framed);
        let end = least + at.index(body.len() - least);
        let arrival = Arrival { coding, cut: !framed, ..Arrival::default() };
        let judged = judge_bytes(&request, &told, &body[..end], arrival);
        for outcome in ["succeeded", "accepted"] {
            assert!(judged.count(outcome) <= whole.count(outcome), "{outcome} at {end}: {}", judged.text);
        }
        assert_ne!(judged.envelope["upstream"]["body"], "repaired", "a truncated body is never repaired");
        sound(shape, &batch, &judged);
    });
}

#[test]
fn strict_handling_infers_nothing_and_claims_no_more() {
    check(any, Just(()), |shape, batch, ()| {
        let (request, told) = (asked(shape, &batch.asked), (shape.tell)(&batch.said));
        let lenient = judge(&request, &told);
        let strict = judge_bytes(
            &request,
            &told,
            told.body.as_bytes(),
            Arrival { strict: true, ..Arrival::default() },
        );
        assert_eq!(strict.count("inferred"), 0, "{}", strict.text);
        assert_eq!(strict.count("succeeded") + lenient.count("inferred"), lenient.count("succeeded"));
        sound(shape, &batch, &strict);
    });
}

#[test]
fn fragments_and_raw_are_the_vendors_bytes() {
    let json = |shape: &Shape| shape.name != "aws/s3-delete-objects";
    check(json, Just(()), |shape, batch, ()| {
        let told = (shape.tell)(&batch.said);
        let arrival = Arrival { verbatim: true, ..Arrival::default() };
        let judged = judge_bytes(&asked(shape, &batch.asked), &told, told.body.as_bytes(), arrival);
        assert!(
            judged.text.contains(&format!("\"encoding\":\"json\",\"body\":{},", told.body)),
            "{}",
            judged.text
        );
        for said in &batch.said {
            let copies = judged.text.matches(&format!("{}}}", said.extra)).count();
            // Once in `raw`, once in the item's own `data`.
            assert!(copies >= 2, "{}: {}", said.extra, judged.text);
        }
        assert_eq!(
            judged.results().iter().filter(|result| result.get("data").is_some()).count(),
            batch.said.len()
        );
    });
}

#[test]
fn an_id_said_twice_counts_once_and_the_worst_wins() {
    let named = |shape: &Shape| !shape.positional && !shape.failures_only;
    check(named, any_order(), |shape, mut batch, which| {
        if batch.said.is_empty() {
            return;
        }
        let twice = batch.said[which.index(batch.said.len())].clone();
        let failed = twice.bad.is_some();
        batch.said.push(Said { bad: if failed { None } else { Some("NotFound") }, ..twice.clone() });
        let judged = judge(&asked(shape, &batch.asked), &(shape.tell)(&batch.said));
        sound(shape, &batch, &judged);
        assert!(text_codes(&judged).contains(&"duplicate_item"), "{}", judged.text);
        let own = member(shape);
        let counted: Vec<&Value> =
            judged.verdicts().filter(|result| result[own] == twice.id.as_str()).collect();
        assert_eq!((counted.len(), &counted[0]["outcome"]), (1, &"failed".into()), "{}", judged.text);
    });
}

#[test]
fn an_id_asked_twice_has_one_verdict() {
    check(
        |shape| !shape.positional,
        any_order(),
        |shape, batch, which| {
            let mut repeated = batch.asked.clone();
            repeated.push(batch.asked[which.index(batch.asked.len())].clone());
            let told = (shape.tell)(&batch.said);
            let (once, twice) =
                (judge(&asked(shape, &batch.asked), &told), judge(&asked(shape, &repeated), &told));
            assert_eq!(
                (&once.envelope["results"], &once.envelope["summary"]),
                (&twice.envelope["results"], &twice.envelope["summary"])
            );
        },
    );
}

/// Puts one slip of the closed list behind a value of a JSON text.
fn slip(body: &str, slip: &str, which: Index) -> String {
    let mut inside = false;
    let mut ends = Vec::new();
    let mut chars = body.char_indices();
    while let Some((at, ch)) = chars.next() {
        match ch {
            '\\' if inside => drop(chars.next()),
            '"' => inside = !inside,
            // Behind a whole value that another container ends.
            '}' | ']' if !inside && !body[..at].trim_end().ends_with(['{', '[', ',']) => ends.push(at),
            _ => {}
        }
    }
    let at = ends[which.index(ends.len())];
    format!("{}{slip}{}", &body[..at], &body[at..])
}

#[test]
fn slips_of_the_closed_list_change_no_verdict() {
    let json = |shape: &Shape| shape.name != "aws/s3-delete-objects";
    let slips = proptest::sample::select(vec![",", ":", ":,", ",,", "\u{a0}", "\u{feff}"]);
    check(json, (slips, any_order()), |shape, batch, (text, which)| {
        if batch.said.is_empty() {
            return;
        }
        let (request, told) = (asked(shape, &batch.asked), (shape.tell)(&batch.said));
        let slipped = slip(&told.body, text, which);
        let mended = judge_bytes(&request, &told, slipped.as_bytes(), Arrival::default());
        assert_eq!(mended.envelope["results"], judge(&request, &told).envelope["results"], "{slipped}");
        assert_eq!(mended.envelope["upstream"]["body"], "repaired", "{slipped}");
        assert!(text_codes(&mended).contains(&"json_repaired"));
        // Whoever wants it strictly is told nothing of what could only be guessed.
        let strict =
            judge_bytes(&request, &told, slipped.as_bytes(), Arrival { strict: true, ..Arrival::default() });
        assert_eq!(strict.count("unknown"), batch.asked.len() as u64, "{}", strict.text);
    });
}

#[test]
fn whatever_comes_back_the_envelope_is_sound() {
    let noise = prop_oneof![
        proptest::collection::vec(proptest::num::u8::ANY, 0..64),
        "[\\[\\]{}\",:0-9a-z ]{0,64}".prop_map(String::into_bytes),
        "<[a-zA-Z<>/ =\"&;]{0,64}".prop_map(String::into_bytes),
    ];
    let status =
        proptest::sample::select(vec![200, 201, 202, 204, 207, 301, 400, 404, 409, 429, 500, 502, 503, 504]);
    check(any, (noise, status), |shape, batch, (noise, status)| {
        let request = asked(shape, &batch.asked);
        let told = shapes::Told { status, ..(shape.tell)(&[]) };
        let judged = judge_bytes(&request, &told, &noise, Arrival::default());
        sound(shape, &batch, &judged);
    });
}

#[test]
fn a_damaged_byte_breaks_no_promise() {
    let damage = (any_order(), proptest::num::u8::ANY, 0..3u8);
    check(any, damage, |shape, batch, (at, byte, kind)| {
        let (request, told) = (asked(shape, &batch.asked), (shape.tell)(&batch.said));
        let mut body = told.body.clone().into_bytes();
        let at = at.index(body.len());
        match kind {
            0 => body[at] = byte,
            1 => drop(body.remove(at)),
            _ => body.insert(at, byte),
        }
        sound(shape, &batch, &judge_bytes(&request, &told, &body, Arrival::default()));
    });
}
