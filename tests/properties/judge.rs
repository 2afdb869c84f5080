//! The way from a generated conversation to its envelope, through the library as the gateway uses it.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use onevelope::decode::Bounds;
use onevelope::envelope::{StatusPolicy, Writer, status_line};
use onevelope::judge::Trace;
use onevelope::profile::{ProfileSet, load};
use onevelope::reply::{Incoming, Limits, RawPolicy, Wishes, raw, translate};
use onevelope::request::Request;
use onevelope::request::{Head, Scope, view};
use serde_json::Value;

use crate::shapes::{Shape, Told};

pub static PROFILES: LazyLock<ProfileSet> = LazyLock::new(|| load(None).expect("profiles"));

/// An envelope and what goes with it.
pub struct Judged {
    pub text: String,
    pub envelope: Value,
    /// The strict status line, and whether `Retry-After` may stand beside it.
    pub status: (u16, bool),
}

/// How a reply arrives.
#[derive(Clone, Copy, Default)]
pub struct Arrival<'a> {
    pub coding: Option<&'a str>,
    pub cut: bool,
    /// `Prefer: handling=strict`.
    pub strict: bool,
    /// Fragments are wanted, and the whole body.
    pub verbatim: bool,
}

/// What a shape's request asks.
pub fn asked(shape: &Shape, ids: &[String]) -> Request {
    let ask = (shape.ask)(ids);
    let method: Method = ask.method.parse().expect("a method");
    let mut headers = HeaderMap::new();
    for (name, value) in &ask.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let head =
        Head { method: &method, host: Some(ask.host), path: ask.path, query: &ask.query, headers: &headers };
    let found = view(&PROFILES, &Scope::default(), &head, ask.body.as_bytes(), Bounds::default());
    let request = found.unwrap_or_else(|cause| panic!("{}: {cause}", shape.name));
    assert_eq!(request.profile.name, shape.name);
    request
}

/// The envelope for a reply as it stands.
pub fn judge(request: &Request, told: &Told) -> Judged {
    judge_bytes(request, told, told.body.as_bytes(), Arrival::default())
}

/// The envelope for a reply with these bytes for its body.
pub fn judge_bytes(request: &Request, told: &Told, body: &[u8], arrival: Arrival<'_>) -> Judged {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(told.media_type));
    if let Some(coding) = arrival.coding {
        headers.insert(http::header::CONTENT_ENCODING, HeaderValue::from_str(coding).expect("a coding"));
    }
    let incoming = Incoming { status: told.status, headers: &headers, body, cut: arrival.cut };
    let limits = Limits {
        decoded_body: 1 << 20,
        ratio: 1000,
        bounds: Bounds::default(),
        items: 250_000,
        envelope: 64 << 20,
    };
    let policy = if arrival.verbatim { RawPolicy::Always } else { RawPolicy::Never };
    let trace = &mut Trace::default();
    translate(
        request,
        &incoming,
        &limits,
        Wishes { strict: arrival.strict, data: arrival.verbatim, raw: policy },
        trace,
        |envelope, reply, plain| {
            let raw = raw(policy, request, envelope, &incoming, plain);
            let writer =
                Writer { id: "01JD8Z5N3Q0V7KX2T4B6C8D9EB", attempts: 1, duration_ms: 0, minimal: false, raw };
            let text = String::from_utf8(writer.write(envelope, reply).concat()).expect("UTF-8");
            let envelope_value =
                serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{cause}: {text}"));
            Judged { envelope: envelope_value, text, status: status_line(envelope, StatusPolicy::Strict) }
        },
    )
}

impl Judged {
    /// The verdicts that count.
    pub fn verdicts(&self) -> impl Iterator<Item = &Value> {
        self.results().iter().filter(|result| result.get("occurrence").is_none())
    }

    pub fn results(&self) -> &[Value] {
        self.envelope["results"].as_array().expect("results")
    }

    /// The verdict on the item at a place of the request's list.
    pub fn of(&self, index: usize) -> &Value {
        let own = self.verdicts().find(|result| result["index"] == index);
        own.unwrap_or_else(|| panic!("nothing for item {index}: {}", self.text))
    }

    pub fn count(&self, outcome: &str) -> u64 {
        self.envelope["summary"][outcome].as_u64().expect("a count")
    }
}
