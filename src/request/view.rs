//! A request's bytes → [`Request`].

use std::borrow::Cow;
use std::sync::Arc;

use super::Request;
use super::head::Head;
use super::items;
use super::reader::{Match, Reader};
use super::recognise::{self, Scope};
use crate::decode::{Bounds, Document, Wire, read, read_parameters, sniff};
use crate::profile::{Action, Profile, ProfileSet};

/// Recognises a request and reads what it asks.
///
/// `scope` says which profiles may match; `body` is the whole body. Nothing: no profile knows the call.
pub fn view(
    set: &ProfileSet,
    scope: &Scope<'_>,
    head: &Head<'_>,
    body: &[u8],
    bounds: Bounds,
) -> Option<Request> {
    let query = read_parameters(head.query.as_bytes(), "", bounds).ok();
    let sniffed = sniff(body, head.header("content-type"));
    let parsed = sniffed.and_then(|wire| document(body, wire, head.header("content-type"), bounds));
    let reader = Reader { head, query: query.as_ref(), body: parsed.as_ref() };
    let found = recognise::best(set, scope, &reader)?;
    let (profile, action) = set.get(found.at);
    // The action may know its wire better than the first byte does.
    let own = own_document(action, head, body, sniffed.map(|wire| (wire, parsed.is_some())), bounds);
    let reader = match &own {
        Own::Read(document) => Reader { body: Some(document), ..reader },
        Own::Query => Reader { body: query.as_ref(), ..reader },
        Own::AsParsed | Own::Unreadable => reader,
    };
    let (profile, action_at) = (Arc::clone(profile), found.at.1);
    Some(build(&profile, action_at, found, &reader, matches!(own, Own::Unreadable)))
}

/// An action's own document, where it names another wire than the one the body was read as.
enum Own<'b> {
    AsParsed,
    Query,
    Read(Document<'b>),
    Unreadable,
}

fn own_document<'b>(
    action: &Action,
    head: &Head<'_>,
    body: &'b [u8],
    // The wire that the first byte and the media type told, and whether the body could be read as that.
    sniffed: Option<(Wire, bool)>,
    bounds: Bounds,
) -> Own<'b> {
    if action.from_query || body.is_empty() {
        return Own::Query;
    }
    match (action.wire, sniffed) {
        (Some(wire), sniffed) if sniffed.is_none_or(|(as_wire, _)| as_wire != wire) => {
            document(body, wire, head.header("content-type"), bounds).map_or(Own::Unreadable, Own::Read)
        }
        // Read as that already, for recognition.
        (_, Some((_, true))) => Own::AsParsed,
        _ => Own::Unreadable,
    }
}

fn document<'b>(body: &'b [u8], wire: Wire, media_type: &str, bounds: Bounds) -> Option<Document<'b>> {
    match wire {
        Wire::Form => read_parameters(body, media_type, bounds).ok(),
        _ => read(body, wire, media_type, bounds, false).ok().map(|(document, _)| document),
    }
}

fn build(
    profile: &Arc<Profile>,
    at: usize,
    found: Match<'_>,
    reader: &Reader<'_>,
    unreadable: bool,
) -> Request {
    let action = &profile.actions[at];
    let (asked, unclear) = items::asked(profile, action, &found, reader);
    let kept =
        profile.kept.iter().map(|place| reader.text(place, Some(&found)).map(Cow::into_owned)).collect();
    let service = service(action, &found).map(str::to_owned);
    let dry_run = profile.vendor.dry_run.iter().any(|(places, texts)| {
        reader.first(places, &found).is_some_and(|text| texts.contains(&text.to_lowercase()))
    });
    let monitor = action.monitor.as_ref().map(|template| {
        let fill = |path: String, (name, value): &(&str, &str)| path.replace(&format!("{{{name}}}"), value);
        found.path.iter().fold(template.clone(), fill)
    });
    Request {
        region: reader
            .first(&profile.vendor.region, &found)
            .map(Cow::into_owned)
            .or_else(|| found.capture("region").map(str::to_owned)),
        task: reader.first(&action.task, &found).map(Cow::into_owned),
        unclear: unclear || (unreadable && asked.is_empty() && action_asks(action)),
        unreadable: unreadable && asked.is_empty() && action_asks(action),
        profile: Arc::clone(profile),
        action: at,
        asked,
        kept,
        service,
        dry_run,
        monitor,
    }
}

/// Whether an action reads its items from the request's document.
fn action_asks(action: &Action) -> bool {
    !action.items.lists.is_empty()
}

/// The service label: the host's where the action lists it or lists none, else the action's first.
fn service<'f>(action: &'f Action, found: &'f Match<'_>) -> Option<&'f str> {
    let from_host = found.capture("service");
    match (from_host, action.services.first()) {
        (Some(host), Some(_)) if action.services.iter().any(|own| own == host) => Some(host),
        (_, Some(own)) => Some(own),
        (host, None) => host,
    }
}
