//! One request, start to end.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery};
use http::{Method, Request, Response, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::exchange::{Exchange, fresh_id};
use super::rescue::rescue;
use super::{Gateway, GatewayError, respond};
use crate::body::{Body, BodyError, Collected, collect};
use crate::config::Mode;
use crate::envelope::Category;
use crate::message::without_port;
use crate::profile;
use crate::reply::Prefer;
use crate::request::{Head, Scope, may_match, view};
use crate::route::{Found, Route};
use crate::upstream::{CallError, drop_hop_by_hop, narrow_accept_encoding};

const VIA: HeaderValue = HeaderValue::from_static("1.1 onevelope");

/// Answers one request. Always answers: what goes wrong is told in the reply.
pub(super) async fn answer(gateway: &Gateway, listener: &str, request: Request<Incoming>) -> Response<Body> {
    let id = fresh_id();
    let found = match find(gateway, listener, &request) {
        Ok(found) => found,
        Err(error) => return refuse(&error, &id),
    };
    let mut exchange = Exchange::new(gateway, found.number, found.route, request.headers(), id);
    let answer = match exchange.mode {
        Mode::Passthrough => forward(gateway, &found, &mut exchange, request).await,
        Mode::Envelope | Mode::Observe => look(gateway, &found, &mut exchange, request).await,
    };
    answer.unwrap_or_else(|error| {
        exchange.settle("error", error.status());
        refuse(&error, &exchange.id)
    })
}

fn refuse(error: &GatewayError, id: &str) -> Response<Body> {
    tracing::warn!(request_id = id, reason = error.reason(), error = %error, "request not answered by a vendor");
    rescue(error, id)
}

/// The route for a request; the host of an absolute-form target counts before the `Host` header.
fn find<'g>(gateway: &'g Gateway, listener: &str, request: &Request<Incoming>) -> Result<Found<'g>, GatewayError> {
    if request.method() == Method::CONNECT {
        return Err(GatewayError::Connect);
    }
    let path = request.uri().path();
    let host = host_of(request).unwrap_or("");
    match gateway.routes.find(listener, without_port(host), path) {
        Some(found) => Ok(found),
        None if host.is_empty() => Err(GatewayError::NoHost),
        None => Err(GatewayError::NoRoute { host: host.to_owned(), path: path.to_owned() }),
    }
}

fn host_of(request: &Request<Incoming>) -> Option<&str> {
    let authority = request.uri().authority().map(Authority::as_str);
    authority.or_else(|| request.headers().get(header::HOST).and_then(|value| value.to_str().ok()))
}

/// Bytes through, both ways, nothing read.
async fn forward(gateway: &Gateway, found: &Found<'_>, exchange: &mut Exchange<'_>, request: Request<Incoming>) -> Result<Response<Body>, GatewayError> {
    let (parts, body) = request.into_parts();
    let body = Body::stream(Bytes::new(), body, None);
    pass(gateway, found, exchange, parts, body).await
}

async fn pass(
    gateway: &Gateway,
    found: &Found<'_>,
    exchange: &mut Exchange<'_>,
    parts: http::request::Parts,
    body: Body,
) -> Result<Response<Body>, GatewayError> {
    let (response, permit) = call(gateway, found, parts, body).await?;
    exchange.settle("passthrough", response.status().as_u16());
    let silence = gateway.upstreams[found.route.upstream].0.body_timeout;
    Ok(stream(response, Bytes::new(), permit, silence))
}

/// A vendor's reply as it is, minus what belongs to its connection.
fn stream(response: Response<Incoming>, front: Bytes, permit: OwnedSemaphorePermit, silence: std::time::Duration) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    drop_hop_by_hop(&mut parts.headers);
    Response::from_parts(parts, Body::stream(front, body, Some(silence)).holding(Some(permit)))
}

/// Looks whether the call is a batch we know, and answers it as one.
async fn look(gateway: &Gateway, found: &Found<'_>, exchange: &mut Exchange<'_>, request: Request<Incoming>) -> Result<Response<Body>, GatewayError> {
    let route = found.route;
    let (parts, body) = request.into_parts();
    let authority = gateway.upstreams[route.upstream].0.target.authority(&found.captures);
    let host = vendor_host(gateway, route, &parts, authority.as_ref());
    let scope = Scope { vendor: route.vendor.as_deref(), profile: None };
    let has_body = !body.is_end_stream();
    if !may_match(&gateway.profiles, &scope, &head(&parts, route, &host), has_body) {
        return pass(gateway, found, exchange, parts, Body::stream(Bytes::new(), body, None)).await;
    }
    let body = if has_body {
        match collect(body, gateway.request_body, None).await {
            Collected::Whole(bytes) => bytes,
            Collected::Over(front, rest) => {
                gateway.observer.diagnostic("request_over_limit");
                let mut response = pass(gateway, found, exchange, parts, Body::stream(front, rest, None)).await?;
                respond::unknown(response.headers_mut(), &exchange.id);
                return Ok(response);
            }
            Collected::Broken(..) => return Err(GatewayError::RequestCut),
        }
    } else {
        Bytes::new()
    };
    let recognised = view(&gateway.profiles, &scope, &head(&parts, route, &host), &body, gateway.limits.bounds);
    match recognised {
        None => pass(gateway, found, exchange, parts, Body::full(body)).await,
        Some(asked) => batch(gateway, found, exchange, parts, body, asked).await,
    }
}

/// A recognised batch: asked, called, read, judged, answered.
async fn batch(
    gateway: &Gateway,
    found: &Found<'_>,
    exchange: &mut Exchange<'_>,
    mut parts: http::request::Parts,
    body: Bytes,
    asked: profile::Request,
) -> Result<Response<Body>, GatewayError> {
    let accept = parts.headers.get(header::ACCEPT).cloned();
    let prefer = match exchange.mode {
        Mode::Envelope => Prefer::take(&mut parts.headers),
        _ => Prefer::peek(&parts.headers),
    };
    narrow_accept_encoding(&mut parts.headers);
    let caller = respond::Caller { accept, prefer };
    let called = Instant::now();
    let (response, permit) = match call(gateway, found, parts, Body::full(body)).await {
        Ok(replied) => replied,
        Err(GatewayError::Call(cause)) => return Ok(unanswered(gateway, found.route, exchange, &asked, &caller, &cause)),
        Err(other) => return Err(other),
    };
    let upstream_ms = called.elapsed().as_millis() as u64;
    let silence = gateway.upstreams[found.route.upstream].0.body_timeout;
    // A stream of events never ends: it cannot be held back to be judged.
    let endless = response.headers().get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/event-stream"));
    let room = response.body().size_hint().lower().max(4096).min(gateway.reply_body as u64);
    let memory = gateway.memory.clone().try_acquire_many_owned((room >> 10) as u32);
    let (Ok(_memory), false) = (memory, endless) else {
        return Ok(over_limit(gateway, exchange, response, Bytes::new(), permit, silence));
    };
    let (mut head, body) = response.into_parts();
    let (body, cut) = match collect(body, gateway.reply_body, Some(silence)).await {
        Collected::Whole(bytes) => (bytes, false),
        Collected::Broken(bytes, cause) => {
            log_cut(&exchange.id, &cause);
            (bytes, true)
        }
        Collected::Over(front, rest) => {
            let response = Response::from_parts(head, rest);
            return Ok(over_limit(gateway, exchange, response, front, permit, silence));
        }
    };
    drop(permit);
    drop_hop_by_hop(&mut head.headers);
    Ok(respond::judged(gateway, found.route, exchange, &asked, &caller, head, body, cut, upstream_ms))
}

fn log_cut(id: &str, cause: &BodyError) {
    tracing::warn!(request_id = id, error = %cause, "the vendor's reply ended early");
}

/// A reply too large to hold: its bytes pass untouched, and nothing is claimed.
fn over_limit(
    gateway: &Gateway,
    exchange: &mut Exchange<'_>,
    response: Response<Incoming>,
    front: Bytes,
    permit: OwnedSemaphorePermit,
    silence: std::time::Duration,
) -> Response<Body> {
    gateway.observer.diagnostic("body_over_limit");
    exchange.settle("unknown", response.status().as_u16());
    let mut response = stream(response, front, permit, silence);
    respond::unknown(response.headers_mut(), &exchange.id);
    response
}

/// The vendor gave no reply: first-hand knowledge for every item.
fn unanswered(
    gateway: &Gateway,
    route: &Route,
    exchange: &mut Exchange<'_>,
    asked: &profile::Request,
    caller: &respond::Caller,
    cause: &CallError,
) -> Response<Body> {
    let category = match cause {
        CallError::Unreachable { .. } => Category::Unreachable,
        CallError::Busy { .. } => Category::Unavailable,
        CallError::HeadTimeout { .. } => Category::Timeout,
        CallError::Lost { .. } => Category::BadResponse,
    };
    tracing::warn!(request_id = exchange.id, reason = cause.reason(), error = %cause, "no reply from the vendor");
    let envelope = profile::unanswered(asked, category, cause.vendor_may_have_acted(), &cause.to_string());
    respond::first_hand(gateway, route, exchange, asked, caller, &envelope)
}

/// Sends the request to the route's upstream, with what must change changed and everything else untouched.
async fn call(
    gateway: &Gateway,
    found: &Found<'_>,
    parts: http::request::Parts,
    body: Body,
) -> Result<(Response<Incoming>, OwnedSemaphorePermit), GatewayError> {
    let (upstream, handles) = &gateway.upstreams[found.route.upstream];
    let request = outgoing(gateway, found, parts, body)?;
    let started = Instant::now();
    let result = upstream.call(request).await;
    let word = result.as_ref().map_or_else(|cause| cause.reason(), |_| "replied");
    gateway.observer.attempt(handles, word, started.elapsed());
    Ok(result?)
}

fn outgoing(gateway: &Gateway, found: &Found<'_>, mut parts: http::request::Parts, body: Body) -> Result<Request<Body>, GatewayError> {
    let target = &gateway.upstreams[found.route.upstream].0.target;
    let bad = |what: &str| GatewayError::BadTarget(what.to_owned());
    let authority = target.authority(&found.captures).ok_or_else(|| bad("its host gives no upstream"))?;
    let sent_host = parts.uri.authority().map(|a| a.as_str().to_owned());
    let path = path_and_query(&parts.uri, found.route).ok_or_else(|| bad("its path is not valid"))?;
    let headers = &mut parts.headers;
    drop_hop_by_hop(headers);
    drop_ours(headers);
    headers.remove(header::EXPECT);
    // Signatures cover Host: it stays as sent where it names a host we route, else it is the upstream's.
    let host = sent_host.or_else(|| headers.get(header::HOST).and_then(|v| v.to_str().ok()).map(str::to_owned));
    let keep = host.filter(|host| found.route.names_host() || gateway.routes.names_host(without_port(host)));
    let host = keep.unwrap_or_else(|| authority.to_string());
    headers.insert(header::HOST, HeaderValue::from_str(&host).map_err(|_| bad("its host is not valid"))?);
    headers.append(header::VIA, VIA);
    parts.uri = target.uri(authority, path).ok_or_else(|| bad("its path is not valid"))?;
    parts.version = http::Version::HTTP_11;
    parts.extensions.clear();
    Ok(Request::from_parts(parts, body))
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
    let ours: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with("onevelope-")).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
}

/// The vendor's host, for recognition: the client's where it is one of the vendor's, else the upstream's (an SDK that
/// was pointed at the gateway names the gateway).
fn vendor_host(gateway: &Gateway, route: &Route, parts: &http::request::Parts, upstream: Option<&Authority>) -> String {
    let sent = parts.uri.authority().map(Authority::as_str);
    let sent = sent.or_else(|| parts.headers.get(header::HOST).and_then(|value| value.to_str().ok()));
    let sent = without_port(sent.unwrap_or(""));
    let vendors = gateway.profiles.vendors().iter().filter(|v| route.vendor.as_ref().is_none_or(|own| *own == v.name));
    let known = vendors.flat_map(|vendor| &vendor.hosts).any(|pattern| pattern.find(sent).is_some());
    match upstream {
        Some(upstream) if !known => upstream.host().to_owned(),
        _ => sent.to_owned(),
    }
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
