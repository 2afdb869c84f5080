//! The admin port's JSON.

use std::time::Duration;

use http::{Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{Admin, JSON, reply};
use crate::body::{Body, Collected, collect};
use crate::explain::explain_texts;

/// Largest request to the playground.
const PLAYGROUND: usize = 4 << 20;
/// Records given where the caller names no limit.
const LIMIT: usize = 200;

/// What is in force, and whether the file says something else by now. Secrets redacted.
pub(super) fn config(admin: &Admin) -> Value {
    let state = admin.reloader.state();
    json!({
        "in_force": state.in_force,
        "last_read": state.last_read,
        "refused": state.refused,
        "config": redacted(admin.service.current().shown.clone()),
    })
}

pub(super) fn profiles(admin: &Admin) -> Value {
    let gateway = admin.service.current();
    let profile = |profile: &std::sync::Arc<crate::profile::Profile>| {
        let actions: Vec<&str> = profile.actions.iter().map(|action| action.name.as_str()).collect();
        json!({
            "profile": profile.name, "vendor": profile.vendor.name, "services": profile.services,
            "actions": actions, "source": profile.source, "status": profile.status,
        })
    };
    gateway.profiles.profiles().iter().map(profile).collect()
}

/// Verdicts by vendor since start.
pub(super) fn vendors(admin: &Admin) -> Value {
    let vendor = |(vendor, [succeeded, accepted, failed, not_attempted, unknown]): (String, [u64; 5])| {
        json!({
            "vendor": vendor, "succeeded": succeeded, "accepted": accepted, "failed": failed,
            "not_attempted": not_attempted, "unknown": unknown,
        })
    };
    admin.observer.by_vendor().into_iter().map(vendor).collect()
}

/// Where each breaker stands.
pub(super) fn breakers(admin: &Admin) -> Value {
    let breaker = |(upstream, action, state): (String, String, &'static str)| json!({ "upstream": upstream, "action": action, "state": state });
    admin.service.current().breakers().into_iter().map(breaker).collect()
}

pub(super) fn failures(admin: &Admin, query: &str) -> Value {
    json!({ "failures": admin.observer.recent.failures(limit(query)) })
}

pub(super) fn batches(admin: &Admin, query: &str) -> Value {
    json!({ "batches": admin.observer.recent.batches(limit(query)) })
}

fn limit(query: &str) -> usize {
    let given = query.split('&').find_map(|pair| pair.strip_prefix("limit="));
    given.and_then(|text| text.parse().ok()).unwrap_or(LIMIT)
}

/// The playground: two pasted messages, and what the profiles in force make of them. Nothing is sent anywhere.
pub(super) async fn explain(admin: &Admin, body: Incoming) -> Response<Body> {
    let gateway = admin.service.current();
    let mut budget = gateway.shared.budget();
    let wrong =
        |what: &str| reply(StatusCode::UNPROCESSABLE_ENTITY, JSON, json!({ "error": what }).to_string());
    let Collected::Whole(bytes) = collect(body, PLAYGROUND, &mut budget, Duration::from_secs(10)).await
    else {
        return wrong("the messages are too large for the playground");
    };
    #[derive(serde::Deserialize)]
    struct Pasted {
        request: String,
        reply: String,
        #[serde(default)]
        vendor: Option<String>,
    }
    let pasted: Pasted = match serde_json::from_slice(&bytes) {
        Ok(pasted) => pasted,
        Err(cause) => return wrong(&format!("expected {{\"request\", \"reply\"}}: {cause}")),
    };
    let vendor = pasted.vendor.as_deref().filter(|vendor| !vendor.is_empty());
    match explain_texts(&gateway.profiles, &pasted.request, &pasted.reply, vendor) {
        Ok(explained) => reply(StatusCode::OK, JSON, explained),
        Err(what) => wrong(&what),
    }
}

/// Credentials are named, not shown; a URL's user part is a secret.
fn redacted(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for (key, inner) in members.iter_mut() {
                let secret = key == "credentials" && !inner.is_null();
                *inner = if secret { "***".into() } else { redacted(inner.take()) };
            }
        }
        Value::Array(elements) => {
            for element in elements {
                *element = redacted(element.take());
            }
        }
        Value::String(text) => {
            // Several servers stand in one text; a comma in a password makes no list.
            let list = text.split(',').all(|url| url.contains("://"));
            *text = match list {
                true => text.split(',').map(without_user).collect::<Vec<_>>().join(","),
                false => without_user(text),
            };
        }
        _ => {}
    }
    value
}

/// A URL without its user and password.
fn without_user(url: &str) -> String {
    if let Some((scheme, rest)) = url.split_once("://")
        && let Some((_, host)) = rest.split('/').next().unwrap_or(rest).rsplit_once('@')
    {
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        return format!("{scheme}://***@{host}{path}");
    }
    url.to_owned()
}
