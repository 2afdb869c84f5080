//! Envelope → response, in the three modes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use tokio::time::Instant;

use super::Gateway;
use super::exchange::Exchange;
use crate::body::Body;
use crate::config::Mode;
use crate::envelope::{Envelope, Writer, status_line};
use crate::profile::{Request, Trace};
use crate::reply::{Incoming, Prefer, envelope_headers, media_type, raw, strip_rewritten, translate, vary};
use crate::route::Route;

/// Bodies from this size on are read off the event loop, so that one large reply delays nobody else.
const LARGE: usize = 256 << 10;

/// What the caller asked of the answer.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) accept: Option<HeaderValue>,
    pub(super) prefer: Prefer,
}

/// The answer for a reply that came back whole (or cut).
#[allow(clippy::too_many_arguments, reason = "the whole exchange meets here, once")]
pub(super) fn judged(
    gateway: &Gateway,
    route: &Route,
    exchange: &mut Exchange,
    asked: &Request,
    caller: &Caller,
    head: http::response::Parts,
    body: Bytes,
    cut: bool,
    upstream_ms: u64,
) -> Response<Body> {
    let incoming = Incoming { status: head.status.as_u16(), headers: &head.headers, body: &body, cut };
    let started = Instant::now();
    let mode = exchange.mode;
    let id = exchange.id.as_str();
    let work = || {
        translate(
            asked,
            &incoming,
            &gateway.limits,
            caller.prefer.strict,
            route.data,
            &mut Trace::default(),
            |envelope, text, plain| {
                let mut headers = HeaderMap::new();
                envelope_headers(&mut headers, envelope, id);
                let (status, retry_after) = status_line(envelope, route.status);
                let written = (mode == Mode::Envelope).then(|| {
                    let raw = raw(route.raw, asked, envelope, &incoming, plain);
                    let minimal = caller.prefer.minimal;
                    Writer { id, attempts: 1, duration_ms: upstream_ms, minimal, raw }.write(envelope, text)
                });
                if mode == Mode::Envelope {
                    rewritten_headers(
                        &mut headers,
                        envelope,
                        text,
                        caller,
                        retry_after,
                        head.headers.get(header::RETRY_AFTER),
                    );
                }
                let took = started.elapsed();
                gateway.observer.batch(id, asked, envelope, text, took);
                if let Some(span) = &exchange.span {
                    span.judged(envelope, took);
                }
                log_batch(id, envelope, incoming.status);
                (written, headers, status, envelope.outcome.as_str())
            },
        )
    };
    // A fault of ours must not cost the caller the vendor's answer.
    let result =
        catch_unwind(AssertUnwindSafe(|| if body.len() >= LARGE { off_the_loop(work) } else { work() }));
    let Ok((written, headers, status, outcome)) = result else {
        gateway.observer.diagnostic("normalizer_panicked");
        tracing::error!(
            request_id = id,
            profile = asked.profile.name,
            "reading the reply panicked; the vendor's bytes were sent"
        );
        exchange.settle("unknown", head.status.as_u16());
        let mut response = vendors_own(head, body.clone(), cut);
        unknown(response.headers_mut(), &exchange.id);
        return response;
    };
    let mut response = match written {
        Some(json) => {
            let mut response = Response::new(Body::pieces(json));
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut kept = head.headers.clone();
            strip_rewritten(&mut kept);
            *response.headers_mut() = kept;
            response
        }
        None => vendors_own(head, body.clone(), cut),
    };
    exchange.settle(outcome, response.status().as_u16());
    add(response.headers_mut(), headers);
    response
}

/// Runs long work without holding up the other tasks of this thread. Tests run on one thread, which cannot.
fn off_the_loop<R>(work: impl FnOnce() -> R) -> R {
    let many = tokio::runtime::Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread);
    if many { tokio::task::block_in_place(work) } else { work() }
}

/// The vendor's status, headers and bytes; a cut body stays cut.
fn vendors_own(head: http::response::Parts, body: Bytes, cut: bool) -> Response<Body> {
    Response::from_parts(head, if cut { Body::cut(body) } else { Body::full(body) })
}

/// The answer for a call without reply: there are no vendor bytes in any mode.
pub(super) fn first_hand(
    gateway: &Gateway,
    route: &Route,
    exchange: &mut Exchange,
    asked: &Request,
    caller: &Caller,
    envelope: &Envelope<'_>,
) -> Response<Body> {
    let duration_ms = exchange.elapsed().as_millis() as u64;
    let writer =
        Writer { id: &exchange.id, attempts: 1, duration_ms, minimal: caller.prefer.minimal, raw: None };
    let (status, retry_after) = status_line(envelope, route.status);
    let mut response = Response::new(Body::pieces(writer.write(envelope, "")));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    envelope_headers(response.headers_mut(), envelope, &exchange.id);
    rewritten_headers(response.headers_mut(), envelope, "", caller, retry_after, None);
    gateway.observer.batch(&exchange.id, asked, envelope, "", std::time::Duration::ZERO);
    if let Some(span) = &exchange.span {
        span.judged(envelope, std::time::Duration::ZERO);
    }
    log_batch(&exchange.id, envelope, 0);
    exchange.settle(envelope.outcome.as_str(), status);
    response
}

/// What describes our bytes: type, preferences, monitor, and `Retry-After` where the whole may be repeated.
fn rewritten_headers(
    headers: &mut HeaderMap,
    envelope: &Envelope<'_>,
    text: &str,
    caller: &Caller,
    retry_after: bool,
    vendors: Option<&HeaderValue>,
) {
    headers.insert(header::CONTENT_TYPE, media_type(caller.accept.as_ref()));
    vary(headers);
    if let Some(applied) = caller.prefer.applied() {
        headers.insert(HeaderName::from_static("preference-applied"), applied);
    }
    if let (true, Some(value)) = (retry_after, vendors) {
        headers.insert(header::RETRY_AFTER, value.clone());
    }
    let monitor =
        envelope.task.as_ref().and_then(|task| task.monitor).map(|url| envelope.sources(text).decode(url));
    if let Some(link) =
        monitor.and_then(|url| HeaderValue::from_str(&format!("<{url}>; rel=\"monitor\"")).ok())
    {
        headers.append(header::LINK, link);
    }
}

fn add(headers: &mut HeaderMap, ours: HeaderMap) {
    let mut last = None;
    for (name, value) in ours {
        if name.is_some() {
            last = name;
        }
        if let Some(name) = &last {
            if *name == header::VARY || *name == header::LINK {
                headers.append(name.clone(), value);
            } else {
                headers.insert(name.clone(), value);
            }
        }
    }
}

/// The headers and counts of a recognised call whose reply was too large to be read: every item is unknown.
pub(super) fn not_read(
    gateway: &Gateway,
    asked: &Request,
    exchange: &mut Exchange,
    response: &mut Response<Body>,
) {
    let status = response.status().as_u16();
    let mut envelope = crate::profile::unanswered(
        asked,
        crate::envelope::Category::BadResponse,
        true,
        "the reply is over a limit and was not read",
    );
    envelope.upstream.status = Some(status);
    for diagnostic in &mut envelope.diagnostics {
        diagnostic.code = "body_over_limit";
    }
    envelope_headers(response.headers_mut(), &envelope, &exchange.id);
    gateway.observer.batch(&exchange.id, asked, &envelope, "", std::time::Duration::ZERO);
    log_batch(&exchange.id, &envelope, status);
    exchange.settle(envelope.outcome.as_str(), status);
}

/// The headers of a call that could not be recognised because its request was over a limit.
pub(super) fn unknown(headers: &mut HeaderMap, id: &str) {
    headers.insert(HeaderName::from_static("onevelope-outcome"), HeaderValue::from_static("unknown"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("onevelope-request-id"), id);
    }
}

/// One structured line for each recognised batch: names and counts, never ids, messages, bodies or queries.
fn log_batch(id: &str, envelope: &Envelope<'_>, upstream_status: u16) {
    let s = &envelope.summary;
    tracing::info!(
        request_id = id,
        vendor = envelope.operation.vendor,
        action = envelope.operation.action,
        profile = envelope.operation.profile,
        outcome = envelope.outcome.as_str(),
        total = s.total,
        succeeded = s.succeeded,
        accepted = s.accepted,
        failed = s.failed,
        not_attempted = s.not_attempted,
        unknown = s.unknown,
        upstream_status,
        body = envelope.upstream.body.as_str(),
        diagnostics = envelope.diagnostics.len(),
        "batch"
    );
}
