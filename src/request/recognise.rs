//! Head and body → action. The most specific match wins; ties go to the first file by name.

use std::cmp::Reverse;

use http::Method;

use super::head::Head;
use super::reader::{Match, Reader};
use super::spelling::{Reason, Spelling};
use crate::decode::{Bounds, Document, Pointer};
use crate::profile::{
    Action, ActionRef, Captures, PathPattern, ProfileSet, RequestPlace, Vendor, VendorIndex,
};

/// Which profiles may match.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'s> {
    /// Only this vendor's.
    pub vendor: Option<&'s str>,
    /// Only this profile, by its full name.
    pub profile: Option<&'s str>,
}

/// Whether a request could be a known batch call, by its head alone. False means: pass it through untouched; [`super::view`]
/// would not recognise it, whatever its body is.
pub fn may_match(set: &ProfileSet, scope: &Scope<'_>, head: &Head<'_>, has_body: bool) -> bool {
    if is_never(head) {
        return false;
    }
    let spelling = Spelling::of(head, Bounds::default());
    let reader = Reader { spelling: &spelling, body: None, unread: false };
    vendors(set, scope).any(|vendor| {
        let Some(index) = set.index(&vendor.name) else { return false };
        let in_body = |place: &RequestPlace| {
            has_body && matches!(place, RequestPlace::Document(_) | RequestPlace::Operation(_))
        };
        let by_name = index.selectors.iter().any(|places| {
            places.iter().any(|place| {
                in_body(place) || reader.each_text(place, &mut |name| index.by_value.contains_key(&*name))
            })
        });
        by_name || by_path(index, &spelling).any(|at| fits_head(set.get(at).1, &spelling, has_body))
    })
}

/// A reply to HEAD has no body, so no verdict for each: it is no batch, whatever it names.
pub(super) fn is_never(head: &Head<'_>) -> bool {
    head.method == Method::HEAD
}

/// Actions without a name whose path may fit.
fn by_path<'s>(index: &'s VendorIndex, spelling: &'s Spelling<'_>) -> impl Iterator<Item = ActionRef> + 's {
    spelling.paths().flat_map(|(path, _)| index.by_path(path))
}

fn vendors<'m>(set: &'m ProfileSet, scope: &Scope<'_>) -> impl Iterator<Item = &'m std::sync::Arc<Vendor>> {
    let only = scope.vendor;
    set.vendors().iter().filter(move |vendor| only.is_none_or(|name| vendor.name == name))
}

fn fits_head(action: &Action, spelling: &Spelling<'_>, has_body: bool) -> bool {
    let head = spelling.head;
    spelling.is_by(&action.methods)
        && (action.paths.is_empty() || action.paths.iter().any(|path| spelling.fits(path)))
        && !action.except.iter().any(|path| spelling.fits(path))
        && action.header.iter().all(|(name, texts)| {
            let mut values = head.headers.get_all(name).iter();
            values.any(|value| value.to_str().is_ok_and(|value| allowed(texts, value)))
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

/// An action that fits, how well, and what may make it another.
struct Candidate {
    rank: Rank,
    host: Option<Captures>,
    unclear: Option<Reason>,
}

/// What recognition came to.
pub(super) enum Recognised<'m> {
    Nothing,
    /// Two vendors' calls are spelled like this, and the host is neither's.
    Either(&'m Vendor, &'m Vendor),
    Action(Match<'m>),
}

/// The most specific action that fits head and body.
pub(super) fn best<'m>(set: &'m ProfileSet, scope: &Scope<'_>, reader: &Reader<'m>) -> Recognised<'m> {
    let mut best: Option<(&'m Vendor, Candidate)> = None;
    let mut rival: Option<&'m Vendor> = None;
    // A protocol that many speak has no host of its own, and is nobody's rival.
    let protocol = |vendor: &Vendor| vendor.generic || vendor.hosts.is_empty();
    for vendor in vendors(set, scope) {
        let Some(found) = best_of(set, scope, vendor, reader) else { continue };
        let Some((known, other)) = &best else {
            best = Some((vendor, found));
            continue;
        };
        // Whose host it is, it is; then how well it fits.
        let better = (found.host.is_some(), found.rank) > (other.host.is_some(), other.rank);
        let apart = found.host.is_some() != other.host.is_some() || protocol(vendor) || protocol(known);
        if !apart {
            rival = Some(if better { *known } else { vendor });
        }
        if better {
            best = Some((vendor, found));
        }
    }
    let Some((vendor, Candidate { rank: (_, Reverse(at)), host, unclear })) = best else {
        return Recognised::Nothing;
    };
    if let Some(rival) = rival.filter(|_| host.is_none() && !protocol(vendor)) {
        return Recognised::Either(vendor, rival);
    }
    let spelling = reader.spelling;
    let (path, other) =
        set.get(at).1.paths.iter().find_map(|path| spelling.captures(path)).unwrap_or_default();
    Recognised::Action(Match { at, path, host: host.unwrap_or_default(), unclear: unclear.or(other) })
}

/// Most names of actions in one request that are looked up.
const MOST_NAMES: usize = 16;

/// The most specific action of one vendor.
fn best_of(set: &ProfileSet, scope: &Scope<'_>, vendor: &Vendor, reader: &Reader<'_>) -> Option<Candidate> {
    let spelling = reader.spelling;
    let index = set.index(&vendor.name)?;
    let mut host = None;
    let mut best: Option<(Rank, Option<Reason>)> = None;
    let mut consider = |at: ActionRef, unclear: Option<Reason>| {
        let (profile, action) = set.get(at);
        if scope.profile.is_some_and(|only| profile.name != only)
            || !fits_head(action, spelling, reader.body.is_some() || reader.unread)
        {
            return;
        }
        // Looked at when it is first of use: most requests fit no action at all.
        let host = host.get_or_insert_with(|| vendor.host(spelling.head.host?));
        let Some(score) = fits(scope, action, host.as_ref(), vendor.generic, reader) else { return };
        let rank = (score, Reverse(at));
        match &mut best {
            Some((known, doubt)) if *known > rank => *doubt = doubt.or(rivalry(set, *known, rank)),
            known => {
                let rival = known.as_ref().and_then(|(known, _)| rivalry(set, rank, *known));
                *known = Some((rank, unclear.or(rival)));
            }
        }
    };
    for (number, places) in index.selectors.iter().enumerate() {
        let mut names = None;
        for place in places {
            reader.each_text(place, &mut |name| {
                match &mut names {
                    _ if name.is_empty() => {}
                    None => names = Some((name, Vec::new())),
                    Some((first, others)) if *first != name && others.len() < MOST_NAMES => others.push(name),
                    Some(_) => {}
                }
                false
            });
        }
        let Some((first, others)) = names else { continue };
        let unclear = (!others.is_empty()).then_some("it names two actions");
        for name in std::iter::once(first).chain(others) {
            let named = index.by_value.get(&*name).into_iter().flatten();
            named.filter(|(selector, _)| *selector == number).for_each(|(_, at)| consider(*at, unclear));
        }
    }
    by_path(index, spelling).for_each(|at| consider(at, None));
    best.map(|(rank, unclear)| Candidate { rank, host: host.flatten(), unclear })
}

/// Whether only the order of files tells one action from another that reads the request otherwise.
fn rivalry(set: &ProfileSet, best: Rank, other: Rank) -> Option<Reason> {
    let (Reverse(at), Reverse(then)) = (best.1, other.1);
    let other_reading = || {
        let (mine, theirs) = (&set.get(at).1.items, &set.get(then).1.items);
        mine.lists != theirs.lists || mine.single != theirs.single
    };
    (best.0 == other.0 && at != then && other_reading()).then_some("two actions are spelled like this")
}

/// Literal bytes of a path that few other calls have: `/$batch` and longer.
const OWN_PATH: usize = 7;

/// An action that fits by its head and selector: whether the rest does, and how specific it is.
fn fits(
    scope: &Scope<'_>,
    action: &Action,
    host: Option<&Captures>,
    generic: bool,
    reader: &Reader<'_>,
) -> Option<Score> {
    let root = |document: Option<&Document<'_>>, rows: &[(Pointer, Vec<String>)]| {
        rows.iter().all(|(pointer, texts)| {
            document.is_some_and(|document| {
                // Where a name stands twice, either may count.
                pointer.visit(document.root(), &mut |value| {
                    allowed(texts, &value.scalar().map(|text| text.decode()).unwrap_or_default())
                })
            })
        })
    };
    if !root(reader.spelling.query.as_ref(), &action.query) {
        return None;
    }
    if reader.unread {
        // What its body would have to hold nobody can see: the path must be its own.
        let own = |path: &PathPattern| path.weight() >= OWN_PATH && reader.spelling.fits(path);
        if !action.needs_body() || !action.paths.iter().any(own) {
            return None;
        }
    } else if !root(reader.body, &action.body) {
        return None;
    }
    if !action.first_key.is_empty() && !reader.unread {
        // Mostly the first; but members have no order.
        let mut members = reader.body.into_iter().flat_map(|body| body.root().members());
        if !members.any(|(key, _)| action.first_key.iter().any(|name| key.is(name))) {
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
    let fitting = action.paths.iter().filter(|path| reader.spelling.fits(path));
    let weight = fitting.map(PathPattern::weight).max().unwrap_or(0);
    // "Any DELETE" is a fact about one vendor's API: without knowing the vendor it would catch everybody's.
    if scope.vendor.is_none() && scope.profile.is_none() && conditions == 0 && weight <= 1 {
        return None;
    }
    Some((same_service, conditions, weight, generic))
}
