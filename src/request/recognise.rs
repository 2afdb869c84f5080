//! Head and body → action. The most specific match wins; ties go to the first file by name.

use std::cmp::Reverse;

use super::head::Head;
use super::reader::{Match, Reader};
use crate::decode::{Document, Pointer};
use crate::profile::{Action, ActionRef, Captures, PathPattern, ProfileSet, RequestPlace, Vendor};

/// Which profiles may match.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'s> {
    /// Only this vendor's.
    pub vendor: Option<&'s str>,
    /// Only this profile, by its full name.
    pub profile: Option<&'s str>,
}

/// Whether a request could be a known batch call, by its head alone. False means: pass it through untouched.
pub fn may_match(set: &ProfileSet, scope: &Scope<'_>, head: &Head<'_>, has_body: bool) -> bool {
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
        by_name || index.by_path(head.path).any(|at| fits_head(set.get(at).1, head, has_body))
    })
}

fn vendors<'m>(set: &'m ProfileSet, scope: &Scope<'_>) -> impl Iterator<Item = &'m std::sync::Arc<Vendor>> {
    let only = scope.vendor;
    set.vendors().iter().filter(move |vendor| only.is_none_or(|name| vendor.name == name))
}

/// The action's name, if the head shows it.
fn named_action<'r>(places: &[RequestPlace], head: &Head<'r>) -> Option<&'r str> {
    places.iter().find_map(|place| match place {
        RequestPlace::Header(name) => head.headers.get(name).and_then(|value| value.to_str().ok()),
        RequestPlace::Query(pointer) => head.raw_query(pointer.name()?),
        _ => None,
    })
}

fn fits_head(action: &Action, head: &Head<'_>, has_body: bool) -> bool {
    (action.methods.is_empty() || action.methods.contains(head.method))
        && (action.paths.is_empty() || action.paths.iter().any(|path| path.fits(head.path)))
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
        (Some(tail), None) => {
            let value = value.trim_end();
            let from = value.len().checked_sub(tail.len());
            from.and_then(|from| value.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(tail))
        }
        _ => text.eq_ignore_ascii_case(value),
    };
    texts.is_empty() || texts.iter().any(fits)
}

/// Whether the host is the action's service's, how many conditions hold, how many bytes the path states, and whether the
/// vendor is any that speaks so: greater is better.
type Score = (bool, usize, usize, bool);
/// Candidates come in no order of their own, so the first file's place is part of it.
type Rank = (Score, Reverse<ActionRef>);

/// The most specific action that fits head and body.
pub(super) fn best<'m>(set: &'m ProfileSet, scope: &Scope<'_>, reader: &Reader<'m>) -> Option<Match<'m>> {
    let head = reader.head;
    let mut best: Option<(Rank, Captures)> = None;
    for vendor in vendors(set, scope) {
        let Some(index) = set.index(&vendor.name) else { continue };
        let mut host = None;
        let mut consider = |at: ActionRef| {
            let (profile, action) = set.get(at);
            if scope.profile.is_some_and(|only| profile.name != only)
                || !fits_head(action, head, reader.body.is_some())
            {
                return;
            }
            // Looked at when it is first of use: most requests fit no action at all.
            let host = host.get_or_insert_with(|| vendor.host(head.host?));
            if let Some(score) = fits(scope, action, host.as_ref(), vendor.generic, reader)
                && best.as_ref().is_none_or(|(known, _)| (score, Reverse(at)) > *known)
            {
                best = Some(((score, Reverse(at)), host.clone().unwrap_or_default()));
            }
        };
        for (number, places) in index.selectors.iter().enumerate() {
            let Some(name) = places.iter().find_map(|place| reader.text(place, None)) else { continue };
            let named = index.by_value.get(&*name).into_iter().flatten();
            named.filter(|(selector, _)| *selector == number).for_each(|(_, at)| consider(*at));
        }
        index.by_path(head.path).for_each(consider);
    }
    let ((_, Reverse(at)), host) = best?;
    let path = set.get(at).1.paths.iter().find_map(|path| path.find(head.path)).unwrap_or_default();
    Some(Match { at, path, host })
}

/// An action that fits by its head and selector: whether the rest does, and how specific it is.
fn fits(
    scope: &Scope<'_>,
    action: &Action,
    host: Option<&Captures>,
    generic: bool,
    reader: &Reader<'_>,
) -> Option<Score> {
    let head = reader.head;
    let root = |document: Option<&Document<'_>>, rows: &[(Pointer, Vec<String>)]| {
        rows.iter().all(|(pointer, texts)| {
            let value = document.and_then(|document| pointer.first(document.root()));
            let text = value.map(|value| value.scalar().map(|s| s.decode()).unwrap_or_default());
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
    let captured = host.map_or(&[][..], Vec::as_slice);
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
    let fitting = action.paths.iter().filter(|path| path.fits(head.path));
    let weight = fitting.map(PathPattern::weight).max().unwrap_or(0);
    // "Any DELETE" is a fact about one vendor's API: without knowing the vendor it would catch everybody's.
    if scope.vendor.is_none() && scope.profile.is_none() && conditions == 0 && weight <= 1 {
        return None;
    }
    Some((same_service, conditions, weight, generic))
}
