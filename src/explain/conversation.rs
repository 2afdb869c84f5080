//! Two messages of a conversation → recognised request, envelope. What `normalize`, `explain`, the cases and the page share.

use bytes::Bytes;

use crate::decode::Bounds;
use crate::envelope::{BatchOutcome, Envelope, StatusPolicy, status_line};
use crate::judge::Trace;
use crate::message::Message;
use crate::profile::ProfileSet;
use crate::reply::{Answer, Incoming, Limits, RawPolicy, Wishes, translate};
use crate::request::{Head, Request, Scope, Unknown, may_match, view};

/// No profile knows the request; says which request.
#[derive(Debug, thiserror::Error)]
#[error("not recognised: {0}")]
pub struct Unrecognised(pub String);

/// A conversation's envelope, written.
#[derive(Debug)]
pub struct Judged {
    pub json: Vec<u8>,
    pub outcome: BatchOutcome,
    pub status: u16,
    pub request: Request,
}

/// Recognises a request message.
pub fn recognise(set: &ProfileSet, scope: &Scope<'_>, message: &Message) -> Result<Request, Unrecognised> {
    let host = message.host();
    let (path, query) = message.path_and_query();
    let method = message.method.clone().unwrap_or_default();
    let head = Head { method: &method, host: host.as_deref(), path, query, headers: &message.headers };
    // As `serve` does it: what the gate lets by is not looked at.
    if !may_match(set, scope, &head, !message.body.is_empty()) {
        return Err(Unrecognised(format!("no profile knows {method} {path}")));
    }
    view(set, scope, &head, &message.body, Bounds::default()).map_err(|cause| match cause {
        Unknown::Nobodys => Unrecognised(format!("no profile knows {method} {path}")),
        either @ (Unknown::Either(..) | Unknown::OverLimit(_)) => {
            Unrecognised(format!("{method} {path}: {either}"))
        }
    })
}

/// How a reply is judged and shown: what a route and a caller's `Prefer` may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manner {
    /// `Prefer: handling=strict`.
    pub strict: bool,
    /// `Prefer: return=minimal`.
    pub minimal: bool,
    pub data: bool,
    pub raw: RawPolicy,
    pub status: StatusPolicy,
}

/// Judges a reply to a recognised request.
pub fn judge_messages(request: Request, reply: &Message, manner: Manner, trace: &mut Trace) -> Judged {
    let incoming = Incoming { status: reply.status, headers: &reply.headers, body: &reply.body, cut: false };
    let limits = Limits {
        decoded_body: 256 << 20,
        ratio: 1000,
        bounds: Bounds::default(),
        items: 250_000,
        envelope: 64 << 20,
    };
    let Manner { strict, minimal, data, raw, status } = manner;
    let answer = Answer { id: "offline", duration_ms: 0, raw, minimal, most: limits.envelope, shared: None };
    let judged = |envelope: &Envelope<'_>, _: &str, written: Option<Vec<Bytes>>| {
        // What is too large to be written goes back as the vendor's bytes.
        let json = written.map_or_else(|| reply.body.clone(), |pieces| pieces.concat());
        (json, envelope.outcome, status_line(envelope, status).0)
    };
    let (json, outcome, status) = translate(
        &request,
        &incoming,
        &limits,
        Wishes { strict, data, raw },
        trace,
        |envelope, text, plain| answer.write(&request, envelope, text, &incoming, plain, judged),
    );
    Judged { json, outcome, status, request }
}

/// A reply file; without a status line, the body of a 200.
pub fn reply_message(bytes: &[u8]) -> Message {
    let parsed = if bytes.starts_with(b"HTTP/") { Message::parse(bytes).ok() } else { None };
    parsed.unwrap_or_else(|| Message {
        method: None,
        target: String::new(),
        status: 200,
        headers: http::HeaderMap::new(),
        body: bytes.to_vec(),
    })
}
