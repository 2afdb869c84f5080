//! Which ids an entry states, each with all that belongs to its identity, and when two of them are one.

use super::found::Found;
use super::ledger::Ledger;
use super::scope::{Scope, texts};
use crate::decode::path_of;
use crate::profile::reply::EntryRule;
use crate::request::same_id;

/// The entry's ids, best first, each with all that belongs to the identity.
pub(super) fn own_ids<'a>(rule: &EntryRule, scope: &Scope<'a>, ledger: &Ledger<'_>) -> Vec<Found<'a>> {
    let ids = bare_ids(rule, scope);
    if rule.parent.is_empty() && rule.version.is_empty() && rule.port.is_empty() {
        return ids;
    }
    let text = |places| scope.text(places).map(|found| found.decode().into_owned());
    let (parent, version, port) = (text(&rule.parent), text(&rule.version), text(&rule.port));
    let asked = ledger.asked();
    let whole = |id: Found<'a>| {
        let mut whole = id.decode().into_owned();
        if let Some(port) = &port {
            whole = format!("{whole}:{port}");
        }
        if let Some(version) = &version {
            // Where ids do not show it, it must be the one that was asked all the same.
            let own = asked.by_id(&whole).and_then(|item| asked.version(item as usize));
            if asked.has_several_versions() || own != Some(version.as_str()) {
                whole = format!("{whole}/{version}");
            }
        }
        match &parent {
            Some(parent) if asked.has_several_parents() || asked.scope().is_some_and(|own| own != parent) => {
                Found::Made(format!("{parent}/{whole}"))
            }
            _ => Found::Made(whole),
        }
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
