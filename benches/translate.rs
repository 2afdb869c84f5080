//! What reading, judging and rewriting a batch costs, in nanoseconds per resource, beside a validating skim of the same
//! bytes (`serde_json` to `IgnoredAny`) in the same run. The ratio is the figure to compare between machines.
//!
//! `cargo bench --bench translate`; under a minute. The rules for reading the figures: `docs/performance.md`.

mod support;

use std::hint::black_box;
use std::time::Duration;

use onevelope::envelope::Writer;
use onevelope::judge::Trace;
use onevelope::profile::{self, ProfileSet};
use onevelope::reply::{RawPolicy, Wishes, translate};
use onevelope::request::Request;
use support::clock::{Candidate, race};
use support::conversations::{
    Conversation, LIMITS, aws_ec2, aws_sqs, azure_blobs, huawei_done, huawei_failed, opensearch, tencent,
    tencent_query,
};
use support::table::{number, print, row};

/// The binary's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Make = fn(usize) -> Conversation;

/// One line of a table.
struct Row {
    name: &'static str,
    talk: Conversation,
    asked: Request,
    n: usize,
}

fn main() {
    // `cargo test --benches` runs this too, without the flag: then one short round shows that it works.
    let real = std::env::args().any(|argument| argument == "--bench");
    let (rounds, turn) = if real { (101, Duration::from_millis(2)) } else { (1, Duration::ZERO) };
    let set = profile::load(None).expect("the built-in profiles");
    let seeds: [(&str, Make); 3] = [
        ("tencent/async-task, detail map", tencent),
        ("huawei/ecs-batch, response[]", huawei_done),
        ("huawei/ecs-batch, internalError[]", huawei_failed),
    ];
    seed_families(
        &set,
        &rows(&set, &seeds, if real { &[1, 10, 100, 1_000, 10_000, 100_000] } else { &[10] }),
        rounds,
        turn,
    );
    let wires: [(&str, Make); 7] = [
        ("JSON, form request (tencent/async-task)", tencent),
        ("JSON, query request (tencent/async-task)", tencent_query),
        ("JSON, JSON request (huawei/ecs-batch)", huawei_done),
        ("JSON, NDJSON request (opensearch/bulk)", opensearch),
        ("XML, form request (aws/ec2-instances)", aws_ec2),
        ("XML, form request (aws/sqs)", aws_sqs),
        ("multipart both ways (azure/blob-batch)", azure_blobs),
    ];
    wire_formats(&set, &rows(&set, &wires, if real { &[1, 100, 1_000] } else { &[10] }), rounds, turn);
}

fn rows(set: &ProfileSet, kinds: &[(&'static str, Make)], sizes: &[usize]) -> Vec<Row> {
    let row = |(name, make): &(&'static str, Make), n: usize| {
        let talk = make(n);
        Row { name, asked: recognised(set, &talk), talk, n }
    };
    kinds.iter().flat_map(|kind| sizes.iter().map(move |&n| row(kind, n))).collect()
}

fn seed_families(set: &ProfileSet, rows: &[Row], rounds: usize, turn: Duration) {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for row in rows {
        candidates.push(Box::new(|| skim(&row.talk.reply.body)));
        candidates.push(replies(row));
        candidates.push(requests(set, row));
    }
    let found = race(&mut candidates, rounds, turn);
    let mut lines = vec![row([
        "reply",
        "n",
        "B/res.",
        "skim",
        "reply",
        "÷ skim",
        "noise",
        "request",
        "÷ skim",
        "both ÷ skim",
    ])];
    for (at, row) in rows.iter().enumerate() {
        let (skim, reply, request) = (3 * at, 3 * at + 1, 3 * at + 2);
        let per = |of: usize| number(found.time(of) / row.n as f64);
        lines.push(vec![
            row.name.to_owned(),
            row.n.to_string(),
            number(row.talk.reply.body.len() as f64 / row.n as f64),
            per(skim),
            per(reply),
            number(found.ratio(reply, skim)),
            percent(found.noise(reply)),
            per(request),
            number(found.ratio(request, skim)),
            number(found.ratio(reply, skim) + found.ratio(request, skim)),
        ]);
    }
    print("Seed families: ns per resource, and × a validating skim of the reply's bytes", &lines);
}

fn wire_formats(set: &ProfileSet, rows: &[Row], rounds: usize, turn: Duration) {
    let mut candidates: Vec<Candidate<'_>> = rows.iter().map(replies).collect();
    candidates.extend(rows.iter().map(|row| requests(set, row)));
    let found = race(&mut candidates, rounds, turn);
    let mut lines =
        vec![row(["wire", "n", "B/res.", "reply", "÷ JSON", "noise", "request", "B/res.", "÷ JSON"])];
    for (at, row) in rows.iter().enumerate() {
        let json = rows.iter().position(|other| other.n == row.n).unwrap_or(at);
        let request = rows.len() + at;
        let per = |of: usize| number(found.time(of) / row.n as f64);
        lines.push(vec![
            row.name.to_owned(),
            row.n.to_string(),
            number(row.talk.reply.body.len() as f64 / row.n as f64),
            per(at),
            number(found.ratio(at, json)),
            percent(found.noise(at)),
            per(request),
            number(row.talk.request.body.len().max(row.talk.request.target.len()) as f64 / row.n as f64),
            number(found.ratio(request, json)),
        ]);
    }
    print("Wire formats: ns per resource, and × the reply of the first wire with as many resources", &lines);
}

fn replies(row: &Row) -> Candidate<'_> {
    Box::new(|| {
        black_box(rewrite(&row.asked, &row.talk));
    })
}

fn requests<'r>(set: &'r ProfileSet, row: &'r Row) -> Candidate<'r> {
    Box::new(|| {
        black_box(row.talk.recognised(set));
    })
}

fn percent(part: f64) -> String {
    format!("{:.0}%", part * 100.0)
}

/// Reply bytes → envelope bytes. Returns their number, and what the summary counts.
fn rewrite(asked: &Request, talk: &Conversation) -> (usize, u32, u32) {
    let wishes = Wishes { strict: false, data: false, raw: RawPolicy::Never };
    translate(asked, &talk.incoming(), &LIMITS, wishes, &mut Trace::default(), |envelope, text, _| {
        let writer =
            Writer { id: "01JD8Z5N3Q0V7KX2T4B6C8D9EB", attempts: 1, duration_ms: 188, ..Writer::default() };
        let len = writer.write(envelope, text).iter().map(bytes::Bytes::len).sum();
        (len, envelope.summary.total, envelope.summary.failed)
    })
}

fn skim(body: &[u8]) {
    black_box(serde_json::from_slice::<serde::de::IgnoredAny>(black_box(body)).is_ok());
}

/// The recognised request, after a check that the figures will be of the right work.
fn recognised(set: &ProfileSet, talk: &Conversation) -> Request {
    let asked = talk.recognised(set).expect("a call that the profiles know");
    assert_eq!(asked.profile.name, talk.profile);
    assert_eq!(asked.asked.len(), talk.asked);
    let (_, total, failed) = rewrite(&asked, talk);
    assert_eq!((total as usize, failed as usize), (talk.asked, talk.failed), "{}", talk.profile);
    asked
}
