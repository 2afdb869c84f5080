//! Two messages of a conversation → recognised request, envelope. What `normalize`, `explain`, the cases and the page share.

use crate::decode::Bounds;
use crate::envelope::{BatchOutcome, StatusPolicy, Writer, status_line};
use crate::judge::Trace;
use crate::message::Message;
use crate::profile::ProfileSet;
use crate::reply::{Incoming, Limits, RawPolicy, raw, translate};
use crate::request::{Head, Request, Scope, view};

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
    view(set, scope, &head, &message.body, Bounds::default())
        .ok_or_else(|| Unrecognised(format!("no profile knows {method} {path}")))
}

/// Judges a reply to a recognised request.
pub fn judge_messages(
    request: Request,
    reply: &Message,
    strict: bool,
    policy: RawPolicy,
    trace: &mut Trace,
) -> Judged {
    let incoming = Incoming { status: reply.status, headers: &reply.headers, body: &reply.body, cut: false };
    let limits = Limits { decoded_body: 256 << 20, ratio: 1000, bounds: Bounds::default() };
    let (json, outcome, status) =
        translate(&request, &incoming, &limits, strict, false, trace, |envelope, text, plain| {
            let raw = raw(policy, &request, envelope, &incoming, plain);
            let writer = Writer { id: "offline", attempts: 1, duration_ms: 0, minimal: false, raw };
            let (status, _) = status_line(envelope, StatusPolicy::Strict);
            (writer.write(envelope, text).concat(), envelope.outcome, status)
        });
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
