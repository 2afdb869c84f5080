//! One request, start to end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use http::{Method, Request, Response, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::breakers::strain_of_status;
use super::detach::Detach;
use super::exchange::{Exchange, fresh_id};
use super::rescue::rescue;
use super::unread::{first_hand, says_nothing, says_something, streamed, too_large};
use super::{Gateway, GatewayError, respond};
use crate::body::{Body, Budget, Collected, collect};
use crate::config::{HostSent, Mode};
use crate::envelope::Diagnostic;
use crate::judge::unanswered;
use crate::message::{remove_headers, without_port};
use crate::profile::Captures;
use crate::reply::Prefer;
use crate::request::{self, Head, Scope, Unknown, may_match, view};
use crate::route::{Found, Route};
use crate::upstream::{
    CallError, Upstream, drop_from_reply, drop_hop_by_hop, names_end_to_end, narrow_accept_encoding,
};

const VIA: HeaderValue = HeaderValue::from_static("1.1 onevelope");

/// Answers one request. Always answers: what goes wrong is told in the reply.
pub(super) async fn answer(
    gateway: Arc<Gateway>,
    listener: Arc<str>,
    request: Request<Incoming>,
) -> Response<Body> {
    let id = fresh_id();
    let (mut parts, body) = request.into_parts();
    // What is judged is what will be sent: fields of this connection go first, then the host is settled.
    let named = names_end_to_end(&parts.headers, |name| gateway.profiles.reads_header(name));
    if let Some(name) = named {
        return refuse(&GatewayError::Connection(name.to_string()), &id);
    }
    drop_hop_by_hop(&mut parts.headers);
    let found = match find(&gateway, &listener, &parts) {
        Ok(found) => found,
        Err(error) => return refuse(&error, &id),
    };
    let Found { number, captures } = found;
    let lane = Arc::clone(&gateway.lanes[number]);
    let exchange = Exchange::new(lane, &gateway.observer, &parts.method, &parts.headers, id);
    let call = Call { gateway, captures, exchange };
    match call.exchange.mode {
        Mode::Passthrough => Box::pin(call.forward(parts, body)).await,
        Mode::Envelope | Mode::Observe => call.look(parts, body).await,
    }
}

fn refuse(error: &GatewayError, id: &str) -> Response<Body> {
    tracing::warn!(request_id = id, reason = error.reason(), error = %error, "request not answered by a vendor");
    rescue(error, id)
}

/// The route for a request; the host of an absolute-form target counts before the `Host` header.
fn find(gateway: &Gateway, listener: &str, parts: &http::request::Parts) -> Result<Found, GatewayError> {
    if parts.method == Method::CONNECT {
        return Err(GatewayError::Connect);
    }
    if parts.headers.get_all(header::HOST).iter().count() > 1 {
        return Err(GatewayError::BadTarget("it has more than one Host".to_owned()));
    }
    let path = parts.uri.path();
    let host = host_of(parts).unwrap_or("");
    match gateway.routes.find(listener, without_port(host), path) {
        Some(found) => Ok(found),
        None if host.is_empty() => Err(GatewayError::NoHost),
        None => Err(GatewayError::NoRoute { host: host.to_owned(), path: path.to_owned() }),
    }
}

fn host_of(parts: &http::request::Parts) -> Option<&str> {
    let authority = parts.uri.authority().map(Authority::as_str);
    authority.or_else(|| parts.headers.get(header::HOST).and_then(|value| value.to_str().ok()))
}

/// One request on its way, with all it needs.
struct Call {
    gateway: Arc<Gateway>,
    /// What the route's host captured.
    captures: Captures,
    exchange: Exchange,
}

impl Call {
    fn route(&self) -> &Route {
        &self.exchange.lane.route
    }

    fn upstream(&self) -> &Upstream {
        self.exchange.lane.upstream()
    }

    fn fail(mut self, error: &GatewayError) -> Response<Body> {
        if let GatewayError::Call(cause) = error {
            self.count(cause);
        }
        self.exchange.settle("error", error.status());
        refuse(error, &self.exchange.id)
    }

    fn count(&self, cause: &CallError) {
        if let CallError::Shed { why, .. } = cause {
            self.gateway.observer.shed(why.as_str());
        }
    }

    /// Bytes through, both ways, nothing read.
    async fn forward(self, parts: http::request::Parts, body: Incoming) -> Response<Body> {
        let silence = self.upstream().body_timeout;
        self.pass(parts, Body::stream(Bytes::new(), body, Some(silence))).await
    }

    async fn pass(self, parts: http::request::Parts, body: Body) -> Response<Body> {
        self.pass_as("passthrough", parts, body).await
    }

    /// Passes the reply untouched, counted under an outcome.
    async fn pass_as(
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

    /// Looks whether the call is a batch we know, and answers it as one.
    async fn look(self, parts: http::request::Parts, body: Incoming) -> Response<Body> {
        let silence = self.upstream().body_timeout;
        let has_body = !body.is_end_stream();
        if !may_match(&self.gateway.profiles, &self.scope(), &head(&parts, self.route(), ""), has_body) {
            return Box::pin(self.pass(parts, Body::stream(Bytes::new(), body, Some(silence)))).await;
        }
        if is_grpc(&parts.headers) {
            return Box::pin(self.look_at_head(parts, body)).await;
        }
        let mut budget = Budget::new(Arc::clone(&self.gateway.memory));
        let body = match collect(body, self.gateway.request_body, &mut budget, silence).await {
            Collected::Whole(bytes) => bytes,
            Collected::Broken(..) => return self.fail(&GatewayError::RequestCut),
            Collected::Over(front, rest) => {
                self.gateway.observer.diagnostic("request_over_limit");
                let id = self.exchange.id.clone();
                let body = Body::stream(front, rest, Some(silence));
                let mut response = Box::pin(self.pass_as("unknown", parts, body)).await;
                respond::unknown(response.headers_mut(), &id);
                return response;
            }
        };
        let mut asked = match self.view(&parts, &body) {
            Ok(asked) => asked,
            Err(cause) => {
                if let Unknown::Either(..) = cause {
                    self.gateway.observer.diagnostic("request_ambiguous");
                    tracing::warn!(request_id = self.exchange.id, %cause, "passed untouched");
                }
                return Box::pin(self.pass(parts, Body::full(body))).await;
            }
        };
        asked.behind(self.route().prefix());
        let id = self.exchange.id.clone();
        match Detach::new(self.batch(parts, body, asked, budget)).await {
            Some(response) => response,
            None => refuse(&GatewayError::Fault("it panicked; the log says where".to_owned()), &id),
        }
    }

    fn view(&self, parts: &http::request::Parts, body: &[u8]) -> Result<request::Request, Unknown> {
        let upstream = self.upstream().target.authority(&self.captures);
        let host = upstream.as_ref().map_or("", |upstream| self.host(parts, upstream));
        let head = head(parts, self.route(), without_port(host));
        view(&self.gateway.profiles, &self.scope(), &head, body, self.gateway.limits.bounds)
    }

    fn scope(&self) -> Scope<'_> {
        Scope { vendor: self.route().vendor.as_deref(), profile: None }
    }

    /// Messages in streams both ways, which nobody here reads: the head says which call it is, and nothing is claimed.
    async fn look_at_head(mut self, parts: http::request::Parts, body: Incoming) -> Response<Body> {
        let recognised = self.view(&parts, &[]);
        let silence = self.upstream().body_timeout;
        let body = Body::stream(Bytes::new(), body, Some(silence));
        let Ok(asked) = recognised else { return self.pass(parts, body).await };
        self.exchange.mode = Mode::Observe;
        match self.send(parts, body, Some(&asked.action().name)).await {
            Ok((response, permit)) => {
                self.not_read(&asked, streamed(), stream(response, Bytes::new(), permit, silence))
            }
            Err(error) => self.fail(&error),
        }
    }

    /// A recognised batch: asked, called, read, judged, answered.
    async fn batch(
        mut self,
        mut parts: http::request::Parts,
        body: Bytes,
        asked: request::Request,
        mut budget: Budget,
    ) -> Response<Body> {
        let accept = parts.headers.get(header::ACCEPT).cloned();
        let prefer = match self.exchange.mode {
            Mode::Envelope => Prefer::take(&mut parts.headers),
            _ => Prefer::peek(&parts.headers),
        };
        narrow_accept_encoding(&mut parts.headers);
        let caller = respond::Caller { accept, prefer };
        let called = Instant::now();
        let (response, permit) = match self.send(parts, Body::full(body), Some(&asked.action().name)).await {
            Ok(replied) => replied,
            Err(GatewayError::Call(cause)) => return self.unanswered(&asked, &caller, &cause),
            Err(other) => return self.fail(&other),
        };
        let upstream_ms = called.elapsed().as_millis() as u64;
        let silence = self.upstream().body_timeout;
        if !says_something(response.status()) {
            return self.not_read(&asked, says_nothing(), stream(response, Bytes::new(), permit, silence));
        }
        // A stream of events never ends: it cannot be held back to be judged.
        let media_type = response.headers().get(header::CONTENT_TYPE);
        if media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")) {
            return self.not_read(&asked, streamed(), stream(response, Bytes::new(), permit, silence));
        }
        let (mut head, body) = response.into_parts();
        let (body, cut) = match collect(body, self.gateway.reply_body, &mut budget, silence).await {
            Collected::Whole(bytes) => (bytes, false),
            Collected::Broken(bytes, cause) => {
                tracing::warn!(request_id = self.exchange.id, error = %cause, "the vendor's reply ended early");
                (bytes, true)
            }
            Collected::Over(front, rest) => {
                let response = stream(Response::from_parts(head, rest), front, permit, silence);
                return self.not_read(&asked, too_large(), response);
            }
        };
        drop(permit);
        drop_from_reply(&mut head.headers);
        if !budget.reserve(body.len() * READING) {
            let body = if cut { Body::cut(body) } else { Body::full(body) };
            return self.not_read(&asked, too_large(), Response::from_parts(head, body));
        }
        let Self { gateway, exchange, .. } = self;
        respond::Judging { gateway, exchange, asked, caller, head, body, cut, upstream_ms, budget }
            .answer()
            .await
    }

    /// A reply that is not read: its bytes pass untouched, and nothing is claimed.
    fn not_read(
        mut self,
        asked: &request::Request,
        why: Diagnostic,
        mut response: Response<Body>,
    ) -> Response<Body> {
        self.exchange.strained(strain_of_status(response.status().as_u16()));
        respond::not_read(&self.gateway, asked, &mut self.exchange, &mut response, why);
        response
    }

    /// The vendor gave no reply: first-hand knowledge for every item.
    fn unanswered(
        mut self,
        asked: &request::Request,
        caller: &respond::Caller,
        cause: &CallError,
    ) -> Response<Body> {
        self.count(cause);
        let known = first_hand(cause);
        tracing::warn!(request_id = self.exchange.id, reason = cause.reason(), error = %cause, "no reply from the vendor");
        let envelope = unanswered(asked, known);
        respond::first_hand(&self.gateway, &mut self.exchange, asked, caller, &envelope, cause.retry_after())
    }

    /// Sends the request to the route's upstream, with what must change changed and everything else untouched.
    async fn send(
        &mut self,
        parts: http::request::Parts,
        body: Body,
        action: Option<&str>,
    ) -> Result<(Response<Incoming>, OwnedSemaphorePermit), GatewayError> {
        let mut request = self.outgoing(parts, body)?;
        let lane = Arc::clone(&self.exchange.lane);
        let endpoint = &lane.endpoint;
        let observer = &self.gateway.observer;
        self.exchange.enter(&self.gateway.in_flight, action)?;
        if let (Some(tracing), Some(span)) = (observer.tracing(), &self.exchange.span) {
            tracing.inject(span, request.headers_mut());
        }
        let started = Instant::now();
        let result = endpoint.upstream.call(request).await;
        let word = result.as_ref().map_or_else(|cause| cause.reason(), |_| "replied");
        let took = started.elapsed();
        match &result {
            // It says nothing of the vendor.
            Err(CallError::Shed { .. }) => self.exchange.leave = None,
            result => {
                observer.attempt(&endpoint.handles, word, took);
                if result.is_err() {
                    self.exchange.strained(1.0);
                }
            }
        }
        if let Some(span) = &self.exchange.span {
            let status = result.as_ref().ok().map(|(response, _)| response.status().as_u16());
            span.called(&endpoint.upstream.name, word, status, took);
        }
        Ok(result?)
    }

    fn outgoing(&self, mut parts: http::request::Parts, body: Body) -> Result<Request<Body>, GatewayError> {
        let target = &self.upstream().target;
        let bad = |what: &str| GatewayError::BadTarget(what.to_owned());
        let authority = target.authority(&self.captures).ok_or_else(|| bad("its host gives no upstream"))?;
        let path = path_and_query(&parts.uri, self.route()).ok_or_else(|| bad("its path is not valid"))?;
        let host = self.host(&parts, &authority);
        let as_sent = parts.headers.get(header::HOST).is_some_and(|sent| sent == host);
        if !as_sent {
            let host = HeaderValue::from_str(host).map_err(|_| bad("its host is not valid"))?;
            parts.headers.insert(header::HOST, host);
        }
        let headers = &mut parts.headers;
        drop_ours(headers);
        headers.remove(header::EXPECT);
        headers.append(header::VIA, VIA);
        parts.uri = target.uri(authority, path).ok_or_else(|| bad("its path is not valid"))?;
        parts.version = http::Version::HTTP_11;
        parts.extensions.clear();
        Ok(Request::from_parts(parts, body))
    }

    /// The host that the vendor will see. Signatures cover it, so it stays as sent where a route names it, unless the upstream's
    /// configuration says otherwise; else it is the upstream's.
    fn host<'p>(&'p self, parts: &'p http::request::Parts, upstream: &'p Authority) -> &'p str {
        let sent = host_of(parts).filter(|host| !host.is_empty());
        let routed =
            |host: &&str| self.route().names_host() || self.gateway.routes.names_host(without_port(host));
        match &self.upstream().host {
            Some(HostSent::Name(name)) => name,
            Some(HostSent::Upstream) => upstream.as_str(),
            Some(HostSent::AsSent) => sent.unwrap_or(upstream.as_str()),
            None => sent.filter(routed).unwrap_or(upstream.as_str()),
        }
    }
}

/// Bytes that reading a reply takes, for each of its bytes: tree, verdicts and envelope.
const READING: usize = 4;

/// A vendor's reply as it is, minus what belongs to its connection.
fn stream(
    response: Response<Incoming>,
    front: Bytes,
    permit: OwnedSemaphorePermit,
    silence: Duration,
) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    drop_from_reply(&mut parts.headers);
    Response::from_parts(parts, Body::stream(front, body, Some(silence)).holding(Some(permit)))
}

/// Path and query byte for byte, minus the route's prefix.
fn path_and_query(uri: &Uri, route: &Route) -> Option<PathAndQuery> {
    let sent = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let rest = route.strip(sent.as_str())?;
    if rest.len() == sent.as_str().len() {
        return Some(sent);
    }
    let rooted = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    rooted.parse().ok()
}

/// `Onevelope-*` is between the caller and us.
fn drop_ours(headers: &mut HeaderMap) {
    remove_headers(headers, |name| name.as_str().starts_with("onevelope-"));
}

/// Whether its messages are gRPC's, which may come and go for as long as both sides like.
fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

fn head<'r>(parts: &'r http::request::Parts, route: &Route, host: &'r str) -> Head<'r> {
    let path = route.strip(parts.uri.path()).unwrap_or("/");
    Head {
        method: &parts.method,
        host: Some(host).filter(|host| !host.is_empty()),
        path: if path.is_empty() { "/" } else { path },
        query: parts.uri.query().unwrap_or(""),
        headers: &parts.headers,
    }
}
