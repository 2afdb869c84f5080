//! The operator's own port: metrics, probes, what is in force. Read-only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use crate::body::Body;
use crate::gateway::{Reloader, Service};
use crate::observe::Observer;

/// What the admin port shows.
#[derive(Clone, Debug)]
pub struct Admin {
    pub service: Service,
    pub observer: Arc<Observer>,
    pub reloader: Arc<Reloader>,
    /// False from SIGTERM on.
    pub ready: Arc<AtomicBool>,
}

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";

impl Admin {
    /// Answers one request; the body is not read.
    pub fn answer<B>(&self, request: &Request<B>) -> Response<Body> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return reply(StatusCode::METHOD_NOT_ALLOWED, TEXT, "read-only: GET\n".to_owned());
        }
        match request.uri().path() {
            "/metrics" => match self.observer.text() {
                Ok(text) => reply(StatusCode::OK, TEXT, text),
                Err(cause) => reply(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{cause}\n")),
            },
            "/livez" => reply(StatusCode::OK, TEXT, "live\n".to_owned()),
            "/readyz" if self.ready.load(Ordering::Relaxed) => {
                reply(StatusCode::OK, TEXT, "ready\n".to_owned())
            }
            "/readyz" => reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n".to_owned()),
            "/api/config" => reply(StatusCode::OK, JSON, self.config()),
            "/api/profiles" => reply(StatusCode::OK, JSON, self.profiles()),
            _ => {
                let known = "here are /metrics /livez /readyz /api/config /api/profiles\n";
                reply(StatusCode::NOT_FOUND, TEXT, known.to_owned())
            }
        }
    }

    fn config(&self) -> String {
        let state = self.reloader.state();
        serde_json::json!({
            "in_force": state.in_force,
            "last_read": state.last_read,
            "refused": state.refused,
            "config": redacted(self.service.current().shown.clone()),
        })
        .to_string()
    }

    fn profiles(&self) -> String {
        let gateway = self.service.current();
        let list: Vec<_> = gateway
            .profiles
            .profiles()
            .iter()
            .map(|profile| {
                let actions: Vec<&str> = profile.actions.iter().map(|action| action.name.as_str()).collect();
                serde_json::json!({
                    "profile": profile.name, "vendor": profile.vendor.name, "services": profile.services,
                    "actions": actions, "source": profile.source, "status": profile.status,
                })
            })
            .collect();
        serde_json::Value::Array(list).to_string()
    }
}

/// Credentials are named, not shown; a URL's user part is a secret.
fn redacted(mut value: serde_json::Value) -> serde_json::Value {
    match &mut value {
        serde_json::Value::Object(members) => {
            for (key, inner) in members.iter_mut() {
                let secret = key == "credentials" && !inner.is_null();
                *inner = if secret { "***".into() } else { redacted(inner.take()) };
            }
        }
        serde_json::Value::Array(elements) => {
            for element in elements {
                *element = redacted(element.take());
            }
        }
        serde_json::Value::String(text) => {
            if let Some((scheme, rest)) = text.split_once("://")
                && let Some((_, host)) = rest.split('/').next().unwrap_or(rest).rsplit_once('@')
            {
                let path = rest.find('/').map_or("", |at| &rest[at..]);
                *text = format!("{scheme}://***@{host}{path}");
            }
        }
        _ => {}
    }
    value
}

fn reply(status: StatusCode, media_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
