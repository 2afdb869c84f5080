//! The operator's own port: metrics, probes, what happened, what is in force, and a page. Read-only.

mod api; // JSON
mod live; // server-sent events
mod page; // the page's files

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use crate::body::Body;
use crate::gateway::{Reloader, Service};
use crate::message::host_of;
use crate::observe::{Format, Observer};

/// What the admin port shows.
#[derive(Clone, Debug)]
pub struct Admin {
    pub service: Service,
    pub observer: Arc<Observer>,
    pub reloader: Arc<Reloader>,
    /// False from SIGTERM on.
    pub ready: Arc<AtomicBool>,
    /// The port is on loopback: then no foreign name may stand for it.
    pub loopback: bool,
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const PATHS: &str = "here are / /metrics /metrics/resources /livez /readyz /api/vendors /api/failures /api/batches /api/breakers \
                     /api/events /api/profiles /api/config, and POST /api/explain\n";

impl Admin {
    /// Answers one request from `peer`.
    pub async fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if self.loopback && foreign(&parts) {
            let what = "this port answers to localhost and IP addresses only\n";
            return reply(StatusCode::MISDIRECTED_REQUEST, TEXT, what);
        }
        match (&parts.method, parts.uri.path()) {
            (&Method::POST, "/api/explain") => api::explain(self, body).await,
            (&Method::GET | &Method::HEAD, path) => {
                self.get(peer, path, parts.uri.query().unwrap_or(""), &parts.headers)
            }
            _ => reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "read-only: GET\n".to_owned()),
        }
    }

    fn get(&self, peer: IpAddr, path: &str, query: &str, headers: &HeaderMap) -> Response<Body> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let format = Format::negotiate(text(header::ACCEPT));
        match path {
            "/metrics" => reply(StatusCode::OK, format.media_type(), self.observer.text(format)),
            "/metrics/resources" => {
                // A scraper is an address and a program; each must see a new row as 0 twice.
                let who = format!("{peer} {}", text(header::USER_AGENT).unwrap_or(""));
                reply(StatusCode::OK, format.media_type(), self.observer.resources_text(&who, format))
            }
            "/livez" => reply(StatusCode::OK, TEXT, "live\n".to_owned()),
            "/readyz" if self.ready.load(Ordering::Relaxed) => {
                reply(StatusCode::OK, TEXT, "ready\n".to_owned())
            }
            "/readyz" => reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n".to_owned()),
            "/api/config" => json(&api::config(self)),
            "/api/profiles" => json(&api::profiles(self)),
            "/api/vendors" => json(&api::vendors(self)),
            "/api/breakers" => json(&api::breakers(self)),
            "/api/failures" => json(&api::failures(self, query)),
            "/api/batches" => json(&api::batches(self, query)),
            "/api/events" => live::events(self),
            _ => page::file(path).unwrap_or_else(|| reply(StatusCode::NOT_FOUND, TEXT, PATHS.to_owned())),
        }
    }
}

/// A page that an operator visits can point a name of its own at loopback and read what is here (DNS rebinding).
fn foreign(parts: &http::request::Parts) -> bool {
    // What is no host, or names two, is foreign.
    let host = host_of(parts).map_or("", |named| named.host().map_or("localhost", |host| host.host));
    let probe = matches!(parts.uri.path(), "/livez" | "/readyz" | "/metrics" | "/metrics/resources");
    let own =
        host.eq_ignore_ascii_case("localhost") || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    !probe && !own
}

fn json(value: &serde_json::Value) -> Response<Body> {
    reply(StatusCode::OK, JSON, value.to_string())
}

fn reply(status: StatusCode, media_type: &'static str, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    dress(response.headers_mut(), media_type);
    response
}

/// Headers of every answer: vendors' texts are shown here, so nothing may be taken for script or framed.
fn dress(headers: &mut HeaderMap, media_type: &'static str) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    );
}
