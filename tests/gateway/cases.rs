//! Every case of `tests/profiles` over the wire: what `normalize` says offline, the gateway says in envelope mode.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use onevelope::cli::{Case, find_cases};
use onevelope::explain::Manner;
use onevelope::message::Message;
use serde_json::{Value, json};

use crate::support::{Answer, Call, Gateway, Reply, Route, Script, Vendor};

/// What the gateway adds to what can be known offline.
const OWN: [&str; 2] = ["/id", "/upstream/duration_ms"];

#[tokio::test]
async fn every_case_answers_over_the_wire_as_it_does_offline() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles");
    let mut by_vendor: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for case in find_cases(&folder).expect("cases") {
        let vendor = case.profile().split('/').next().expect("a vendor").to_owned();
        by_vendor.entry(vendor).or_default().push(case);
    }
    assert!(by_vendor.len() > 20, "{:?}", by_vendor.keys());
    let mut failures = Vec::new();
    for (vendor, cases) in by_vendor {
        failures.extend(run(&vendor, &cases).await);
    }
    assert!(failures.is_empty(), "{} failed\n{}", failures.len(), failures.join("\n"));
}

/// One gateway and one fake vendor for all cases of a real one.
async fn run(name: &str, cases: &[Case]) -> Vec<String> {
    let reply: Arc<Mutex<Script>> = Arc::default();
    let next = Arc::clone(&reply);
    let vendor = Vendor::answering(None, move |_| next.lock().expect("a reply").clone()).await;
    let gateway = Gateway::before(&vendor, Route::of(name).upstream("host = \"as_sent\"")).await;
    let mut failures = Vec::new();
    for case in cases {
        let read = |file: &str| std::fs::read(case.dir.join(file)).expect("a case's file");
        *reply.lock().expect("a reply") = script(&read("reply.http"));
        let call = call(&read("request.http"));
        let answer = match case.manner().expect("a route") {
            manner if manner == Manner::default() => call.send(gateway.address).await,
            manner => sent_in(manner, name, &vendor, call).await,
        };
        let Ok(golden) = std::fs::read(case.dir.join("envelope.json")) else {
            failures.push(format!("{}: no envelope.json", case.name()));
            continue;
        };
        let golden: Value = serde_json::from_slice(&golden).expect("JSON");
        // What is never rewritten has the verdict in its headers.
        if answer.header("content-type") == "application/grpc" {
            assert_eq!(golden["outcome"], answer.header("onevelope-outcome"), "{}", case.name());
            continue;
        }
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(envelope) if bare(&envelope) == bare(&golden) => {}
            Ok(envelope) => {
                failures.push(format!("{}: {}", case.name(), difference(&bare(&golden), &bare(&envelope))))
            }
            Err(cause) => {
                failures.push(format!("{}: {} {cause}: {}", case.name(), answer.status, answer.text()))
            }
        }
    }
    failures
}

/// The answer over a route of its own, with the caller's preferences.
async fn sent_in(manner: Manner, name: &str, vendor: &Vendor, call: Call) -> Answer {
    let Manner { strict, minimal, data, raw, status } = manner;
    // A JSON string is TOML's, too.
    let keys = format!("data = {data}\nraw = {}\nstatus = {}", json!(raw), json!(status));
    let gateway = Gateway::before(vendor, Route::of(name).with(&keys).upstream("host = \"as_sent\"")).await;
    let preferences = [(strict, "handling=strict"), (minimal, "return=minimal")];
    let call =
        preferences.iter().filter(|(on, _)| *on).fold(call, |call, (_, word)| call.header("Prefer", word));
    call.send(gateway.address).await
}

fn bare(envelope: &Value) -> Value {
    let mut bare = envelope.clone();
    for pointer in OWN {
        bare.pointer_mut(pointer).map(Value::take);
    }
    bare
}

/// The first member that differs, for whoever reads the failure.
fn difference(golden: &Value, now: &Value) -> String {
    let keys = golden.as_object().into_iter().chain(now.as_object()).flat_map(|object| object.keys());
    let differs = |key: &&String| golden.get(key.as_str()) != now.get(key.as_str());
    let key = keys.into_iter().find(differs).map_or("", String::as_str);
    format!("{key}\n  - {}\n  + {}", golden[key], now[key])
}

/// The head's lines and the body; the file's end is the body's end.
fn split(bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
    let mut rest = bytes;
    let mut lines = Vec::new();
    while let Some(at) = rest.iter().position(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..at]).trim_end().to_owned();
        rest = &rest[at + 1..];
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    (lines, rest.to_vec())
}

/// A case's headers but those that frame: the file does that.
fn headers(lines: &[String]) -> impl Iterator<Item = (&str, &str)> {
    let framing = ["content-length", "transfer-encoding", "connection"];
    let headers = lines[1..].iter().filter_map(|line| line.split_once(':'));
    headers
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(move |(name, _)| !framing.iter().any(|framing| framing.eq_ignore_ascii_case(name)))
}

fn call(file: &[u8]) -> Call {
    let message = Message::parse(file).expect("a request");
    let (lines, body) = split(file);
    let method = message.method.expect("a method");
    let call = Call::new(method.as_str(), &message.target).body(body);
    let call = headers(&lines).fold(call, |call, (name, value)| call.header(name, value));
    // A case may leave the host out; a request may not.
    if message.headers.contains_key("host") { call } else { call.header("Host", "localhost") }
}

fn script(file: &[u8]) -> Script {
    let (lines, body) = split(file);
    let status = lines[0].split_once(' ').expect("a status line").1;
    headers(&lines).fold(Reply::new(status, body), |reply, (name, value)| reply.header(name, value)).script()
}
