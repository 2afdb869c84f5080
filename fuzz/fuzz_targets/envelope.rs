//! Whatever a vendor says, and whatever is shown of it, the envelope is I-JSON (RFC 7493) and within its limit.
//!
//! The first byte chooses the conversation, the second how much is shown and how large it may be, the third the media type.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use onevelope::cli::find_cases;
use onevelope::decode::{Bounds, Wire, read};
use onevelope::judge::Trace;
use onevelope::message::Message;
use onevelope::profile::{ProfileSet, load};
use onevelope::reply::{Answer, Incoming, Limits, RawPolicy, Wishes, translate};
use onevelope::request::{Head, Request, Scope, view};

const BOUNDS: Bounds = Bounds { depth: 64, nodes: 1 << 18, decoded: 1 << 20 };
const LIMITS: Limits =
    Limits { decoded_body: 1 << 20, ratio: 100, bounds: BOUNDS, items: 1 << 18, envelope: 1 << 30 };
const TYPES: [&str; 6] = [
    "application/json",
    "text/xml",
    "text/html; charset=gbk",
    "multipart/mixed; boundary=b",
    "application/x-ndjson",
    "image/png",
];

static SET: LazyLock<ProfileSet> = LazyLock::new(|| load(None).expect("the built-in profiles"));
static REQUESTS: LazyLock<Vec<Request>> = LazyLock::new(requests);

fn requests() -> Vec<Request> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/profiles");
    let cases = find_cases(&root).expect("cases");
    let found = cases.into_iter().step_by(16).filter_map(|case| {
        let asked = Message::parse(&std::fs::read(case.dir.join("request.http")).ok()?).ok()?;
        let (host, (path, query)) = (asked.host(), asked.path_and_query());
        let method = asked.method.clone()?;
        let head = Head { method: &method, host: host.as_deref(), path, query, headers: &asked.headers };
        let profile = case.profile();
        view(&SET, &Scope { vendor: None, profile: Some(&profile) }, &head, &asked.body, Bounds::default()).ok()
    });
    found.collect()
}

fuzz_target!(|data: &[u8]| {
    let [case, how, kind, body @ ..] = data else { return };
    let request = &REQUESTS[usize::from(*case) % REQUESTS.len()];
    let mut headers = HeaderMap::new();
    let media_type = TYPES[usize::from(*kind) % TYPES.len()];
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let incoming = Incoming { status: 200, headers: &headers, body, cut: how & 1 == 1 };
    let most = if how & 2 == 2 { 900 } else { 1 << 30 };
    let answer =
        Answer { id: "x", duration_ms: 1, raw: RawPolicy::Always, minimal: how & 4 == 4, most, shared: None };
    let wishes = Wishes { strict: how & 8 == 8, data: true, raw: RawPolicy::Always };
    translate(request, &incoming, &LIMITS, wishes, &mut Trace::default(), |envelope, text, plain| {
        answer.write(request, envelope, text, &incoming, plain, |_, _, pieces| {
            let Some(pieces) = pieces else { return };
            let json = pieces.concat();
            assert!(json.len() <= most, "{} bytes where {most} are allowed", json.len());
            let bounds = Bounds { depth: 1 << 10, nodes: 1 << 22, ..Bounds::default() };
            let (document, _) = read(&json, Wire::Json, "", bounds, false).expect("the envelope is JSON");
            assert!(document.is_i_json(), "strict readers refuse it: {}", String::from_utf8_lossy(&json));
        });
    });
});
