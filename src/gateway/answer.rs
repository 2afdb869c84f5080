//! One request, start to end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{self, HeaderMap};
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::breakers::strain_of_status;
use super::door::{Entered, enter};
use super::exchange::{Exchange, fresh_id};
use super::off_loop::{LARGE, off_loop};
use super::outgoing::{Outgoing, head};
use super::rescue::rescue;
use super::unread::{first_hand, says_nothing, says_something, streamed, too_large};
use super::{Gateway, GatewayError, respond};
use crate::body::{Body, BodyError, Budget, Collected, Patience, collect};
use crate::config::Mode;
use crate::envelope::Diagnostic;
use crate::judge::unanswered;
use crate::observe::Observer;
use crate::reply::{Prefer, shows_its_end};
use crate::request::{self, Unknown, may_match};
use crate::route::Route;
use crate::upstream::{CallError, Resend, Stated, Upstream, drop_from_reply, narrow_accept_encoding};

/// Answers one request. Always answers: what goes wrong is told in the reply.
pub(super) async fn answer(
    gateway: Arc<Gateway>,
    listener: Arc<str>,
    request: Request<Incoming>,
) -> Response<Body> {
    let observer = Arc::clone(&gateway.observer);
    guarded(&observer, answer_one(gateway, listener, request)).await
}

/// A fault of ours must not end a connection that carries others' calls.
async fn guarded(observer: &Observer, answer: impl Future<Output = Response<Body>>) -> Response<Body> {
    let answered = AssertUnwindSafe(answer).catch_unwind().await;
    answered.unwrap_or_else(|_| suffered(observer, &GatewayError::Fault(PANICKED), &fresh_id()))
}

pub(super) const PANICKED: &str = "it panicked; the log says where";

async fn answer_one(gateway: Arc<Gateway>, listener: Arc<str>, request: Request<Incoming>) -> Response<Body> {
    let id = fresh_id();
    let (mut parts, body) = request.into_parts();
    let (lane, entered) = match enter(&gateway, &listener, &mut parts) {
        Ok(entered) => entered,
        Err(error) => {
            gateway.observer.refused(&id, error.reason(), &error);
            return rescue(&error, &id);
        }
    };
    let exchange = Exchange::new(lane, &gateway.observer, &parts.method, &parts.headers, id);
    let call = Call { gateway, entered, exchange };
    match call.exchange.mode {
        Mode::Passthrough => Box::pin(call.forward(parts, body)).await,
        Mode::Envelope | Mode::Observe => call.look(parts, body).await,
    }
}

/// A request that was let in, and is not answered by a vendor.
pub(super) fn suffered(observer: &Observer, error: &GatewayError, id: &str) -> Response<Body> {
    observer.suffered.warn("request not answered by a vendor", id, error.reason(), error);
    rescue(error, id)
}

/// One request on its way, with all it needs.
pub(super) struct Call {
    pub(super) gateway: Arc<Gateway>,
    entered: Entered,
    pub(super) exchange: Exchange,
}

impl Call {
    pub(super) fn route(&self) -> &Route {
        &self.exchange.lane.route
    }

    pub(super) fn upstream(&self) -> &Upstream {
        self.exchange.lane.upstream()
    }

    fn fail(mut self, error: &GatewayError) -> Response<Body> {
        if let GatewayError::Call(cause) = error {
            self.count(cause);
        }
        self.exchange.settle("error", error.status());
        suffered(&self.gateway.observer, error, &self.exchange.id)
    }

    fn count(&self, cause: &CallError) {
        if let CallError::Shed { why, .. } = cause {
            self.gateway.observer.shed(why.as_str());
        }
    }

    /// Bytes through, both ways, nothing read.
    async fn forward(self, parts: http::request::Parts, body: Incoming) -> Response<Body> {
        let patience = self.patience(&parts);
        self.pass(parts, Body::stream(Bytes::new(), body, patience)).await
    }

    pub(super) async fn pass(self, parts: http::request::Parts, body: Body) -> Response<Body> {
        self.pass_as("passthrough", parts, body).await
    }

    /// Passes the reply untouched, counted under an outcome.
    pub(super) async fn pass_as(
        mut self,
        outcome: &'static str,
        parts: http::request::Parts,
        body: Body,
    ) -> Response<Body> {
        match self.send(parts, body, None).await {
            Ok((response, permit)) => {
                self.exchange.strained(strain_of_status(response.status().as_u16()));
                self.exchange.settle(outcome, response.status().as_u16());
                stream(response, Bytes::new(), permit, self.upstream().body_timeout)
            }
            Err(error) => self.fail(&error),
        }
    }

    /// The same for a call that may be a batch and was not read: its headers say so.
    pub(super) async fn pass_unread(self, parts: http::request::Parts, body: Body) -> Response<Body> {
        let id = self.exchange.id.clone();
        let mut response = self.pass_as("unknown", parts, body).await;
        respond::unknown(response.headers_mut(), &id);
        response
    }

    /// Reads of a request. None: it panicked, a fault of ours that must not cost the caller the call.
    fn reading<T>(&self, read: impl FnOnce() -> T) -> Option<T> {
        let read = catch_unwind(AssertUnwindSafe(read)).ok();
        if read.is_none() {
            self.gateway.observer.diagnostic("normalizer_panicked");
            tracing::error!(
                request_id = self.exchange.id,
                "reading the request panicked; it was passed on unread"
            );
        }
        read
    }

    /// Looks whether the call is a batch we know, and answers it as one.
    async fn look(self, parts: http::request::Parts, body: Incoming) -> Response<Body> {
        let patience = self.patience(&parts);
        let has_body = !body.is_end_stream();
        let head = head(&parts, self.route(), "");
        match self.reading(|| may_match(&self.gateway.profiles, &self.scope(), &head, has_body)) {
            Some(true) => {}
            Some(false) => {
                return Box::pin(self.pass(parts, Body::stream(Bytes::new(), body, patience))).await;
            }
            None => {
                let body = Body::stream(Bytes::new(), body, patience);
                return Box::pin(self.pass_unread(parts, body)).await;
            }
        }
        if is_grpc(&parts.headers) {
            return Box::pin(self.look_at_head(parts, body)).await;
        }
        let mut budget = self.gateway.shared.budget();
        let body = match collect(body, self.gateway.request_body, &mut budget, patience).await {
            Collected::Whole(bytes) => bytes,
            Collected::Broken(_, BodyError::Silent(_)) => {
                let slow = self.too_slow();
                return self.fail(&slow);
            }
            Collected::Broken(..) => return self.fail(&GatewayError::RequestCut),
            Collected::Over(front, rest) => {
                budget.settle(front.len());
                let body = Body::stream(front, rest, patience).within(budget);
                return Box::pin(self.over_limit(parts, body)).await;
            }
        };
        let work = self.work(&parts, &body);
        if work < LARGE {
            let read = self.reading(|| self.read(&parts, &body, work, &mut budget));
            return self.proceed(parts, body, budget, read).await;
        }
        let (id, observer) = (self.exchange.id.clone(), Arc::clone(&self.gateway.observer));
        let reading = Box::pin(off_loop(work, move || {
            let read = self.reading(|| self.read(&parts, &body, work, &mut budget));
            (self, parts, body, budget, read)
        }));
        match reading.await {
            Ok((call, parts, body, budget, read)) => Box::pin(call.proceed(parts, body, budget, read)).await,
            Err(_) => suffered(&observer, &GatewayError::Fault(PANICKED), &id),
        }
    }

    /// How long the caller's body is waited for. Streams of messages have no least rate.
    fn patience(&self, parts: &http::request::Parts) -> Patience {
        let silence = self.gateway.body_idle;
        if is_grpc(&parts.headers) { silence.into() } else { Patience::with_callers(silence) }
    }

    /// The caller's body did not come in time.
    fn too_slow(&self) -> GatewayError {
        self.gateway.observer.timed_out("body_idle_timeout");
        GatewayError::RequestSlow(self.gateway.body_idle)
    }

    /// Messages in streams both ways, which nobody here reads: the head says which call it is, and nothing is claimed.
    async fn look_at_head(mut self, parts: http::request::Parts, body: Incoming) -> Response<Body> {
        let bounds = self.gateway.limits.bounds;
        let recognised = self.reading(|| self.view(&parts, &[], bounds)).unwrap_or(Err(Unknown::Nobodys));
        let silence = self.upstream().body_timeout;
        let body = Body::stream(Bytes::new(), body, self.patience(&parts));
        let Ok(asked) = recognised else { return self.pass(parts, body).await };
        self.exchange.mode = Mode::Observe;
        match self.send(parts, body, Some(&asked.action().name)).await {
            Ok((response, permit)) => {
                self.not_read(asked, streamed(), stream(response, Bytes::new(), permit, silence)).await
            }
            Err(error) => self.fail(&error),
        }
    }

    /// A recognised batch: asked, called, read, judged, answered.
    pub(super) async fn batch(
        mut self,
        mut parts: http::request::Parts,
        body: Body,
        asked: request::Request,
        held: Budget,
    ) -> Response<Body> {
        let accept = parts.headers.get(header::ACCEPT).cloned();
        let prefer = match self.exchange.mode {
            Mode::Envelope => Prefer::take(&mut parts.headers),
            _ => Prefer::peek(&parts.headers),
        };
        narrow_accept_encoding(&mut parts.headers);
        let caller = respond::Caller { accept, prefer };
        let called = Instant::now();
        let (response, permit) = match self.send(parts, body, Some(&asked.action().name)).await {
            Ok(replied) => replied,
            Err(GatewayError::Call(cause)) => return self.unanswered(asked, caller, cause).await,
            Err(other) => return self.fail(&other),
        };
        let upstream_ms = called.elapsed().as_millis() as u64;
        let silence = self.upstream().body_timeout;
        if !says_something(response.status()) {
            let response = stream(response, Bytes::new(), permit, silence);
            return self.not_read(asked, says_nothing(), response).await;
        }
        // A stream of events never ends: it cannot be held back to be judged.
        let media_type = response.headers().get(header::CONTENT_TYPE);
        if media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")) {
            let response = stream(response, Bytes::new(), permit, silence);
            return self.not_read(asked, streamed(), response).await;
        }
        let (mut head, body) = response.into_parts();
        let mut budget = self.gateway.shared.budget();
        let stated = head.extensions.get::<Stated>().copied();
        let by_close = ends_by_close(&head.headers, &body);
        let (body, cut) = match collect(body, self.gateway.reply_body, &mut budget, silence).await {
            Collected::Whole(bytes) => {
                let differs = stated.is_some_and(|Stated(length)| length != bytes.len() as u64);
                (bytes, differs)
            }
            Collected::Broken(bytes, cause) => {
                let lines = &self.gateway.observer.suffered;
                lines.warn("the vendor's reply ended early", &self.exchange.id, "reply_cut", &cause);
                (bytes, true)
            }
            Collected::Over(front, rest) => {
                budget.settle(front.len());
                let response = stream(Response::from_parts(head, rest), front, permit, silence);
                return self.not_read(asked, too_large(), response.map(|body| body.within(budget))).await;
            }
        };
        drop(permit);
        drop_from_reply(&mut head.headers);
        let unsure = by_close && !shows_its_end(&asked, &head.headers, &body);
        let Self { gateway, exchange, .. } = self;
        respond::Judging {
            gateway,
            exchange,
            asked,
            caller,
            head,
            body,
            cut,
            unsure,
            upstream_ms,
            _held: held,
            budget,
        }
        .answer()
        .await
    }

    /// A reply that is not read: its bytes pass untouched, and nothing is claimed.
    async fn not_read(
        mut self,
        asked: request::Request,
        why: Diagnostic,
        mut response: Response<Body>,
    ) -> Response<Body> {
        self.exchange.strained(strain_of_status(response.status().as_u16()));
        self.telling(asked, move |call, asked| {
            respond::not_read(asked, &mut call.exchange, &mut response, why);
            response
        })
        .await
    }

    /// The vendor gave no reply: first-hand knowledge for every item.
    async fn unanswered(
        self,
        asked: request::Request,
        caller: respond::Caller,
        cause: CallError,
    ) -> Response<Body> {
        self.count(&cause);
        let lines = &self.gateway.observer.suffered;
        lines.warn("no reply from the vendor", &self.exchange.id, cause.reason(), &cause);
        self.telling(asked, move |call, asked| {
            let (envelope, wait) = (unanswered(asked, first_hand(&cause)), cause.retry_after());
            respond::first_hand(&call.gateway, &mut call.exchange, asked, &caller, &envelope, wait)
        })
        .await
    }

    /// Tells of every asked item, off the event loop where they are many.
    async fn telling(
        mut self,
        asked: request::Request,
        tell: impl FnOnce(&mut Self, &request::Request) -> Response<Body> + Send + 'static,
    ) -> Response<Body> {
        let (id, observer) = (self.exchange.id.clone(), Arc::clone(&self.gateway.observer));
        let told = Box::pin(off_loop(asked.asked.bytes(), move || tell(&mut self, &asked))).await;
        told.unwrap_or_else(|_| suffered(&observer, &GatewayError::Fault(PANICKED), &id))
    }

    /// Sends the request to the route's upstream, with what must change changed and everything else untouched.
    async fn send(
        &mut self,
        parts: http::request::Parts,
        body: Body,
        action: Option<&str>,
    ) -> Result<(Response<Incoming>, OwnedSemaphorePermit), GatewayError> {
        let resend = if action.is_none() { Resend::of(&parts) } else { Resend::Unsent };
        let mut request = self.outgoing().request(parts, body)?;
        let lane = Arc::clone(&self.exchange.lane);
        let endpoint = &lane.endpoint;
        let observer = &self.gateway.observer;
        self.exchange.enter(self.gateway.shared.in_flight.all(), action)?;
        if let (Some(tracing), Some(span)) = (observer.tracing(), &self.exchange.span) {
            tracing.inject(span, request.headers_mut());
        }
        let started = Instant::now();
        let mut resent = false;
        let result = endpoint.upstream.call(request, resend, &mut resent).await;
        if resent {
            observer.resent(&endpoint.handles);
        }
        let word = result.as_ref().map_or_else(|cause| cause.reason(), |_| "replied");
        let took = started.elapsed();
        match &result {
            // It says nothing of the vendor.
            Err(CallError::Shed { .. }) => self.exchange.leave = None,
            result => {
                observer.attempt(&endpoint.handles, word, took);
                if result.as_ref().is_err_and(|cause| !matches!(cause, CallError::Upload { .. })) {
                    self.exchange.strained(1.0);
                }
            }
        }
        if let Some(span) = &self.exchange.span {
            let status = result.as_ref().ok().map(|(response, _)| response.status().as_u16());
            span.called(&endpoint.upstream.name, word, status, took);
        }
        match result {
            Err(CallError::Upload { slow: true, .. }) => Err(self.too_slow()),
            result => Ok(result?),
        }
    }

    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing { routes: &self.gateway.routes, lane: &self.exchange.lane, entered: &self.entered }
    }
}

/// A vendor's reply as it is, minus what belongs to its connection.
fn stream(
    response: Response<Incoming>,
    front: Bytes,
    permit: OwnedSemaphorePermit,
    silence: Duration,
) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    drop_from_reply(&mut parts.headers);
    let stated = parts.extensions.get().map(|Stated(length)| *length);
    let body = Body::stream(front, body, silence).due(stated).holding(Some(permit));
    Response::from_parts(parts, body)
}

/// Whether only the connection's end says that a reply is over (RFC 9112 section 6.3, rule 8).
fn ends_by_close(headers: &HeaderMap, body: &Incoming) -> bool {
    body.size_hint().exact().is_none() && !headers.contains_key(header::TRANSFER_ENCODING)
}

/// Whether its messages are gRPC's, which may come and go for as long as both sides like.
fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_not_the_connection() {
        let observer = Observer::new().expect("an observer");
        let answer = guarded(&observer, async { panic!("a fault of the test's") }).await;
        assert_eq!(answer.status().as_u16(), 502);
        assert!(answer.headers().contains_key("onevelope-request-id"));
    }
}
