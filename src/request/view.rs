//! A request's bytes → [`Request`].

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::Request;
use super::head::Head;
use super::inner::Inner;
use super::items;
use super::operation;
use super::reader::{Match, Reader};
use super::recognise::{self, Recognised, Scope};
use super::spelling::{Reason, Spelling};
use crate::decode::{
    Bounds, CodingError, DecodeError, Document, Value, Wire, decode_content, read, read_parameters,
    sniff_both,
};
use crate::message::joined;
use crate::profile::{Action, DryRun, Profile, ProfileSet, RequestPlace};

/// Why a request is no batch call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    #[error("no profile knows it")]
    Nobodys,
    /// Larger, deeper or of more values than the bounds allow, and so perhaps somebody's all the same.
    #[error("it is over a limit: {0}")]
    OverLimit(String),
    #[error("it may be {0}'s or {1}'s call, and its host is neither's: give the route a vendor")]
    Either(String, String),
}

/// How many times its own size a coded body may become, above 1 MiB.
pub const MOST_RATIO: usize = 1000;

/// Recognises a request and reads what it asks.
///
/// `scope` says which profiles may match; `body` is the whole body, as it is sent.
///
/// # Errors
/// [`Unknown`], for a request that is to be passed on untouched.
pub fn view(
    set: &ProfileSet,
    scope: &Scope<'_>,
    head: &Head<'_>,
    body: &[u8],
    bounds: Bounds,
) -> Result<Request, Unknown> {
    if recognise::is_never(head) {
        return Err(Unknown::Nobodys);
    }
    let spelling = Spelling::of(head, bounds);
    let codings = joined(head.headers, &CONTENT_ENCODING).unwrap_or_default();
    let decoded = decode_content(body, &codings, bounds.decoded, MOST_RATIO);
    let overridden = spelling.meant().map(|_| "it names another method than it is sent with");
    let mut unclear = spelling.unclear.or(overridden);
    let (mut told, mut over) = (None, None);
    if let Err(cause) = &decoded {
        over = Some(cause.to_string()).filter(|_| matches!(cause, CodingError::TooLarge { .. }));
        unclear = Some("its content coding cannot be undone");
    }
    let body = decoded.as_deref().unwrap_or(body);
    let media_type = head.header("content-type");
    if head.headers.get_all(CONTENT_TYPE).iter().nth(1).is_some() {
        unclear = unclear.or(Some("it has two media types"));
    }
    let bounds_told = || media_type.to_ascii_lowercase().matches("boundary=").nth(1).is_some();
    if media_type.len() > "multipart/".len() && media_type.as_bytes()[0] | 0x20 == b'm' && bounds_told() {
        unclear = unclear.or(Some("it has two boundaries"));
    }
    let (first, second) = sniff_both(body, media_type);
    let mut unread = !body.trim_ascii().is_empty();
    // Last, where nothing could read the body: which action it would be by all but its body.
    let wires = std::iter::once(first).chain(second.map(Some)).chain([None]);
    for (turn, wire) in wires.enumerate() {
        let last = turn == 1 + usize::from(second.is_some());
        if last && (!unread || over.is_some()) {
            break;
        }
        let parsed = match wire.map(|wire| document(body, wire, media_type, bounds)).transpose() {
            Ok(parsed) => parsed,
            Err(cause) => {
                over = over.or(cause.is_limit().then(|| cause.to_string()));
                None
            }
        };
        unread &= parsed.is_none();
        let reader = Reader { spelling: &spelling, body: parsed.as_ref(), unread: last };
        let found = match recognise::best(set, scope, &reader) {
            Recognised::Action(found) => found,
            Recognised::Nothing => continue,
            Recognised::Either(one, other) => {
                told = told.or(Some(Unknown::Either(one.name.clone(), other.name.clone())));
                continue;
            }
        };
        let (profile, action) = set.get(found.at);
        // The action may know its wire better than the first byte does.
        let own = own_document(action, body, media_type, wire.map(|wire| (wire, parsed.is_some())), bounds);
        let reader = match &own {
            Own::Read(document) => Reader { body: Some(document), ..reader },
            Own::Query => Reader { body: None, ..reader },
            Own::AsParsed | Own::Unreadable => reader,
        };
        let otherwise = (turn > 0 && !last) || (second.is_some() && action.wire.is_none());
        let unclear = unclear
            .or(last.then_some(UNREADABLE))
            .or(action.opaque.then_some("its messages are not read"))
            .or(found.unclear)
            .or(otherwise.then_some("its media type is not what its first byte says"))
            .or(twice((profile, action), reader.body.or(parsed.as_ref()), &spelling, action.wire.or(wire)))
            .or(any_case(profile, &reader).then_some(TWICE))
            .or(operation::doubt(action, reader.body, spelling.query.as_ref()))
            .or(lines_shift(action, body).then_some("an empty line stands in it"));
        let unreadable = matches!(own, Own::Unreadable);
        let mut request = build(&Arc::clone(profile), &found, &reader, unreadable, unclear);
        if let Some(rule) = &action.items.subrequest {
            let inner = Inner { set, bounds, rule };
            if request.unclear.is_none() {
                request.unclear = inner.doubt(&reader, &request).map(Cow::Borrowed);
            }
        }
        return Ok(request);
    }
    Err(told.or(over.map(Unknown::OverLimit)).unwrap_or(Unknown::Nobodys))
}

const UNREADABLE: Reason = "it cannot be read";
const TWICE: Reason = "a name stands in it twice";
const ODDLY: Reason = "its parameters are numbered or repeated as only some readers take them";

/// Whether something is said twice that readers take once, or a list is numbered as only some readers take it.
fn twice(
    (profile, action): (&Profile, &Action),
    body: Option<&Document<'_>>,
    spelling: &Spelling<'_>,
    wire: Option<Wire>,
) -> Option<Reason> {
    let plain = wire.is_none_or(|wire| matches!(wire, Wire::Json | Wire::Form | Wire::Ndjson));
    let documents = || body.filter(|_| plain).into_iter().chain(&spelling.query);
    let once = |name: &str| {
        let is_dry_run = || profile.vendor.dry_run.iter().any(|mark| mark.is_named(name));
        action.reads_one(name) || (!profile.vendor.repeats && action.reads_list(name)) || is_dry_run()
    };
    let from_one = profile.vendor.from_one;
    if wire == Some(Wire::Xml) && body.is_some_and(|body| id_twice(action, body)) {
        return Some(TWICE);
    }
    let oddly = documents().any(|document| document.is_written_oddly(from_one)).then_some(ODDLY);
    oddly.or_else(|| documents().any(|document| document.repeats(once)).then_some(TWICE))
}

/// Whether an element has its id twice, of which readers take one.
fn id_twice(action: &Action, body: &Document<'_>) -> bool {
    action.items.lists.iter().any(|(list, id)| {
        let names = || {
            id.iter().filter_map(|place| match place {
                RequestPlace::Document(pointer) => pointer.name(),
                _ => None,
            })
        };
        let again = |element: Value<'_>| {
            names().any(|name| element.members().filter(|(key, _)| key.is(name)).nth(1).is_some())
        };
        list.visit(body.root(), &mut |node| again(node) || node.elements().any(again))
    })
}

/// Whether an empty line stands among lines that belong to the one before them: some readers count it.
fn lines_shift(action: &Action, body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let empty = |at: usize| {
        let rest = &body[at + 1..];
        rest.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) == Some(&b'\n')
    };
    !action.items.lines_after.is_empty() && memchr::memchr_iter(b'\n', body).any(empty)
}

/// Whether a vendor that reads names in any case finds one twice.
fn any_case(profile: &Profile, reader: &Reader<'_>) -> bool {
    profile.vendor.any_case && reader.documents().any(Document::repeats_loosely)
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
    body: &'b [u8],
    media_type: &str,
    // The wire that the first byte and the media type told, and whether the body could be read as that.
    sniffed: Option<(Wire, bool)>,
    bounds: Bounds,
) -> Own<'b> {
    if action.from_query || action.opaque || body.trim_ascii().is_empty() {
        return Own::Query;
    }
    match (action.wire, sniffed) {
        (Some(wire), sniffed) if sniffed.is_none_or(|(as_wire, _)| as_wire != wire) => {
            document(body, wire, media_type, bounds).map_or(Own::Unreadable, Own::Read)
        }
        // Read as that already, for recognition.
        (_, Some((_, true))) => Own::AsParsed,
        _ => Own::Unreadable,
    }
}

fn document<'b>(
    body: &'b [u8],
    wire: Wire,
    media_type: &str,
    bounds: Bounds,
) -> Result<Document<'b>, DecodeError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match wire {
        Wire::Form => read_parameters(body, media_type, bounds),
        _ => read(body, wire, media_type, bounds, false).map(|(document, _)| document),
    }
}

fn build(
    profile: &Arc<Profile>,
    found: &Match<'_>,
    reader: &Reader<'_>,
    unreadable: bool,
    unclear: Option<Reason>,
) -> Request {
    let at = found.at.1;
    let action = &profile.actions[at];
    let whom = items::asked(profile, action, found, reader);
    let (asked, selects) = (whom.asked, whom.selects);
    let body_unread = unreadable;
    let unclear = unclear.or((unreadable && action_asks(action)).then_some(UNREADABLE));
    let unreadable = unreadable && asked.is_empty() && action_asks(action);
    let kept =
        profile.kept.iter().map(|place| reader.text(place, Some(found)).map(Cow::into_owned)).collect();
    let service = service(action, found).map(str::to_owned);
    let known = |mark: &&DryRun| mark.is_known_to(service.as_deref(), &action.name);
    let (mut dry, mut wet) = (false, false);
    for mark in profile.vendor.dry_run.iter().filter(known) {
        for place in &mark.at {
            reader.each_text(place, &mut |text| {
                let says = mark.equals.contains(&text.to_lowercase());
                (dry, wet) = (dry || says, wet || !says);
                false
            });
        }
    }
    let unclear =
        unclear.or(whom.unclear).or((dry && wet).then_some("it says twice whether it is a dry run"));
    // Only where nobody could read that it is none.
    let dry_run = dry && unclear.is_none() && !body_unread;
    let monitor = action.monitor.as_ref().map(|template| filled(template, &found.path));
    Request {
        region: reader
            .first(&profile.vendor.region, found)
            .map(Cow::into_owned)
            .or_else(|| found.capture("region").map(str::to_owned)),
        task: reader.first(&action.task, found).map(Cow::into_owned),
        unclear: unclear.map(|reason| items::told(reason, action, reader)),
        unreadable,
        selects,
        profile: Arc::clone(profile),
        action: at,
        asked,
        kept,
        service,
        dry_run,
        monitor,
    }
}

/// A template with the captures filled in, once: what stands in a value is never taken for a name. `{task}` stays, for a reply to
/// fill.
fn filled(template: &str, captures: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let capture = after
            .split_once('}')
            .and_then(|(name, after)| Some((captures.iter().find(|(own, _)| *own == name)?.1, after)));
        rest = match capture {
            Some((value, after)) => {
                out.push_str(&value.replace('{', "%7B").replace('}', "%7D"));
                after
            }
            None => {
                out.push('{');
                after
            }
        };
    }
    out + rest
}

/// Whether an action reads from the request's document whom it is about.
fn action_asks(action: &Action) -> bool {
    let in_document =
        |place: &RequestPlace| matches!(place, RequestPlace::Document(_) | RequestPlace::Root(_));
    let rules = &action.items;
    !rules.lists.is_empty() || rules.filters.iter().chain(&rules.all).any(in_document)
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

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn a_template_is_filled_once() {
        let captures = [("project", "{task}{id}"), ("id", "7")];
        assert_eq!(
            filled("/v1/{project}/jobs/{task}?of={id}", &captures),
            "/v1/%7Btask%7D%7Bid%7D/jobs/{task}?of=7"
        );
        assert_eq!(filled("/jobs/{task}", &[]), "/jobs/{task}");
    }
}
