//! What is let in: a request that everyone before and behind can only read as we do. Anything else is refused, never repaired,
//! since bytes are forwarded as they came. `docs/reliability.md`, "Requests", has each rule with its source.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Version};

use super::lane::Lane;
use super::{Gateway, GatewayError};
use crate::message::{HostPort, host_of};
use crate::profile::Captures;
use crate::route::Found;
use crate::upstream::{drop_hop_by_hop, names_end_to_end, passes_for_another};

/// Longest method, in bytes. The registry's longest has 17.
const LONGEST_METHOD: usize = 32;

/// A request that was let in. Its fields of this connection are gone; whom it names stands in `Host`, also where it came in
/// `:authority` or in the target.
#[derive(Debug)]
pub(super) struct Entered {
    /// What the route's host captured.
    pub(super) captures: Captures,
    /// Length of the host without port; see [`Entered::named`].
    bare: usize,
}

impl Entered {
    /// The host that the caller names, read once at the door.
    pub(super) fn named<'p>(&self, parts: &'p Parts) -> Option<HostPort<'p>> {
        let text = parts.headers.get(header::HOST)?.to_str().ok()?;
        Some(HostPort { text, host: text.get(..self.bare)?, port: None }).filter(|_| self.bare > 0)
    }
}

/// Lets a request in, with the route it takes.
///
/// # Errors
/// Why not; nothing of the request is in it but its host or the name of a field.
pub(super) fn enter(
    gateway: &Gateway,
    listener: &str,
    parts: &mut Parts,
) -> Result<(Arc<Lane>, Entered), GatewayError> {
    if parts.method == Method::CONNECT {
        return Err(GatewayError::Connect);
    }
    method(&parts.method)?;
    target(parts)?;
    framing(&parts.headers, parts.version)?;
    // What is judged is what will be sent: fields of this connection go first, then the host is settled.
    let is_read = |name: &HeaderName| gateway.profiles.reads_header(name);
    if let Some(name) = names_end_to_end(&parts.headers, is_read) {
        return Err(GatewayError::Connection(name.to_string()));
    }
    if let Some(name) = passes_for_another(&parts.headers, is_read) {
        return Err(GatewayError::Underscore(name.to_string()));
    }
    expectation(&mut parts.headers)?;
    drop_hop_by_hop(&mut parts.headers);
    let bare = settle_host(parts)?;
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("");
    let host = host.get(..bare).unwrap_or("");
    let path = parts.uri.path();
    let Some(Found { number, captures }) = gateway.routes.find(listener, host, path) else {
        return Err(match host {
            "" => GatewayError::NoHost,
            host => GatewayError::NoRoute { host: host.to_owned() },
        });
    };
    let lane = &gateway.lanes[number];
    let based = lane.upstream().target.has_base();
    if gateway.routes.escapes(listener, host, path, number, based) {
        return Err(GatewayError::BadTarget("leads out of its route as some servers read it"));
    }
    Ok((Arc::clone(lane), Entered { captures, bare }))
}

/// RFC 9110 section 9.1. What is no token hyper refuses.
fn method(method: &Method) -> Result<(), GatewayError> {
    match method.as_str().len() {
        0..=LONGEST_METHOD => Ok(()),
        _ => Err(GatewayError::BadMethod("is longer than any that is known")),
    }
}

/// RFC 9112 section 3.2: origin form or absolute form, of bytes that a target may have (RFC 3986). Spaces and control bytes hyper
/// refuses; from `#` on it cuts off, so nobody else reads that either.
fn target(parts: &Parts) -> Result<(), GatewayError> {
    let uri = &parts.uri;
    let bad = |what| Err(GatewayError::BadTarget(what));
    match (uri.scheme_str(), uri.authority()) {
        (None, Some(_)) if parts.version < Version::HTTP_2 => return bad("is an authority alone"),
        (Some(scheme), _) if !matches!(scheme, "http" | "https") => return bad("is neither http nor https"),
        _ => {}
    }
    let text = uri.path_and_query().map_or("", |target| target.as_str());
    if text == "*" && parts.method != Method::OPTIONS {
        return bad("is `*`, which only OPTIONS may ask for");
    }
    // Servers that take `\` for `/`, and bytes beyond ASCII for one charset or another, read another path.
    if !text.is_ascii() || text.as_bytes().contains(&b'\\') {
        return bad("has bytes that must be percent-encoded");
    }
    Ok(())
}

/// RFC 9112 sections 6.1 to 6.3. hyper takes any list of codings that ends in `chunked`; whoever undoes the others reads another
/// body. A `Content-Length` beside it is gone by now, and the connection ends after the answer: section 6.3 allows that.
fn framing(headers: &HeaderMap, version: Version) -> Result<(), GatewayError> {
    if let Some(coding) = headers.get(header::TRANSFER_ENCODING) {
        let one = headers.get_all(header::TRANSFER_ENCODING).iter().nth(1).is_none();
        if !one || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
            return Err(GatewayError::BadFraming("Transfer-Encoding is not chunked alone"));
        }
    }
    // HTTP/1 has one by now: hyper drops repeats, and refuses those that differ.
    if version >= Version::HTTP_2 && headers.get_all(header::CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err(GatewayError::BadFraming("Content-Length stands in it more than once"));
    }
    Ok(())
}

/// RFC 9110 section 10.1.1: 100-continue is answered here and goes no further. Another expectation is refused: who ignores it and
/// who heeds it would do two things.
fn expectation(headers: &mut HeaderMap) -> Result<(), GatewayError> {
    let Some(expected) = headers.get(header::EXPECT) else { return Ok(()) };
    let one = headers.get_all(header::EXPECT).iter().nth(1).is_none();
    if !one || !expected.as_bytes().eq_ignore_ascii_case(b"100-continue") {
        return Err(GatewayError::Expectation);
    }
    headers.remove(header::EXPECT);
    Ok(())
}

/// Reads whom the request names, and puts it where it will be read from: into `Host`. The length of its host without port; 0 where
/// it names none, which HTTP/1.0 may do.
fn settle_host(parts: &mut Parts) -> Result<usize, GatewayError> {
    let named = host_of(parts).map_err(GatewayError::BadHost)?;
    // HTTP/1.1 names it in the field, whatever its target says.
    if parts.version == Version::HTTP_11 && named.field.is_none() {
        return Err(GatewayError::NoHost);
    }
    match (named.field, named.target) {
        (Some(field), _) => Ok(field.host.len()),
        (None, Some(target)) => {
            let bare = target.host.len();
            let host = HeaderValue::from_str(target.text);
            parts
                .headers
                .insert(header::HOST, host.map_err(|_| GatewayError::BadHost("is no name and no address"))?);
            Ok(bare)
        }
        (None, None) if parts.version > Version::HTTP_10 => Err(GatewayError::NoHost),
        (None, None) => {
            parts.headers.remove(header::HOST);
            Ok(0)
        }
    }
}
