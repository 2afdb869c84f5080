//! Any reply to a known request: no panic, one verdict for each asked item, and an envelope that is JSON and the same when
//! no entry is read by example (a trace that records sees each).
//! The first byte chooses the request, the second the status.
#![no_main]

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use onevelope::decode::Bounds;
use onevelope::envelope::Writer;
use onevelope::judge::Trace;
use onevelope::profile::{ProfileSet, load};
use onevelope::request::Request;
use onevelope::reply::{Incoming, Limits, translate};
use onevelope::request::{Head, Scope, view};

static SET: LazyLock<ProfileSet> = LazyLock::new(|| load(None).expect("the built-in profiles"));

/// (vendor, method, target, header, body): a map by id, failures only, two lists, XML, multipart, positions.
const REQUESTS: [(&str, &str, &str, (&str, &str), &str); 6] = [
    ("tencent", "GET", "/v2/index.php?Action=StopInstances&instanceIds.0=a&instanceIds.1=b", ("x-a", "b"), ""),
    ("huawei", "PUT", "/v1/p/cloudservers/os-reset-passwords", ("content-type", "application/json"), r#"{"servers":[{"id":"a"},{"id":"b"}]}"#),
    ("aws", "POST", "/", ("x-amz-target", "AmazonSQS.DeleteMessageBatch"), r#"{"Entries":[{"Id":"a"},{"Id":"b"}]}"#),
    ("aws", "POST", "/b?delete", ("content-type", "application/xml"), "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>"),
    ("azure", "POST", "/a/c?restype=container&comp=batch", ("content-type", "multipart/mixed; boundary=b"), "--b\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nDELETE /a HTTP/1.1\r\n\r\n\r\n--b\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\nDELETE /b HTTP/1.1\r\n\r\n\r\n--b--"),
    ("aws", "POST", "/", ("x-amz-target", "Kinesis_20131202.PutRecords"), r#"{"Records":[{"Data":"a"},{"Data":"b"}]}"#),
];

fn asked(choice: u8) -> Option<Request> {
    let (vendor, method, target, (name, value), body) = REQUESTS[choice as usize % REQUESTS.len()];
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let method: Method = method.parse().ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_static(value));
    let head = Head { method: &method, host: None, path, query, headers: &headers };
    view(&SET, &Scope { vendor: Some(vendor), profile: None }, &head, body.as_bytes(), Bounds::default())
}

fuzz_target!(|data: &[u8]| {
    let [choice, status, body @ ..] = data else { return };
    let request = asked(*choice).expect("a request that is recognised");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("multipart/mixed; boundary=b"));
    if !body.starts_with(b"--b") {
        headers.clear();
    }
    let statuses = [200, 202, 204, 207, 400, 403, 404, 429, 500, 503];
    let incoming = Incoming { status: statuses[*status as usize % 10], headers: &headers, body, cut: false };
    let limits = Limits { decoded_body: 1 << 20, ratio: 100, bounds: Bounds { depth: 64, nodes: 1 << 18 }, items: 1 << 18, envelope: 1 << 30 };
    let written = [Trace::default(), Trace::on()].map(|mut trace| {
        translate(&request, &incoming, &limits, false, true, &mut trace, |envelope, text, _| {
            let counted = envelope.results.iter().filter(|v| v.index.is_some() && v.occurrence == 0).count();
            assert_eq!(counted, request.asked.len(), "each asked item once");
            let json = Writer { id: "x", attempts: 1, ..Writer::default() }.write(envelope, text).concat();
            let value: serde_json::Value = serde_json::from_slice(&json).expect("the envelope is JSON");
            assert_eq!(value["summary"]["total"].as_u64(), Some(u64::from(envelope.summary.total)));
            json
        })
    });
    assert!(written[0] == written[1], "an entry read by example says something else");
});
