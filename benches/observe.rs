//! What recording costs: a batch of 100 verdicts of which 10 failed, in one and in two threads, and a scrape of a full
//! table, beside the `prometheus` crate doing the same to its own label vectors in the same run.
//!
//! `cargo bench --bench observe`; under a minute. The rules for reading the figures: `docs/performance.md`.

mod support;

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use onevelope::config::Include;
use onevelope::envelope::Envelope;
use onevelope::judge::Trace;
use onevelope::observe::{Format, Inbox, Observer, Outbox};
use onevelope::profile::{self, ProfileSet};
use onevelope::reply::{RawPolicy, Wishes, translate};
use onevelope::request::Request;
use prometheus::{Encoder, GaugeVec, IntCounterVec, Opts, Registry, TextEncoder};
use support::clock::{Candidate, Rounds, race};
use support::conversations::{Conversation, LIMITS, tencent};
use support::table::{number, print, row};
use tokio::sync::Semaphore;

/// The binary's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ID: &str = "01JD8Z5N3Q0V7KX2T4B6C8D9EB";
const TOOK: Duration = Duration::from_micros(30);
const TTL: Duration = Duration::from_secs(3600);
/// Verdicts in a batch; every tenth failed.
const VERDICTS: usize = 100;
/// Rows of the full table: `[metrics.resources] max_series` at its default.
const ROWS: usize = 2000;
/// Batches that fill it, each with ids of its own; those behind find it full.
const FILLING: usize = ROWS / (VERDICTS / 10);
const BEHIND: usize = 100;

/// One batch as the gateway has it when it records: what was asked, the envelope, the text it points into.
type Judged<'j> = (&'j Request, &'j Envelope<'j>, &'j str);

/// Told of a batch, by several threads.
type Record<'r> = &'r (dyn Fn(Judged<'_>) + Sync);

fn main() {
    // `cargo test --benches` runs this too, without the flag: then one short round shows that it works.
    let real = std::env::args().any(|argument| argument == "--bench");
    let (rounds, turn) = if real { (101, Duration::from_millis(2)) } else { (1, Duration::ZERO) };
    let set = profile::load(None).expect("the built-in profiles");
    let talks: Vec<Conversation> = (0..FILLING + BEHIND).map(conversation).collect();
    let asked: Vec<Request> =
        talks.iter().map(|talk| talk.recognised(&set).expect("a call that the profiles know")).collect();
    all_judged(&asked, &talks, &[], &mut |judged| {
        recording(&set, judged, rounds, turn);
        threads(&set, judged, if real { 51 } else { 1 }, if real { 2_000 } else { 1 });
        scraping(&set, judged, rounds);
    });
}

/// Verdicts about resources that no other batch names.
fn conversation(number: usize) -> Conversation {
    let mut talk = tencent(VERDICTS);
    let renamed = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace("qcvm6a456b", &format!("qcvm{number:06x}")).into_bytes()
    };
    talk.request.body = renamed(&talk.request.body);
    talk.reply.body = renamed(&talk.reply.body);
    talk
}

/// Envelopes live only within `translate`: one call inside the other, until all are there.
fn all_judged(
    asked: &[Request],
    talks: &[Conversation],
    held: &[Judged<'_>],
    then: &mut dyn FnMut(&[Judged<'_>]),
) {
    let ([request, asked @ ..], [talk, talks @ ..]) = (asked, talks) else { return then(held) };
    translate(
        request,
        &talk.incoming(),
        &LIMITS,
        Wishes { strict: false, data: false, raw: RawPolicy::Never },
        &mut Trace::default(),
        |envelope, text, _| {
            assert_eq!(
                (envelope.summary.total as usize, envelope.summary.failed as usize),
                (VERDICTS, VERDICTS / 10)
            );
            let mut held: Vec<Judged<'_>> = held.to_vec();
            held.push((request, envelope, text));
            all_judged(asked, talks, &held, then);
        },
    );
}

/// An observer as a gateway starts it; its table is full when `filled`.
fn observer(set: &ProfileSet, filled: &[Judged<'_>]) -> Arc<Observer> {
    let observer = Observer::new().expect("metrics");
    observer.expect(set, &["tencent"]);
    observer.resources.resize(ROWS, TTL);
    filled.iter().for_each(|one| record(&observer, *one));
    observer
}

fn record(observer: &Observer, (request, envelope, text): Judged<'_>) {
    observer.batch(ID, request, envelope, text, Some(TOOK));
}

/// With a sink of events whose queue is emptied by whoever calls this.
fn with_events(observer: &Observer) -> Inbox {
    let mut outbox = Outbox::new(Include::Failures, Arc::new(Semaphore::new(1 << 20)));
    let inbox = outbox.open(&observer.sink("file", "written"));
    observer.send_events_to(Some(outbox));
    inbox
}

/// What the crate's own vectors would hold for the same facts.
struct Vectors {
    registry: Registry,
    results: IntCounterVec,
    failures: IntCounterVec,
    last: GaugeVec,
}

impl Vectors {
    fn new() -> Self {
        let results = ["vendor", "service", "action", "outcome", "category", "evidence"];
        let failures = ["vendor", "service", "resource_type", "resource", "category"];
        let new = Self {
            registry: Registry::new(),
            results: IntCounterVec::new(Opts::new("results_total", "r"), &results).expect("a vector"),
            failures: IntCounterVec::new(Opts::new("failures_total", "f"), &failures).expect("a vector"),
            last: GaugeVec::new(Opts::new("last_timestamp_seconds", "l"), &failures[..4]).expect("a vector"),
        };
        new.registry.register(Box::new(new.results.clone())).expect("once");
        new.registry.register(Box::new(new.failures.clone())).expect("once");
        new.registry.register(Box::new(new.last.clone())).expect("once");
        new
    }

    fn record(&self, (request, envelope, text): Judged<'_>) {
        let sources = envelope.sources(text);
        let (vendor, action) = (request.profile.vendor.name.as_str(), request.action());
        let service = request.service.as_deref().unwrap_or("");
        let kind = action.resource_type.as_deref().unwrap_or("");
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs_f64();
        for verdict in &envelope.results {
            let category = verdict.fault.map_or("none", |fault| fault.category.as_str());
            let (outcome, evidence) = (verdict.outcome.as_str(), verdict.evidence.as_str());
            self.results
                .with_label_values(&[vendor, service, &action.name, outcome, category, evidence])
                .inc();
            if let Some(id) = verdict.id.filter(|_| !verdict.outcome.is_good()) {
                let resource = sources.decode(id);
                self.failures.with_label_values(&[vendor, service, kind, &resource, category]).inc();
                self.last.with_label_values(&[vendor, service, kind, &resource]).set(now);
            }
        }
    }

    fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("text");
        text
    }
}

fn recording(set: &ProfileSet, judged: &[Judged<'_>], rounds: usize, turn: Duration) {
    let (filling, behind) = judged.split_at(FILLING);
    let (known, full, sending) = (observer(set, filling), observer(set, filling), observer(set, filling));
    let inbox = with_events(&sending);
    let vectors = Vectors::new();
    filling.iter().for_each(|one| vectors.record(*one));
    let (mut rows, mut strangers, mut sent, mut own) =
        (filling.iter().cycle(), behind.iter().cycle(), filling.iter().cycle(), filling.iter().cycle());
    let mut candidates: Vec<Candidate<'_>> = vec![
        Box::new(|| rows.next().into_iter().for_each(|one| vectors.record(*one))),
        Box::new(|| own.next().into_iter().for_each(|one| record(&known, *one))),
        Box::new(|| strangers.next().into_iter().for_each(|one| record(&full, *one))),
        Box::new(|| {
            sent.next().into_iter().for_each(|one| record(&sending, *one));
            black_box(inbox.next(Duration::ZERO).is_ok());
        }),
    ];
    let found = race(&mut candidates, rounds, turn);
    let names = [
        "prometheus: three vectors, rows known",
        "onevelope, rows known",
        "onevelope, table full, ids new",
        "onevelope, rows known, events to a sink",
    ];
    let head = ["100 verdicts, 10 failed", "µs", "÷ prometheus", "noise"];
    print("Recording one batch, one thread", &lines(head, &names, &found, 1e3));
}

/// The same table from two threads that do nothing but record; a gateway reads a reply in between.
fn threads(set: &ProfileSet, judged: &[Judged<'_>], rounds: usize, calls: usize) {
    let (filling, behind) = judged.split_at(FILLING);
    let (known, full) = (observer(set, filling), observer(set, filling));
    let vectors = Vectors::new();
    filling.iter().for_each(|one| vectors.record(*one));
    let work: [(&str, &[Judged<'_>], Record<'_>); 3] = [
        ("prometheus: three vectors, rows known", filling, &|one| vectors.record(one)),
        ("onevelope, rows known", filling, &|one| record(&known, one)),
        ("onevelope, table full, ids new", behind, &|one| record(&full, one)),
    ];
    let mut best = vec![[f64::INFINITY; 2]; work.len()];
    for _ in 0..rounds {
        for (at, (_, batches, record)) in work.iter().enumerate() {
            for (column, threads) in [1, 2].into_iter().enumerate() {
                let took = together(threads, calls, batches, record);
                best[at][column] = best[at][column].min(took);
            }
        }
    }
    let mut lines = vec![row(["µs per batch of each thread", "1 thread", "2 threads", "2 ÷ 1"])];
    for ((name, ..), [one, two]) in work.iter().zip(&best) {
        lines.push(vec![(*name).to_owned(), number(one / 1000.0), number(two / 1000.0), number(two / one)]);
    }
    print("Recording and nothing else, all threads into one table", &lines);
}

/// Nanoseconds per batch of the slowest thread.
fn together(threads: usize, calls: usize, batches: &[Judged<'_>], record: Record<'_>) -> f64 {
    let start = Barrier::new(threads);
    let work = |offset: usize| {
        start.wait();
        let started = Instant::now();
        for one in batches.iter().cycle().skip(offset).take(calls) {
            record(*one);
        }
        started.elapsed()
    };
    let slowest = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|n| scope.spawn(move || work(n * batches.len() / 2))).collect();
        let own = work(0);
        others.into_iter().filter_map(|other| other.join().ok()).fold(own, Duration::max)
    });
    slowest.as_nanos() as f64 / calls as f64
}

fn scraping(set: &ProfileSet, judged: &[Judged<'_>], rounds: usize) {
    let full = observer(set, judged);
    let vectors = Vectors::new();
    judged[..FILLING].iter().for_each(|one| vectors.record(*one));
    let mut candidates: Vec<Candidate<'_>> = vec![
        Box::new(|| drop(black_box(vectors.text()))),
        Box::new(|| drop(black_box(full.resources_text("bench", Format::Classic)))),
        Box::new(|| drop(black_box(full.resources.scrape("bench")))),
    ];
    let found = race(&mut candidates, rounds, Duration::ZERO);
    let names =
        ["prometheus: gather and text", "onevelope: /metrics/resources", "of that, with the table locked"];
    let head = ["2,000 rows", "ms", "÷ prometheus", "noise"];
    print("One scrape of a full table", &lines(head, &names, &found, 1e6));
}

/// A line for each candidate, in a unit of so many nanoseconds and as a ratio to the first.
fn lines(head: [&str; 4], names: &[&str], found: &Rounds, unit: f64) -> Vec<Vec<String>> {
    let line = |(at, name): (usize, &&str)| {
        let (time, ratio, noise) = (found.time(at) / unit, found.ratio(at, 0), found.noise(at));
        vec![(*name).to_owned(), number(time), number(ratio), format!("{:.0}%", noise * 100.0)]
    };
    std::iter::once(row(head)).chain(names.iter().enumerate().map(line)).collect()
}
