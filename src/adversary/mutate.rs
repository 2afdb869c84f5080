//! The mutations of a whole reply: its root, headers, status and end.

use http::{HeaderName, HeaderValue, StatusCode};

use super::known::{Bodies, canonical};
use super::rules::{Class, Rule};
use super::wire::plain;
use crate::decode::Wire;
use crate::message::Message;

/// A changed reply, and what may still be good.
#[derive(Clone, Debug)]
pub(super) struct Mutation {
    pub(super) class: Class,
    /// What was done, for people.
    pub(super) what: String,
    pub(super) reply: Message,
    pub(super) rule: Rule,
}

/// Bodies that no batch action answers with, but for the documented empty ones among them.
const ROOTS: [&str; 12] = [
    "",
    "null",
    "[]",
    "{}",
    "\"\"",
    "true",
    "0",
    "<Fault/>",
    r#"{"Response":{"Error":{"Message":"boom"},"RequestId":"r"}}"#,
    r#"{"error":"boom"}"#,
    r#"[{"code":"X"}]"#,
    r#"{"message":"Internal error"}"#,
];

/// 3a.4: another root in place of the documented one proves nothing. A body that this or another case of the action shows to be
/// good is documented.
pub(super) fn roots(reply: &Message, known: &Bodies, out: &mut Vec<Mutation>) {
    for root in ROOTS {
        if known.good.contains(&canonical(root.as_bytes())) {
            continue;
        }
        // A bare 202 says that the call was taken on.
        if root.is_empty() && reply.status == 202 {
            continue;
        }
        let mut reply = reply.clone();
        reply.headers.remove(http::header::CONTENT_ENCODING);
        reply.headers.remove(http::header::CONTENT_LENGTH);
        if !root.is_empty() {
            let media_type = if root.starts_with('<') { "application/xml" } else { "application/json" };
            reply.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            // There is no body under these.
            if [204, 205, 304].contains(&reply.status) {
                reply.status = 200;
            }
        }
        reply.body = root.as_bytes().to_vec();
        let what = if root.is_empty() { "empty body".to_owned() } else { format!("body {root}") };
        out.push(Mutation { class: Class::Root, what, reply, rule: Rule::Nothing });
    }
}

/// 3a.2: an error in a header vetoes like one in the body.
pub(super) fn headers(reply: &Message, out: &mut Vec<Mutation>) {
    let headers =
        [("x-amzn-errortype", "InternalFailure"), ("x-ms-error-code", "ServerBusy"), ("grpc-status", "13")];
    for (name, value) in headers.into_iter().filter(|(name, _)| !reply.headers.contains_key(*name)) {
        let mut reply = reply.clone();
        reply.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        let what = format!("header {name}: {value}");
        out.push(Mutation { class: Class::Header, what, reply, rule: Rule::Reported });
    }
}

/// 3a.3: under a status that no rule names, nothing is good that is not reported. A status under which a case of the action
/// shows a whole-call success is named; and one refusal is as good as another.
pub(super) fn statuses(reply: &Message, known: &Bodies, out: &mut Vec<Mutation>) {
    let class = |status: u16| status / 100;
    for status in [302, 400, 403, 500, 503] {
        let named = known.statuses.contains(&status) || class(status) == class(reply.status);
        if named {
            continue;
        }
        let reply = Message { status, ..reply.clone() };
        let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("");
        let what = format!("status {status} {reason}");
        out.push(Mutation { class: Class::Status, what, reply, rule: Rule::Derived });
    }
}

/// Invariant 7: no prefix of a reply raises anything. Lines are left out: each is whole by itself, and where the last one is
/// missing nobody can see it.
pub(super) fn cuts(reply: &Message, wire: Wire, out: &mut Vec<Mutation>) {
    if !matches!(wire, Wire::Json | Wire::Xml | Wire::Multipart) {
        return;
    }
    let Some(reply) = plain(reply) else { return };
    let length = reply.body.trim_ascii_end().len();
    let mut ends: Vec<usize> =
        (1..8).map(|eighth| length * eighth / 8).chain([length.saturating_sub(1)]).collect();
    ends.dedup();
    for end in ends.into_iter().filter(|end| (1..length).contains(end)) {
        let reply = Message { body: reply.body[..end].to_vec(), ..reply.clone() };
        out.push(Mutation {
            class: Class::Cut,
            what: format!("cut at byte {end} of {length}"),
            reply,
            rule: Rule::NoRise,
        });
    }
}
