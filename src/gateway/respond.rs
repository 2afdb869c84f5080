//! Envelope → response, in the three modes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use tokio::time::Instant;

use super::breakers::strain;
use super::exchange::Exchange;
use super::rescue::{rescue, seconds};
use super::{Gateway, GatewayError};
use crate::body::{Body, Budget};
use crate::config::Mode;
use crate::envelope::{BatchOutcome, Diagnostic, Envelope, Writer, status_line};
use crate::judge::{Trace, unread};
use crate::reply::{
    Answer, Incoming, Plain, Prefer, RawPolicy, Wishes, envelope_headers, media_type, strip_rewritten,
    translate, vary,
};
use crate::request::Request;

/// Bodies from this size on are read off the event loop, so that one large reply delays nobody else.
const LARGE: usize = 1 << 20;

/// What the caller asked of the answer.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) accept: Option<HeaderValue>,
    pub(super) prefer: Prefer,
}

/// A reply that came back whole (or cut), with everything its answer takes. Owned, so that a large one can be read on
/// another thread.
pub(super) struct Judging {
    pub(super) gateway: Arc<Gateway>,
    pub(super) exchange: Exchange,
    pub(super) asked: Request,
    pub(super) caller: Caller,
    pub(super) head: http::response::Parts,
    pub(super) body: Bytes,
    pub(super) cut: bool,
    /// Nobody can tell whether it is whole: it proves nothing, and its bytes pass as they came.
    pub(super) unsure: bool,
    pub(super) upstream_ms: u64,
    /// What the call holds of `limits.memory`.
    pub(super) budget: Budget,
}

/// What the reply became.
struct Judged {
    /// The envelope's bytes, where the caller gets it.
    envelope: Option<Vec<Bytes>>,
    headers: HeaderMap,
    status: u16,
    outcome: &'static str,
    /// How much of the call failed on the vendor's side.
    strain: f64,
}

impl Judging {
    /// The answer. Large replies are read off the event loop, so that one delays nobody else.
    pub(super) async fn answer(self) -> Response<Body> {
        if self.body.len() < LARGE {
            return self.judged();
        }
        let id = self.exchange.id.clone();
        match tokio::task::spawn_blocking(|| self.judged()).await {
            Ok(response) => response,
            Err(_) => rescue(&GatewayError::Fault("it could not read a reply"), &id),
        }
    }

    fn judged(mut self) -> Response<Body> {
        // A fault of ours must not cost the caller the vendor's answer.
        let Ok(judged) = catch_unwind(AssertUnwindSafe(|| self.judge())) else {
            self.gateway.observer.diagnostic("normalizer_panicked");
            tracing::error!(
                request_id = self.exchange.id,
                profile = self.asked.profile.name,
                "reading the reply panicked; the vendor's bytes were sent"
            );
            self.exchange.settle("unknown", self.head.status.as_u16());
            let mut response = vendors_own(self.head, self.body, self.cut);
            unknown(response.headers_mut(), &self.exchange.id);
            return response;
        };
        self.exchange.strained(judged.strain);
        let mut response = match judged.envelope {
            Some(json) => {
                // An envelope is held until it is sent. It is here already: that there is no room for it helps nobody.
                let held = self.body.len() + json.iter().map(Bytes::len).sum::<usize>();
                self.budget.settle(held);
                let mut response = Response::new(Body::pieces(json).holding(self.budget.into_permit()));
                *response.status_mut() =
                    StatusCode::from_u16(judged.status).unwrap_or(StatusCode::BAD_GATEWAY);
                strip_rewritten(&mut self.head.headers);
                *response.headers_mut() = self.head.headers;
                response
            }
            None => vendors_own(self.head, self.body, self.cut),
        };
        self.exchange.settle(judged.outcome, response.status().as_u16());
        add(response.headers_mut(), judged.headers);
        response
    }

    fn judge(&self) -> Judged {
        let Self { gateway, exchange, asked, caller, head, .. } = self;
        let incoming = Incoming {
            status: head.status.as_u16(),
            headers: &head.headers,
            body: &self.body,
            cut: self.cut || self.unsure,
        };
        let route = &exchange.lane.route;
        let (id, rewrites) = (exchange.id.as_str(), exchange.mode == Mode::Envelope);
        let started = Instant::now();
        let mut trace = Trace::default();
        let judged = |envelope: &Envelope<'_>, text: &str, written: Option<Vec<Bytes>>| {
            let mut headers = HeaderMap::with_capacity(12);
            envelope_headers(&mut headers, envelope, id);
            let (status, retry_after) = status_line(envelope, route.status);
            if written.is_some() {
                let vendors = head.headers.get(header::RETRY_AFTER);
                rewritten_headers(&mut headers, envelope, text, caller, retry_after, vendors);
            }
            let took = started.elapsed();
            gateway.observer.batch(id, asked, envelope, text, took);
            if let Some(span) = &exchange.span {
                span.judged(envelope, took);
            }
            log_batch(gateway, id, envelope, incoming.status);
            Judged {
                envelope: written,
                headers,
                status,
                outcome: envelope.outcome.as_str(),
                strain: strain(envelope),
            }
        };
        let answer = Answer {
            id,
            duration_ms: self.upstream_ms,
            raw: route.raw,
            minimal: caller.prefer.minimal,
            most: gateway.limits.envelope,
            shared: Some(self.body.clone()),
        };
        let then = |envelope: &Envelope<'_>, text: &str, plain: &Plain<'_>| match rewrites {
            true => answer.write(asked, envelope, text, &incoming, plain, judged),
            false => judged(envelope, text, None),
        };
        // The vendor's own bytes need nothing of theirs beside them.
        let raw = if rewrites { route.raw } else { RawPolicy::Never };
        let wishes = Wishes { strict: caller.prefer.strict, data: route.data, raw };
        translate(asked, &incoming, &gateway.limits, wishes, &mut trace, then)
    }
}

/// The vendor's status, headers and bytes; a cut body stays cut.
fn vendors_own(head: http::response::Parts, body: Bytes, cut: bool) -> Response<Body> {
    Response::from_parts(head, if cut { Body::cut(body) } else { Body::full(body) })
}

/// The answer for a call without reply: there are no vendor bytes in any mode.
pub(super) fn first_hand(
    gateway: &Gateway,
    exchange: &mut Exchange,
    asked: &Request,
    caller: &Caller,
    envelope: &Envelope<'_>,
    wait: Option<Duration>,
) -> Response<Body> {
    let duration_ms = exchange.elapsed().as_millis() as u64;
    let writer =
        Writer { id: &exchange.id, attempts: 1, duration_ms, minimal: caller.prefer.minimal, raw: None };
    let (status, retry_after) = status_line(envelope, exchange.lane.route.status);
    let mut response = Response::new(Body::pieces(writer.write(envelope, "")));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    envelope_headers(response.headers_mut(), envelope, &exchange.id);
    let wait = wait.map(|wait| HeaderValue::from(seconds(wait)));
    rewritten_headers(response.headers_mut(), envelope, "", caller, retry_after, wait.as_ref());
    gateway.observer.batch(&exchange.id, asked, envelope, "", Duration::ZERO);
    if let Some(span) = &exchange.span {
        span.judged(envelope, Duration::ZERO);
    }
    log_batch(gateway, &exchange.id, envelope, 0);
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
        // Repeats come without their name.
        let Some(name) = name.or_else(|| last.clone()) else { continue };
        if name == header::VARY || name == header::LINK {
            headers.append(name.clone(), value);
            last = Some(name);
        } else {
            headers.insert(name, value);
        }
    }
}

/// The headers and counts of a recognised call whose reply was not read: every item is unknown.
pub(super) fn not_read(
    gateway: &Gateway,
    asked: &Request,
    exchange: &mut Exchange,
    response: &mut Response<Body>,
    why: Diagnostic,
) {
    let status = response.status().as_u16();
    let envelope = unread(asked, status, None, why);
    envelope_headers(response.headers_mut(), &envelope, &exchange.id);
    gateway.observer.batch(&exchange.id, asked, &envelope, "", Duration::ZERO);
    log_batch(gateway, &exchange.id, &envelope, status);
    exchange.settle(envelope.outcome.as_str(), status);
}

/// The headers of a call that could not be recognised because its request was over a limit.
pub(super) fn unknown(headers: &mut HeaderMap, id: &str) {
    headers.insert(HeaderName::from_static("onevelope-outcome"), HeaderValue::from_static("unknown"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("onevelope-request-id"), id);
    }
}

/// One structured line for each recognised batch, at `info` where something in it is not good and there is room: names and
/// counts, never ids, messages, bodies or queries.
fn log_batch(gateway: &Gateway, id: &str, envelope: &Envelope<'_>, upstream_status: u16) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id = id,
                vendor = envelope.operation.vendor,
                action = envelope.operation.action,
                profile = envelope.operation.profile,
                outcome = envelope.outcome.as_str(),
                total = envelope.summary.total,
                succeeded = envelope.summary.succeeded,
                accepted = envelope.summary.accepted,
                failed = envelope.summary.failed,
                not_attempted = envelope.summary.not_attempted,
                unknown = envelope.summary.unknown,
                upstream_status,
                body = envelope.upstream.body.as_str(),
                diagnostics = envelope.diagnostics.len(),
                "batch"
            )
        };
    }
    match envelope.outcome {
        BatchOutcome::Succeeded | BatchOutcome::Accepted => line!(debug),
        BatchOutcome::Partial | BatchOutcome::Failed | BatchOutcome::Unknown => {
            let Some(left_out) = gateway.observer.batch_lines.take(std::time::Instant::now()) else { return };
            if left_out > 0 {
                tracing::info!(batches = left_out, "more batches in which something was not good");
            }
            line!(info);
        }
    }
}
