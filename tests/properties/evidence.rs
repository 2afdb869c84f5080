//! The judge as a whole, over small profiles of our own: a failure more or a proof less makes nothing good
//! (`docs/envelope.md` section 3a), the order of a list says nothing, and each asked item has one verdict.

use http::{HeaderMap, Method};
use onevelope::decode::{Bounds, Wire, read};
use onevelope::envelope::{BatchOutcome, Envelope, Evidence, Outcome};
use onevelope::judge::{Reply, ReplyBody, Trace, apply};
use onevelope::request::{Head, Scope, view};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::quiet;
use crate::told::{ERRORS, SETS, SHAPES, Shape, Told, id};

/// What became of the asked items.
#[derive(Debug, PartialEq)]
struct Seen {
    batch: BatchOutcome,
    items: Vec<(Outcome, Evidence)>,
}

fn judge(shape: &Shape, asked: usize, told: &Told) -> Seen {
    judge_strictly(shape, asked, told, false)
}

fn judge_strictly(shape: &Shape, asked: usize, told: &Told, strict: bool) -> Seen {
    let at = SHAPES.iter().position(|own| own.name == shape.name).expect("a shape");
    let query: Vec<String> = (0..asked).map(|at| format!("ids.{}={}", at + 1, id(at))).collect();
    let (query, headers) = (query.join("&"), HeaderMap::new());
    let head = Head { method: &Method::POST, host: None, path: "/own", query: &query, headers: &headers };
    let scope = Scope { vendor: None, profile: Some("jsonrpc/own") };
    let request = view(&SETS[at], &scope, &head, b"", Bounds::default()).expect("recognised");
    let text = told.body.to_string();
    let (document, fidelity) = read(text.as_bytes(), Wire::Json, "", Bounds::default(), false).expect("JSON");
    let body = ReplyBody::Document(&document, &fidelity);
    let reply = Reply { status: told.status, headers: &told.headers, body, items: usize::MAX };
    seen(&apply(&request, &reply, strict, false, &mut Trace::default()), asked)
}

/// The asked items' verdicts: one each, in their order, before what the vendor volunteered; and the sum is right.
fn seen(envelope: &Envelope<'_>, asked: usize) -> Seen {
    let counted: Vec<_> = envelope.results.iter().filter(|verdict| verdict.occurrence == 0).collect();
    let indices: Vec<_> = counted.iter().map(|verdict| verdict.index).collect();
    let expected: Vec<_> = (0..asked as u32).map(Some).collect();
    assert_eq!(indices[..asked], expected, "each asked item once");
    assert!(indices[asked..].iter().all(Option::is_none), "{indices:?}");
    let all = &envelope.summary;
    let parts = all.succeeded + all.accepted + all.failed + all.not_attempted + all.unknown;
    assert_eq!((all.total, counted.len()), (parts, parts as usize));
    let items = counted[..asked].iter().map(|verdict| (verdict.outcome, verdict.evidence));
    Seen { batch: envelope.outcome, items: items.collect() }
}

/// Nothing is good that was worse before. From one caution to another is no rise: a failure that is no longer certain is
/// honestly unknown.
fn no_rise(before: &Seen, after: &Seen) {
    for ((was, _), (is, _)) in before.items.iter().zip(&after.items) {
        assert!(!is.is_good() || is.badness() >= was.badness(), "{before:?} → {after:?}");
    }
    assert!(is_good(before) || !is_good(after), "{before:?} → {after:?}");
}

fn is_good(seen: &Seen) -> bool {
    matches!(seen.batch, BatchOutcome::Succeeded | BatchOutcome::Accepted)
}

/// Runs a property over every shape, with what happened to each item and two numbers to choose by.
fn check(holds: impl Fn(&Shape, &[Option<bool>], [Index; 2])) {
    for shape in &SHAPES {
        let fates = proptest::collection::vec(proptest::option::weighted(0.8, any::<bool>()), 1..6);
        let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
        let drawn = (fates, any::<[Index; 2]>());
        let result = TestRunner::new(config).run(&drawn, |(fates, with)| {
            quiet::run(|| holds(shape, &fates, with)).map_err(TestCaseError::fail)
        });
        if let Err(cause) = result {
            panic!("{}: {cause}", shape.name);
        }
    }
}

#[test]
fn failures_more_make_nothing_good() {
    check(|shape, fates, kinds| {
        let mut told = shape.tell(fates);
        let before = judge(shape, fates.len(), &told);
        // Both against what was before: an entry without a name may be the one at its place, until a further one stands there.
        for kind in kinds {
            shape.fail(&mut told, fates.len(), kind);
            no_rise(&before, &judge(shape, fates.len(), &told));
        }
    });
}

#[test]
fn an_error_of_the_call_leaves_good_only_what_an_entry_states() {
    check(|shape, fates, [kind, _]| {
        let mut told = shape.tell(fates);
        let (name, value) = ERRORS[kind.index(ERRORS.len())];
        told.body[name] = serde_json::from_str(value).expect("JSON");
        // Strict handling adds a doubt, and must not keep anybody from looking for more.
        for strict in [false, true] {
            let seen = judge_strictly(shape, fates.len(), &told, strict);
            let stated =
                |(outcome, how): &(Outcome, Evidence)| !outcome.is_good() || *how == Evidence::Reported;
            assert!(seen.items.iter().all(stated), "{name}: {seen:?}");
            assert!(!is_good(&seen), "{name}: {seen:?}");
        }
    });
}

#[test]
fn a_proof_less_makes_nothing_good() {
    check(|shape, fates, marks| {
        let mut told = shape.tell(fates);
        let mut before = judge(shape, fates.len(), &told);
        for mark in marks {
            shape.unmark(&mut told.body, mark);
            let after = judge(shape, fates.len(), &told);
            no_rise(&before, &after);
            before = after;
        }
    });
}

#[test]
fn the_order_of_entries_that_name_their_items_says_nothing() {
    check(|shape, fates, [by, kind]| {
        let mut told = shape.tell(fates);
        shape.fail(&mut told, fates.len(), kind);
        let before = judge(shape, fates.len(), &told);
        let mut nameless = false;
        for place in [shape.good, shape.bad].into_iter().flatten().filter(|_| shape.named) {
            if let Some(Value::Array(list)) = told.body.pointer_mut(place) {
                list.reverse();
                let by = by.index(list.len() + 1);
                list.rotate_left(by);
                nameless |= list.iter().any(|entry| entry.get("id").is_none());
            }
        }
        let after = judge(shape, fates.len(), &told);
        if !nameless {
            return assert_eq!(before, after);
        }
        // One without a name may be the one at its place; at any place it keeps silence from being good.
        for ((was, _), (is, how)) in before.items.iter().zip(&after.items) {
            assert!(
                !is.is_good() || is.badness() >= was.badness() || *how == Evidence::Reported,
                "{before:?} → {after:?}"
            );
        }
    });
}
