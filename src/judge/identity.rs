//! Which ids an entry states, each with all that belongs to its identity, and when two of them are one.

use super::found::Found;
use super::ledger::Ledger;
use super::scope::{Scope, texts};
use crate::decode::path_of;
use crate::profile::reply::EntryRule;
use crate::request::{same_id, whole_id};

/// The entry's ids, best first, each with all that belongs to the identity.
pub(super) fn own_ids<'a>(rule: &EntryRule, scope: &Scope<'a>, ledger: &Ledger<'_>) -> Vec<Found<'a>> {
    let ids = bare_ids(rule, scope);
    if rule.parent.is_empty() && rule.version.is_empty() && rule.port.is_empty() {
        return ids;
    }
    let text = |places| scope.text(places).map(|found| found.decode().into_owned());
    let (parent, version, port) = (text(&rule.parent), text(&rule.version), text(&rule.port));
    let asked = ledger.asked();
    let parent = parent
        .as_deref()
        .filter(|parent| asked.has_several_parents() || asked.scope().is_some_and(|own| own != *parent));
    let whole = |id: Found<'a>| {
        let id = id.decode();
        let version = version.as_deref().filter(|version| {
            // Where ids do not show it, it must be the one that was asked all the same.
            let bare = whole_id(None, &id, port.as_deref(), None);
            let own = asked.by_id(&bare).and_then(|item| asked.version(item as usize));
            asked.has_several_versions() || own != Some(*version)
        });
        Found::Made(whole_id(parent, &id, port.as_deref(), version).into_owned())
    };
    ids.into_iter().map(whole).collect()
}

pub(super) fn bare_ids<'a>(rule: &EntryRule, scope: &Scope<'a>) -> Vec<Found<'a>> {
    if !rule.id_parts.is_empty() {
        let mut parts: Vec<String> = Vec::new();
        texts(&rule.id_parts, scope, &mut |text| parts.push(text.decode().into_owned()));
        if !parts.is_empty() {
            return vec![Found::Made(parts.join("/"))];
        }
    }
    rule.id.iter().filter_map(|place| scope.text_at(place)).collect()
}

/// Whether an id that an entry states is an asked one: exactly, or as the tail of the other, by segments.
pub(super) fn names(rule: &EntryRule, stated: &str, own: &str) -> bool {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    same_id(stated, own)
        || is_tail(path_of(stated), own)
        || is_tail(own, path_of(stated))
        || (rule.percent && decoded(stated) == decoded(own))
}

/// Whether a text ends with another one, and that one begins a segment.
pub(super) fn is_tail(whole: &str, tail: &str) -> bool {
    whole
        .strip_suffix(tail)
        .is_some_and(|head| head.is_empty() || tail.starts_with('/') || head.ends_with(['/', ':']))
}
