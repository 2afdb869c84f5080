//! Which asked item an entry is about.

use super::found::Found;
use super::identity::{bare_ids, is_tail, names, own_ids};
use super::index::last_segment;
use super::ledger::Ledger;
use super::scope::{Scope, texts};
use crate::decode::{Kind, Value, path_of};
use crate::profile::place::Place;
use crate::profile::reply::{EntryRule, Join};

/// An entry's target: an asked item (with the entry's id, where the item has none), or something nobody asked for.
pub(super) enum Hit<'a> {
    Asked(u32, Option<Found<'a>>),
    Unasked(Option<Found<'a>>),
}

/// How an entry was tied to its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Id,
    Suffix,
    Key,
    Echo,
    Index,
    Range,
    Position,
    Group,
    Nobody,
}

impl How {
    /// For people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Id => "by id",
            Self::Suffix => "by the id's last segment",
            Self::Key => "by key",
            Self::Echo => "by echo",
            Self::Index => "by index",
            Self::Range => "by range",
            Self::Position => "by position, since the counts agree",
            Self::Group => "for its group as a whole",
            Self::Nobody => "named by the vendor, asked by nobody",
        }
    }

    /// Whether it is a place and no name: two entries at one place may speak of two items.
    pub(super) fn is_place(self) -> bool {
        matches!(self, Self::Index | Self::Position)
    }
}

type Give<'f, 'a> = dyn FnMut(&mut Ledger<'a>, Hit<'a>, How) + 'f;

/// Calls `found` for each item the entry is about: one, except for lists of ids or indexes.
pub(super) fn resolve<'a>(
    rule: &EntryRule,
    scope: &Scope<'a>,
    ledger: &mut Ledger<'a>,
    found: &mut Give<'_, 'a>,
) {
    if rule.joins_by_one_id() {
        return by_own_id(rule, scope, ledger, found);
    }
    if rule.fans_out && by_many_ids(rule, scope, ledger, found) {
        return;
    }
    let ids = own_ids(rule, scope, ledger);
    let mut placed = false;
    for join in &rule.join {
        match join {
            Join::Index => {
                let (items, stated) = at_indexes(rule, scope, ledger);
                // Out of range, or no number: it names somebody, if nobody that was asked.
                placed |= stated;
                if !items.is_empty() {
                    for item in items {
                        found(ledger, Hit::Asked(item, ids.first().cloned()), How::Index);
                    }
                    return;
                }
            }
            Join::Range => return range(rule, scope, ledger, found),
            Join::Position => {
                if let Some(item) = own_position(scope, ledger)
                    && may_be(rule, scope, ledger, item, &ids)
                {
                    return found(ledger, Hit::Asked(item, ids.first().cloned()), How::Position);
                }
            }
            Join::Id => {
                if let Some(item) = ids.iter().find_map(|id| by_id(rule, ledger, id)) {
                    return found(ledger, Hit::Asked(item, None), How::Id);
                }
            }
            Join::Suffix => {
                if let Some(item) =
                    ids.iter().find_map(|id| by_id(rule, ledger, id).or_else(|| by_suffix(ledger, id)))
                {
                    return found(ledger, Hit::Asked(item, None), How::Suffix);
                }
            }
            Join::Key | Join::ContentId => {
                if let Some(item) = by_key(rule, scope, ledger, *join == Join::ContentId) {
                    return found(ledger, Hit::Asked(item, ids.first().cloned()), How::Key);
                }
            }
            Join::Group => {
                if group(rule, scope, ledger, &ids, found) {
                    return;
                }
                // It stands at a place of its own, if at nobody's.
                placed = true;
            }
            Join::Echo => {
                let parent = scope.text(&rule.parent);
                let parent = parent.as_ref().map(|parent| parent.decode());
                if let Some(item) = scope.here.and_then(|entry| by_echo(ledger, entry, parent.as_deref())) {
                    return found(ledger, Hit::Asked(item, None), How::Echo);
                }
                // It shows what it is about, if nothing that was asked.
                placed = true;
            }
        }
    }
    // A key says whom it means, if only to say that nobody asked for it.
    let keyed =
        rule.join.iter().any(|join| matches!(join, Join::Key | Join::ContentId)) && has_key(rule, scope);
    fallback(scope, ledger, ids.into_iter().next(), keyed || placed, found);
}

/// The items of all ids that the first place gives which gives any: a sub-job's server, else its list of volumes. False where
/// none does.
fn by_many_ids<'a>(
    rule: &EntryRule,
    scope: &Scope<'a>,
    ledger: &mut Ledger<'a>,
    found: &mut Give<'_, 'a>,
) -> bool {
    for place in &rule.id {
        let mut ids = Vec::new();
        texts(std::slice::from_ref(place), scope, &mut |id| ids.push(id));
        if ids.is_empty() {
            continue;
        }
        // What is no text among them is somebody's all the same.
        if scope.holds_more_than_texts(place) {
            found(ledger, Hit::Unasked(None), How::Nobody);
        }
        for id in ids {
            let hit = match by_id(rule, ledger, &id) {
                Some(item) => Hit::Asked(item, None),
                None => Hit::Unasked(Some(id)),
            };
            found(ledger, hit, How::Id);
        }
        return true;
    }
    false
}

/// The items at the indexes that the entry states, and whether it states any.
fn at_indexes(rule: &EntryRule, scope: &Scope<'_>, ledger: &Ledger<'_>) -> (Vec<u32>, bool) {
    let mut indexes = Vec::new();
    texts(&rule.index, scope, &mut |text| indexes.extend(leading_number(&text.decode())));
    let stated = rule.index.iter().any(|place| scope.exists(place, true));
    if indexes.is_empty() && !stated {
        indexes.extend(rule.index_default);
    }
    let positions = indexes.into_iter().filter_map(|index| index.checked_sub(rule.index_base));
    (positions.filter_map(|position| item_at(ledger, position as usize)).collect(), stated)
}

/// Whether the entry at an item's position can be that item's: it names nothing, or nothing but that item.
fn may_be(rule: &EntryRule, scope: &Scope<'_>, ledger: &Ledger<'_>, item: u32, ids: &[Found<'_>]) -> bool {
    let asked = ledger.asked();
    if has_key(rule, scope) && asked.key(item as usize).is_some() {
        return by_key(rule, scope, ledger, rule.join.contains(&Join::ContentId)) == Some(item);
    }
    let Some(own) = asked.id(item as usize) else { return true };
    if ids.is_empty() || ids.iter().any(|id| names(rule, &id.decode(), own)) {
        return true;
    }
    // The vendor may call the parent otherwise (an index behind an alias); at its own place the id says enough.
    let own = asked
        .parent(item as usize)
        .and_then(|parent| own.strip_prefix(parent)?.strip_prefix('/'))
        .unwrap_or(own);
    !rule.parent.is_empty() && bare_ids(rule, scope).iter().any(|id| names(rule, &id.decode(), own))
}

/// The usual case, without allocating: one id, looked up.
fn by_own_id<'a>(rule: &EntryRule, scope: &Scope<'a>, ledger: &mut Ledger<'a>, found: &mut Give<'_, 'a>) {
    let mut first = None;
    for place in &rule.id {
        let Some(id) = scope.text_at(place) else { continue };
        if let Some(item) = by_id(rule, ledger, &id) {
            return found(ledger, Hit::Asked(item, None), How::Id);
        }
        first = first.or(Some(id));
    }
    fallback(scope, ledger, first, false, found);
}

/// No join said whom the entry is about: position, where that cannot be wrong, else nobody's.
fn fallback<'a>(
    scope: &Scope<'a>,
    ledger: &mut Ledger<'a>,
    id: Option<Found<'a>>,
    keyed: bool,
    found: &mut Give<'_, 'a>,
) {
    if !keyed
        && (id.is_none() || ledger.asked().nameless())
        && let Some(item) = place_in_list(scope, ledger)
    {
        return found(ledger, Hit::Asked(item, id), How::Position);
    }
    found(ledger, Hit::Unasked(id), How::Nobody);
}

/// Whether the entry holds a correlation key.
fn has_key(rule: &EntryRule, scope: &Scope<'_>) -> bool {
    scope.text(&rule.key).is_some() || (rule.join.contains(&Join::ContentId) && scope.content_id().is_some())
}

/// The item at the entry's position, where entries and asked items agree in number: all entries of the list, or those
/// that the rule's `where` leaves. Creations by count are alike, so fewer entries fill the first places.
fn own_position(scope: &Scope<'_>, ledger: &Ledger<'_>) -> Option<u32> {
    let asked = ledger.asked();
    if let Some(item) = place_in_list(scope, ledger) {
        return Some(item);
    }
    let (siblings, _) = scope.counts();
    if siblings == asked.listed() || (asked.interchangeable() && siblings < asked.listed()) {
        return item_at(ledger, scope.position);
    }
    None
}

/// The same where the whole list has the length of the request's, or all entries are of one kind: what a `where` leaves of
/// a list may have that length by chance.
fn place_in_list(scope: &Scope<'_>, ledger: &Ledger<'_>) -> Option<u32> {
    let asked = ledger.asked();
    let (siblings, listed) = scope.counts();
    // What a `where` tells apart may stand in several lists, or be read by several rules.
    if scope.rule.is_some_and(|rule| !rule.filter.is_trivial() && rule.each.len() > 1) {
        return None;
    }
    let places = listed == asked.listed() || (asked.interchangeable() && siblings <= asked.listed());
    let at = if listed == asked.listed() { scope.listed_at } else { scope.position };
    places.then(|| item_at(ledger, at)).flatten()
}

fn range<'a>(rule: &EntryRule, scope: &Scope<'a>, ledger: &mut Ledger<'a>, found: &mut Give<'_, 'a>) {
    let (from, until) = (scope.number(&rule.from), scope.number(&rule.until));
    if from.is_none() && until.is_none() {
        // Bounds that cannot be read are somebody's.
        let states = |places: &[Place]| places.iter().any(|place| scope.exists(place, false));
        if states(&rule.from) || states(&rule.until) {
            found(ledger, Hit::Unasked(None), How::Nobody);
        }
        return;
    }
    let listed = ledger.asked().listed() as u64;
    let until = until.unwrap_or(listed).min(listed) as usize;
    let mut position = from.unwrap_or(0).min(listed) as usize;
    while let Some(silent) = ledger.next_silent(position).filter(|silent| *silent < until) {
        if let Some(item) = item_at(ledger, silent) {
            found(ledger, Hit::Asked(item, None), How::Range);
        }
        position = silent + 1;
    }
}

/// The items of the group that the entry answers: the one at its place in it; all, where it speaks for the group.
fn group<'a>(
    rule: &EntryRule,
    scope: &Scope<'a>,
    ledger: &mut Ledger<'a>,
    ids: &[Found<'a>],
    found: &mut Give<'_, 'a>,
) -> bool {
    let Some((group, at, len)) = scope.group else { return false };
    let items = ledger.asked().group(group);
    if let (0 | 1, [_, _, ..]) = (len, items.as_slice()) {
        for item in items {
            found(ledger, Hit::Asked(item, ids.first().cloned()), How::Group);
        }
        return true;
    }
    let item = if len.max(1) == items.len() { items.get(at).copied() } else { None };
    let Some(item) = item.filter(|item| may_be(rule, scope, ledger, *item, ids)) else { return false };
    found(ledger, Hit::Asked(item, ids.first().cloned()), How::Position);
    true
}

fn item_at(ledger: &Ledger<'_>, position: usize) -> Option<u32> {
    ledger.asked().at_position(position).map(|item| item as u32)
}

/// The asked item with this id: exactly, percent-decoded where the rule says so, or as the tail of an ARN or URL.
fn by_id(rule: &EntryRule, ledger: &mut Ledger<'_>, id: &Found<'_>) -> Option<u32> {
    let text = id.decode();
    if let Some(item) = ledger.find(&text) {
        return Some(item);
    }
    if rule.percent {
        let decoded = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
        // A URL where a path was asked is that path.
        let path = path_of(&decoded);
        let found = ledger.find(&decoded).or_else(|| ledger.find(path));
        return found.or_else(|| ledger.by_decoded(&decoded)).or_else(|| ledger.by_decoded(path));
    }
    let is_name =
        ["arn:", "acs:", "qcs:", "crn:", "urn:", "http://", "https://"].iter().any(|p| text.starts_with(p));
    is_name.then(|| ledger.find(last_segment(&text))).flatten()
}

/// One id is the tail of the other.
fn by_suffix(ledger: &mut Ledger<'_>, id: &Found<'_>) -> Option<u32> {
    let text = id.decode();
    let text = path_of(&text);
    if let Some(item) = ledger.find(last_segment(text)).or_else(|| ledger.find(text)) {
        return Some(item);
    }
    ledger.by_tail(text, |id| is_tail(text, id) || is_tail(id, text))
}

fn by_key(rule: &EntryRule, scope: &Scope<'_>, ledger: &Ledger<'_>, content_id: bool) -> Option<u32> {
    let mut hit = None;
    let mut keys = Vec::new();
    if content_id {
        keys.extend(scope.content_id().map(|s| s.decode().into_owned()));
    }
    texts(&rule.key, scope, &mut |text| keys.push(text.decode().into_owned()));
    for key in keys {
        let bare = key.trim_matches(['<', '>']);
        let bare = if content_id { bare.strip_prefix("response-").unwrap_or(bare) } else { bare };
        let asked = ledger.asked();
        hit = hit.or_else(|| asked.by_key(&key));
        // As for ids: a URL where a path was asked is that path.
        if rule.percent {
            hit = hit.or_else(|| asked.by_key(path_of(&key)));
        }
        if content_id {
            hit = hit.or_else(|| asked.by_key(bare)).or_else(|| asked.by_key(&format!("<{bare}>")));
        }
    }
    hit
}

/// The digits a text begins with, when they end it or a colon follows (`1:The specified entity …`).
/// In a pointer (`/operations/1/data`) it is the first step that is a number.
fn leading_number(text: &str) -> Option<u32> {
    if let Some(steps) = text.strip_prefix('/') {
        return steps.split('/').find_map(|step| step.parse().ok());
    }
    let digits = text.trim_start().split(':').next()?.trim();
    digits.parse().ok()
}

/// The first silent item whose asked element is contained in the entry.
fn by_echo(ledger: &mut Ledger<'_>, entry: Value<'_>, parent: Option<&str>) -> Option<u32> {
    let asked = ledger.asked();
    ledger.by_element(|item, element| {
        (parent.is_none() || asked.parent(item as usize) == parent) && contains(entry, element.root())
    })
}

/// Whether `whole` has every member and element of `part`, equal.
fn contains(whole: Value<'_>, part: Value<'_>) -> bool {
    match (whole.kind(), part.kind()) {
        (Kind::Object, Kind::Object) => part.members().all(|(key, value)| {
            whole
                .members()
                .any(|(other, candidate)| other.decode() == key.decode() && contains(candidate, value))
        }),
        (Kind::Array, Kind::Array) => {
            let (a, b): (Vec<_>, Vec<_>) = (whole.elements().collect(), part.elements().collect());
            a.len() == b.len() && a.into_iter().zip(b).all(|(x, y)| contains(x, y))
        }
        (Kind::String, Kind::String) => {
            whole.scalar().map(|s| s.decode()) == part.scalar().map(|s| s.decode())
        }
        (a, b) => a == b && whole.raw() == part.raw(),
    }
}
