//! Envelope → response, in the three modes.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use tokio::time::Instant;

use super::breakers::{strain, strain_of_status};
use super::exchange::Exchange;
use super::off_loop::{LARGE, off_loop};
use super::rescue::{rescue, seconds};
use super::unread::too_large;
use super::{Gateway, GatewayError, room};
use crate::body::{Body, Budget};
use crate::config::Mode;
use crate::decode::{Bounds, most_decoded};
use crate::envelope::{Diagnostic, Envelope, Writer, status_line};
use crate::judge::{Trace, unread};
use crate::reply::{
    Answer, Incoming, Limits, Opened, Plain, Prefer, RawPolicy, Wishes, codings, envelope_headers,
    media_type, open, strip_rewritten, translate_opened, vary,
};
use crate::request::Request;

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
    /// What the asked items hold of `limits.memory`, and what the reply does.
    pub(super) _held: Budget,
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
    /// The answer.
    pub(super) async fn answer(mut self) -> Response<Body> {
        let most = self.most_decoded();
        let (work, opened) = self.work(most);
        if work < LARGE {
            return self.judged(most, opened);
        }
        let id = self.exchange.id.clone();
        let judged = off_loop(work, move || self.judged(most, opened)).await;
        judged.unwrap_or_else(|_| rescue(&GatewayError::Fault("it could not read a reply"), &id))
    }

    /// What the reply may become without its codings; none where it has none.
    fn most_decoded(&self) -> Option<usize> {
        let limits = &self.gateway.limits;
        let codings = codings(&self.head.headers)?;
        Some(most_decoded(self.body.len(), &codings, limits.decoded_body, limits.ratio))
    }

    /// Bytes that judging is about: the reply without its codings, and what was asked. Codings of a small body are undone to know
    /// it, as far as that is little work; then that is given, too.
    fn work(&mut self, most: Option<usize>) -> (usize, Option<Opened<'static>>) {
        let (asked, len) = (self.asked.asked.bytes(), self.body.len());
        let Some(most) = most else { return (len + asked, None) };
        let here = most.min(LARGE);
        if len + asked >= LARGE {
            return (most + asked, None);
        }
        let room = room::to_decode(&mut self.budget, len, here);
        let opened = open(&self.incoming(), room, self.gateway.limits.ratio);
        if opened.is_over() && most > here {
            return (most + asked, None);
        }
        (opened.body.len() + asked, Some(opened.into_own()))
    }

    fn incoming(&self) -> Incoming<'_> {
        let (status, headers) = (self.head.status.as_u16(), &self.head.headers);
        Incoming { status, headers, body: &self.body, cut: self.cut || self.unsure }
    }

    /// The reply without its codings, and the bounds within which there is room to read it; none where there is none.
    fn prepare(
        &mut self,
        most: Option<usize>,
        opened: Option<Opened<'static>>,
    ) -> Option<(Opened<'static>, Bounds)> {
        let mut budget = self.budget.split_off();
        let (limits, len) = (&self.gateway.limits, self.body.len());
        let opened = opened.unwrap_or_else(|| {
            let room = most.map_or(len, |most| room::to_decode(&mut budget, len, most));
            open(&self.incoming(), room, limits.ratio).into_own()
        });
        let (body, decoded): (&[u8], _) = match &opened.body {
            Cow::Owned(body) => (body, body.capacity()),
            Cow::Borrowed(_) => (&self.body, 0),
        };
        let held = len + decoded + room::of_items(&self.asked.asked);
        let bounds = room::to_read(&mut budget, held, body, limits.bounds);
        self.budget = budget;
        Some((opened, bounds?))
    }

    fn judged(mut self, most: Option<usize>, opened: Option<Opened<'static>>) -> Response<Body> {
        // A fault of ours must not cost the caller the vendor's answer.
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let (opened, bounds) = self.prepare(most, opened)?;
            Some(self.judge(opened, bounds))
        }));
        let Ok(judged) = judged else {
            self.gateway.observer.diagnostic("normalizer_panicked");
            tracing::error!(
                request_id = self.exchange.id,
                profile = self.asked.profile.name,
                "reading the reply panicked; the vendor's bytes were sent"
            );
            self.exchange.settle("unknown", self.head.status.as_u16());
            let mut response = vendors_own(self.head, self.body, self.cut, self.budget);
            unknown(response.headers_mut(), &self.exchange.id);
            return response;
        };
        let Some(judged) = judged else {
            self.exchange.strained(strain_of_status(self.head.status.as_u16()));
            let mut response = vendors_own(self.head, self.body, self.cut, self.budget);
            not_read(&self.asked, &mut self.exchange, &mut response, too_large());
            return response;
        };
        self.exchange.strained(judged.strain);
        let mut response = match judged.envelope {
            Some(json) => {
                // An envelope is held until it is sent. It is here already: that there is no room for it helps nobody.
                let whole = if self.body.is_unique() { 0 } else { self.body.len() };
                self.budget.settle(whole + json.iter().map(Bytes::len).sum::<usize>());
                let mut response = Response::new(Body::pieces(json).within(self.budget));
                *response.status_mut() =
                    StatusCode::from_u16(judged.status).unwrap_or(StatusCode::BAD_GATEWAY);
                strip_rewritten(&mut self.head.headers);
                *response.headers_mut() = self.head.headers;
                response
            }
            None => vendors_own(self.head, self.body, self.cut, self.budget),
        };
        self.exchange.settle(judged.outcome, response.status().as_u16());
        add(response.headers_mut(), judged.headers);
        response
    }

    fn judge(&self, opened: Opened<'static>, bounds: Bounds) -> Judged {
        let Self { gateway, exchange, asked, caller, head, .. } = self;
        let incoming = self.incoming();
        let limits = Limits { bounds, ..gateway.limits };
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
            exchange.judged(asked, envelope, text, Some(took));
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
        translate_opened(asked, &incoming, opened.over(&self.body), &limits, wishes, &mut trace, then)
    }
}

/// The vendor's status, headers and bytes; a cut body stays cut.
fn vendors_own(head: http::response::Parts, body: Bytes, cut: bool, mut share: Budget) -> Response<Body> {
    share.settle(body.len());
    let body = if cut { Body::cut(body) } else { Body::full(body) };
    Response::from_parts(head, body.within(share))
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
    let json = writer.write(envelope, "");
    let mut share = gateway.shared.budget();
    share.settle(json.iter().map(Bytes::len).sum());
    let mut response = Response::new(Body::pieces(json).within(share));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    envelope_headers(response.headers_mut(), envelope, &exchange.id);
    let wait = wait.map(|wait| HeaderValue::from(seconds(wait)));
    rewritten_headers(response.headers_mut(), envelope, "", caller, retry_after, wait.as_ref());
    exchange.judged(asked, envelope, "", None);
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
    asked: &Request,
    exchange: &mut Exchange,
    response: &mut Response<Body>,
    why: Diagnostic,
) {
    let status = response.status().as_u16();
    let envelope = unread(asked, status, None, why);
    envelope_headers(response.headers_mut(), &envelope, &exchange.id);
    exchange.judged(asked, &envelope, "", None);
    exchange.settle(envelope.outcome.as_str(), status);
}

/// The headers of a call that could not be recognised because its request was over a limit.
pub(super) fn unknown(headers: &mut HeaderMap, id: &str) {
    headers.insert(HeaderName::from_static("onevelope-outcome"), HeaderValue::from_static("unknown"));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("onevelope-request-id"), id);
    }
}
