//! What of a request the vendor sees, and what is read of it: the same, byte for byte but for the route's prefix.

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{Request, Uri, Version};

use super::GatewayError;
use super::door::Entered;
use super::lane::Lane;
use crate::body::Body;
use crate::config::HostSent;
use crate::message::{HostPort, remove_headers};
use crate::request::Head;
use crate::route::{Route, RouteTable};

const VIA: HeaderValue = HeaderValue::from_static("1.1 onevelope");

/// Where a request that was let in goes to.
pub(super) struct Outgoing<'c> {
    pub(super) routes: &'c RouteTable,
    pub(super) lane: &'c Lane,
    pub(super) entered: &'c Entered,
}

impl Outgoing<'_> {
    /// The authority that is dialled. None: the host's captures give none.
    pub(super) fn upstream(&self) -> Option<Authority> {
        self.lane.upstream().target.authority(&self.entered.captures)
    }

    /// The request as it is sent: what must change changed, everything else untouched.
    pub(super) fn request(&self, mut parts: Parts, body: Body) -> Result<Request<Body>, GatewayError> {
        let bad = GatewayError::BadTarget;
        let authority = self.upstream().ok_or(bad("names a host that gives no upstream"))?;
        let path = path_and_query(&parts.uri, &self.lane.route).ok_or(bad("cannot be forwarded"))?;
        let host = self.host(&parts, &authority).text;
        let as_sent = parts.headers.get(header::HOST).is_some_and(|sent| sent == host);
        if !as_sent {
            let host = HeaderValue::from_str(host).map_err(|_| bad("gives a host that is not valid"))?;
            parts.headers.insert(header::HOST, host);
        }
        let headers = &mut parts.headers;
        drop_ours(headers);
        headers.append(header::VIA, VIA);
        parts.uri = self.lane.upstream().target.uri(authority, path).ok_or(bad("cannot be forwarded"))?;
        parts.version = Version::HTTP_11;
        parts.extensions.clear();
        Ok(Request::from_parts(parts, body))
    }

    /// The host that the vendor will see. Signatures cover it, so it stays as sent where a route names it, unless the upstream's
    /// configuration says otherwise; else it is the upstream's.
    pub(super) fn host<'p>(&'p self, parts: &'p Parts, upstream: &'p Authority) -> HostPort<'p> {
        let sent = self.entered.named(parts);
        let routed = |sent: &HostPort<'_>| self.lane.route.names_host() || self.routes.names_host(sent.host);
        let dialled = HostPort { text: upstream.as_str(), host: upstream.host(), port: None };
        match &self.lane.upstream().host {
            Some(HostSent::Name(name)) => HostPort::parse(name).unwrap_or(dialled),
            Some(HostSent::Upstream) => dialled,
            Some(HostSent::AsSent) => sent.unwrap_or(dialled),
            None => sent.filter(routed).unwrap_or(dialled),
        }
    }
}

/// What recognition reads of a request whose vendor sees this host.
pub(super) fn head<'r>(parts: &'r Parts, route: &Route, host: &'r str) -> Head<'r> {
    let path = route.strip(parts.uri.path()).unwrap_or("/");
    Head {
        method: &parts.method,
        host: Some(host).filter(|host| !host.is_empty()),
        path: if path.is_empty() { "/" } else { path },
        query: parts.uri.query().unwrap_or(""),
        headers: &parts.headers,
    }
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
