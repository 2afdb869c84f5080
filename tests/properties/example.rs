//! Entries read by example get the verdicts they get when each is judged: the envelope's bytes are the same.
//!
//! A trace that records sees every entry, so nothing is read by example under it.

use onevelope::decode::{Bounds, Document, Fidelity, Wire, read, sniff};
use onevelope::envelope::Writer;
use onevelope::judge::{Reply, ReplyBody, Trace, apply};
use onevelope::request::{Asked, Request};
use onevelope::request::{Head, Scope, view};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::conversations::{CONVERSATIONS, Conversation};
use crate::judge::PROFILES;
use crate::quiet;
use crate::tree::{Edit, Tree};

fn asked(case: &Conversation) -> Request {
    let message = &case.request;
    let host = message.host();
    let (path, query) = message.path_and_query();
    let method = message.method.clone().expect("a method");
    let head = Head { method: &method, host: host.as_deref(), path, query, headers: &message.headers };
    let scope = Scope { vendor: Some(&case.vendor), profile: Some(&case.profile) };
    view(&PROFILES, &scope, &head, &message.body, Bounds::default()).expect("recognised")
}

/// The reply as a tree, whatever it is written in.
fn told(case: &Conversation, request: &Request) -> Option<Tree> {
    let media_type = case.reply.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("");
    let sniffed = sniff(&case.reply.body, media_type);
    let wires = [request.profile.wire(), sniffed, request.profile.text_wire()];
    let read = |wire| read(&case.reply.body, wire, media_type, Bounds::default(), true).ok();
    let (document, _) = wires.into_iter().flatten().find_map(read)?;
    Some(Tree::of(document.root()))
}

/// More resources than the case asks for, so that many entries are about one of them.
fn ask_more(asked: &mut Asked, names: &[String]) {
    for name in names {
        let keyed = (0..asked.len()).any(|item| asked.key(item).is_some());
        asked.push(Some(name), keyed.then_some(name), None);
    }
}

/// Ids of many looks; UUIDs in both cases.
fn names() -> Vec<String> {
    let plain = (0..24).map(|n| format!("i-{n:04}"));
    let uuids = (0..8).map(|n| format!("{n:08x}-46CA-475e-917e-2563e5a8cd19"));
    plain
        .chain(uuids)
        .chain(["é".to_owned(), "a/b".to_owned(), "q\"".to_owned(), "\\u0069-0001".to_owned()])
        .collect()
}

fn envelope(request: &Request, status: u16, case: &Conversation, text: &str, mut trace: Trace) -> String {
    let (document, fidelity): (Document<'_>, Fidelity) =
        read(text.as_bytes(), Wire::Json, "", Bounds::default(), false)
            .unwrap_or_else(|cause| panic!("{cause}: {text}"));
    let body = ReplyBody::Document(&document, &fidelity);
    let reply = Reply { status, headers: &case.reply.headers, body, items: usize::MAX };
    let envelope = apply(request, &reply, false, true, &mut trace);
    let written = Writer { id: "x", attempts: 1, ..Writer::default() }.write(&envelope, document.text());
    String::from_utf8(written.concat()).expect("UTF-8")
}

fn same(request: &Request, status: u16, case: &Conversation, text: &str) {
    let by_example = envelope(request, status, case, text, Trace::default());
    let one_by_one = envelope(request, status, case, text, Trace::on());
    assert_eq!(by_example, one_by_one, "{}: {text}", case.name);
}

#[test]
fn entries_read_by_example_say_what_they_say_when_each_is_judged() {
    let edits = proptest::collection::vec((0..9u8, any::<Index>(), any::<Index>()), 0..6);
    let more = (any::<Index>(), any::<Index>(), any::<bool>(), edits);
    for case in CONVERSATIONS.iter() {
        let Some(tree) = told(case, &asked(case)) else { continue };
        let config = Config { cases: 8, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&more, |(list, times, fails, edits)| {
            quiet::run(|| {
                let mut request = asked(case);
                let mut names = names();
                names.extend((0..request.asked.len()).filter_map(|n| request.asked.id(n)).map(str::to_owned));
                ask_more(&mut request.asked, &names);
                let mut tree = tree.clone();
                // A long list first; then what is odd about single entries.
                tree.edit(&Edit::Repeat { at: list, times: times.index(48) }, &names);
                for (kind, at, with) in edits {
                    tree.edit(&Edit::of(kind, at, with), &names);
                }
                let status = if fails { 400 } else { case.reply.status };
                same(&request, status, case, &tree.json());
            })
            .map_err(TestCaseError::fail)
        });
        if let Err(cause) = result {
            panic!("{}: {cause}", case.name);
        }
    }
}
