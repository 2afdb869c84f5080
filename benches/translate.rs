//! What reading, judging and rewriting a batch costs, in nanoseconds per resource, beside a validating skim of the same
//! bytes (`serde_json` to `IgnoredAny`) in the same run. The ratio is the figure to compare between machines.
//!
//! `cargo bench --bench translate`; under a minute. The rules for reading the figures: `docs/performance.md`.

mod support;

use std::hint::black_box;
use std::time::Duration;

use onevelope::decode::Bounds;
use onevelope::envelope::Writer;
use onevelope::profile::{self, ProfileSet, Request, Trace};
use onevelope::reply::{Incoming, Limits, translate};
use onevelope::request::{Head, Scope, view};
use support::clock::{Candidate, race};
use support::conversations::{
    Conversation, aws_ec2, aws_sqs, azure_blobs, huawei_done, huawei_failed, opensearch, tencent, tencent_query,
};
use support::table::{number, print, row};

/// The binary's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LIMITS: Limits = Limits { decoded_body: 256 << 20, ratio: 1000, bounds: Bounds { depth: 128, nodes: 8_000_000 } };

type Make = fn(usize) -> Conversation;

fn main() {
    // `cargo test --benches` runs this too, without the flag: then one short round shows that it works.
    let real = std::env::args().any(|argument| argument == "--bench");
    let (rounds, turn) = if real { (31, Duration::from_millis(4)) } else { (1, Duration::ZERO) };
    let set = profile::load(None).expect("the built-in profiles");
    let seeds: [(&str, Make); 3] = [
        ("tencent/async-task, detail map", tencent),
        ("huawei/ecs-batch, response[]", huawei_done),
        ("huawei/ecs-batch, internalError[]", huawei_failed),
    ];
    let sizes: &[usize] = if real { &[1, 10, 100, 1_000, 10_000] } else { &[10] };
    seed_families(&set, &seeds, sizes, rounds, turn);
    let wires: [(&str, Make); 7] = [
        ("JSON, form request (tencent/async-task)", tencent),
        ("JSON, query request (tencent/async-task)", tencent_query),
        ("JSON, JSON request (huawei/ecs-batch)", huawei_done),
        ("JSON, NDJSON request (opensearch/bulk)", opensearch),
        ("XML, form request (aws/ec2-instances)", aws_ec2),
        ("XML, form request (aws/sqs)", aws_sqs),
        ("multipart both ways (azure/blob-batch)", azure_blobs),
    ];
    let sizes: &[usize] = if real { &[1, 100, 1_000] } else { &[10] };
    for &n in sizes {
        wire_formats(&set, &wires, n, rounds, turn);
    }
}

fn seed_families(set: &ProfileSet, seeds: &[(&str, Make)], sizes: &[usize], rounds: usize, turn: Duration) {
    let header = row(["reply", "n", "B/res.", "skim", "reply", "÷ skim", "±", "request", "÷ skim", "both ÷ skim"]);
    let mut rows = vec![header];
    for (name, make) in seeds {
        for &n in sizes {
            let talk = make(n);
            let asked = recognised(set, &talk);
            let mut candidates: [Candidate<'_>; 3] = [
                Box::new(|| skim(&talk.reply.body)),
                Box::new(|| {
                    black_box(rewrite(&asked, &talk));
                }),
                Box::new(|| {
                    black_box(look(set, &talk));
                }),
            ];
            let found = race(&mut candidates, rounds, turn);
            let per = |of: usize| number(found.time(of) / n as f64);
            let (bytes, both) = (talk.reply.body.len() as f64 / n as f64, found.ratio(1, 0) + found.ratio(2, 0));
            rows.push(vec![
                (*name).to_owned(),
                n.to_string(),
                number(bytes),
                per(0),
                per(1),
                number(found.ratio(1, 0)),
                format!("{:.0}%", found.spread(1, 0) * 100.0),
                per(2),
                number(found.ratio(2, 0)),
                number(both),
            ]);
        }
    }
    print("Seed families: ns per resource, and × a validating skim of the reply's bytes", &rows);
}

fn wire_formats(set: &ProfileSet, wires: &[(&str, Make)], n: usize, rounds: usize, turn: Duration) {
    let talks: Vec<(Conversation, Request)> = wires
        .iter()
        .map(|(_, make)| {
            let talk = make(n);
            let asked = recognised(set, &talk);
            (talk, asked)
        })
        .collect();
    let replies = talks.iter().map(|(talk, asked)| -> Candidate<'_> {
        Box::new(|| {
            black_box(rewrite(asked, talk));
        })
    });
    let requests = talks.iter().map(|(talk, _)| -> Candidate<'_> {
        Box::new(|| {
            black_box(look(set, talk));
        })
    });
    let found = race(&mut replies.chain(requests).collect::<Vec<_>>(), rounds, turn);
    let mut rows = vec![row(["wire", "B/res.", "reply", "÷ JSON", "±", "request", "B/res.", "÷ JSON reply"])];
    for (at, ((name, _), (talk, _))) in wires.iter().zip(&talks).enumerate() {
        let request = wires.len() + at;
        let per = |of: usize| number(found.time(of) / n as f64);
        rows.push(vec![
            (*name).to_owned(),
            number(talk.reply.body.len() as f64 / n as f64),
            per(at),
            number(found.ratio(at, 0)),
            format!("{:.0}%", found.spread(at, 0) * 100.0),
            per(request),
            number(talk.request.body.len().max(talk.request.target.len()) as f64 / n as f64),
            number(found.ratio(request, 0)),
        ]);
    }
    print(&format!("Wire formats at n = {n}: ns per resource, and × the JSON reply of the first row"), &rows);
}

/// The request as the gateway sees it.
fn look(set: &ProfileSet, talk: &Conversation) -> Option<Request> {
    let (path, query) = talk.request.path_and_query();
    let method = talk.request.method.clone().unwrap_or_default();
    let host = talk.request.host();
    let head = Head { method: &method, host: host.as_deref(), path, query, headers: &talk.request.headers };
    let scope = Scope { vendor: talk.profile.split('/').next(), profile: None };
    view(set, &scope, &head, &talk.request.body, LIMITS.bounds)
}

/// Reply bytes → envelope bytes. Returns their number, and what the summary counts.
fn rewrite(asked: &Request, talk: &Conversation) -> (usize, u32, u32) {
    let reply = Incoming { status: talk.reply.status, headers: &talk.reply.headers, body: &talk.reply.body, cut: false };
    translate(asked, &reply, &LIMITS, false, false, &mut Trace::default(), |envelope, text, _| {
        let writer = Writer { id: "01JD8Z5N3Q0V7KX2T4B6C8D9EB", attempts: 1, duration_ms: 188, ..Writer::default() };
        let len = writer.write(envelope, text).iter().map(bytes::Bytes::len).sum();
        (len, envelope.summary.total, envelope.summary.failed)
    })
}

fn skim(body: &[u8]) {
    black_box(serde_json::from_slice::<serde::de::IgnoredAny>(black_box(body)).is_ok());
}

/// The recognised request, after a check that the figures will be of the right work.
fn recognised(set: &ProfileSet, talk: &Conversation) -> Request {
    let asked = look(set, talk).expect("a call that the profiles know");
    assert_eq!(asked.profile.name, talk.profile);
    assert_eq!(asked.asked.len(), talk.asked);
    let (_, total, failed) = rewrite(&asked, talk);
    assert_eq!((total as usize, failed as usize), (talk.asked, talk.failed), "{}", talk.profile);
    asked
}
