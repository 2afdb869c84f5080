//! Head and body → action. The most specific match wins; ties go to the first file by name.

use std::cmp::Reverse;

use super::{Head, Reader};
use crate::profile::{Action, ProfileSet, RequestPlace, Vendor};

/// Which profiles may match.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'s> {
    /// Only this vendor's.
    pub vendor: Option<&'s str>,
    /// Only this profile, by its full name.
    pub profile: Option<&'s str>,
}

/// A recognised action and what its patterns captured.
#[derive(Debug)]
pub(super) struct Match {
    pub(super) at: (usize, usize),
    pub(super) path: Vec<(String, String)>,
    pub(super) host: Vec<(String, String)>,
    score: (bool, usize, usize),
}

impl Match {
    /// A capture of the vendor's host.
    pub(super) fn capture(&self, name: &str) -> Option<&str> {
        self.host.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Whether a request could be a known batch call, by its head alone. False means: pass it through untouched.
pub fn may_match(set: &ProfileSet, scope: &Scope<'_>, head: &Head<'_>, has_body: bool) -> bool {
    let segments = head.path.trim_start_matches('/').split('/').count();
    vendors(set, scope).any(|vendor| {
        let Some(index) = set.index(&vendor.name) else { return false };
        let by_name = index.selectors.iter().any(|places| {
            match named_action(places, head) {
                // The name is in the head: it is known or not.
                Some(name) => index.by_value.contains_key(name),
                // It may be in the body, if there is one and a place points there.
                None => has_body && places.iter().any(|place| matches!(place, RequestPlace::Document(_))),
            }
        });
        let by_path = index.by_segments.get(&segments).into_iter().flatten().chain(&index.rest);
        by_name || by_path.into_iter().any(|at| fits_head(set.get(*at).1, head, has_body))
    })
}

fn vendors<'s>(set: &'s ProfileSet, scope: &Scope<'s>) -> impl Iterator<Item = &'s std::sync::Arc<Vendor>> {
    let only = scope.vendor;
    set.vendors().iter().filter(move |vendor| only.is_none_or(|name| vendor.name == name))
}

/// The action's name, if the head shows it.
fn named_action<'r>(places: &[RequestPlace], head: &Head<'r>) -> Option<&'r str> {
    places.iter().find_map(|place| match place {
        RequestPlace::Header(name) => head.headers.get(name).and_then(|value| value.to_str().ok()),
        RequestPlace::Query(pointer) => head.raw_query(pointer.to_string().trim_start_matches('/')),
        _ => None,
    })
}

fn fits_head(action: &Action, head: &Head<'_>, has_body: bool) -> bool {
    (action.methods.is_empty() || action.methods.contains(head.method))
        && (action.paths.is_empty() || action.paths.iter().any(|path| path.find(head.path).is_some()))
        && action.header.iter().all(|(name, texts)| {
            head.headers
                .get(name)
                .is_some_and(|value| value.to_str().is_ok_and(|value| allowed(texts, value)))
        })
        && (has_body || !action.needs_body())
}

/// An empty list, or an empty text in it, allows anything; `*` at an end of a text allows any text there.
fn allowed(texts: &[String], value: &str) -> bool {
    let fits = |text: &String| match (text.strip_prefix('*'), text.strip_suffix('*')) {
        _ if text.is_empty() => true,
        (None, Some(head)) => {
            value.trim_start().get(..head.len()).is_some_and(|v| v.eq_ignore_ascii_case(head))
        }
        (Some(tail), None) => value.trim_end().to_lowercase().ends_with(&tail.to_lowercase()),
        _ => text.eq_ignore_ascii_case(value),
    };
    texts.is_empty() || texts.iter().any(fits)
}

/// The most specific action that fits head and body.
pub(super) fn best(set: &ProfileSet, scope: &Scope<'_>, reader: &Reader<'_>) -> Option<Match> {
    let head = reader.head;
    let segments = head.path.trim_start_matches('/').split('/').count();
    let mut best: Option<Match> = None;
    for vendor in vendors(set, scope) {
        let Some(index) = set.index(&vendor.name) else { continue };
        let host = head.host.and_then(|host| vendor.hosts.iter().find_map(|pattern| pattern.find(host)));
        let named = index.selectors.iter().filter_map(|places| {
            let name = places.iter().find_map(|place| reader.text(place, None))?;
            index.by_value.get(&name)
        });
        let by_path = index.by_segments.get(&segments).into_iter().flatten().chain(&index.rest);
        for at in named.flatten().chain(by_path) {
            let (profile, action) = set.get(*at);
            if scope.profile.is_some_and(|only| profile.name != only) {
                continue;
            }
            let found = fits(scope, action, *at, host.as_deref(), reader);
            if let Some(found) = found
                && best.as_ref().is_none_or(|known| Reverse(found.score) < Reverse(known.score))
            {
                best = Some(found);
            }
        }
    }
    best
}

fn fits(
    scope: &Scope<'_>,
    action: &Action,
    at: (usize, usize),
    host: Option<&[(String, String)]>,
    reader: &Reader<'_>,
) -> Option<Match> {
    let head = reader.head;
    if !fits_head(action, head, reader.body.is_some()) || !selected(action, reader) {
        return None;
    }
    let path = if action.paths.is_empty() {
        Vec::new()
    } else {
        action.paths.iter().filter_map(|path| path.find(head.path)).next()?
    };
    let root = |document: Option<&crate::decode::Document<'_>>,
                rows: &[(crate::decode::Pointer, Vec<String>)]| {
        rows.iter().all(|(pointer, texts)| {
            let value = document.and_then(|document| pointer.first(document.root()));
            let text = value.map(|value| value.scalar().map(|s| s.decode().into_owned()).unwrap_or_default());
            text.is_some_and(|text| allowed(texts, &text))
        })
    };
    if !root(reader.query, &action.query) || !root(reader.body, &action.body) {
        return None;
    }
    if !action.first_key.is_empty() {
        let first = reader.body.and_then(|body| body.root().members().next());
        if !first.is_some_and(|(key, _)| action.first_key.iter().any(|name| key.is(name))) {
            return None;
        }
    }
    let captured = host.unwrap_or_default();
    for (name, texts) in &action.host {
        let own = captured.iter().find(|(own, _)| own == name);
        if own.is_some_and(|(_, value)| !texts.iter().any(|text| text.eq_ignore_ascii_case(value))) {
            return None;
        }
    }
    let service = captured.iter().find(|(name, _)| name == "service").map(|(_, value)| value.as_str());
    let same_service = service.is_some_and(|service| action.services.iter().any(|own| own == service));
    let conditions = action.query.len()
        + action.header.len()
        + action.body.len()
        + action.host.len()
        + usize::from(!action.first_key.is_empty())
        + usize::from(!action.selector.places.is_empty())
        + usize::from(host.is_some());
    let weight =
        action.paths.iter().filter(|p| p.find(head.path).is_some()).map(|p| p.weight()).max().unwrap_or(0);
    // "Any DELETE" is a fact about one vendor's API: without knowing the vendor it would catch everybody's.
    if scope.vendor.is_none() && scope.profile.is_none() && conditions == 0 && weight <= 1 {
        return None;
    }
    Some(Match { at, path, host: captured.to_vec(), score: (same_service, conditions, weight) })
}

fn selected(action: &Action, reader: &Reader<'_>) -> bool {
    let places = &action.selector.places;
    places.is_empty()
        || places
            .iter()
            .find_map(|place| reader.text(place, None))
            .is_some_and(|name| name == action.selector.value)
}
