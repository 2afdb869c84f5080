//! Requests that are elements of a request: what one of them asks for may be more than one thing, or not said in it.

use http::{HeaderMap, Method};

use super::head::Head;
use super::reader::Reader;
use super::recognise::{self, Recognised, Scope};
use super::spelling::{Reason, Spelling};
use super::{Request, items};
use crate::decode::{Bounds, Kind, Pointer, Value, Wire, path_of, read};
use crate::envelope::Selects;
use crate::profile::{ProfileSet, Subrequest};

const BATCH: Reason = "one of its requests is a batch";
const REFERS: Reason = "one of its requests is about what another makes";

/// Looks into the elements of a batch of requests.
pub(super) struct Inner<'i> {
    pub(super) set: &'i ProfileSet,
    pub(super) bounds: Bounds,
    pub(super) rule: &'i Subrequest,
}

impl Inner<'_> {
    /// Why it is not certain that each element asks for the one thing it names.
    pub(super) fn doubt(&self, reader: &Reader<'_>, request: &Request) -> Option<Reason> {
        let items = &request.action().items;
        // A vendor's batch may hold its other batches, but no other vendor's.
        let scope = Scope { vendor: Some(&request.profile.vendor.name), profile: None };
        let mut doubt = None;
        let mut look = |element: Value<'_>| doubt = doubt.or_else(|| self.of(element, &scope, request));
        for document in reader.documents() {
            for (list, _) in &items.lists {
                list.visit(document.root(), &mut |node| {
                    for element in node.elements() {
                        let group = items.nested.as_ref().and_then(|nested| nested.first(element));
                        match group.filter(|group| group.kind() == Kind::Array) {
                            Some(group) => group.elements().for_each(&mut look),
                            None => look(element),
                        }
                    }
                    false
                });
            }
        }
        doubt
    }

    fn of(&self, element: Value<'_>, scope: &Scope<'_>, outer: &Request) -> Option<Reason> {
        let text = |places: &[Pointer]| {
            let found = places.iter().find_map(|place| place.first(element))?;
            found.scalar().map(|text| text.decode())
        };
        let target = text(&self.rule.target)?;
        if self.rule.refers.iter().any(|mark| refers(&target, mark, outer)) {
            return Some(REFERS);
        }
        let method: Method = text(&self.rule.method)?.trim().to_ascii_uppercase().parse().ok()?;
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let path = format!("/{}", path_of(&target).trim_start_matches('/'));
        let headers = HeaderMap::new();
        let head = Head { method: &method, host: None, path: &path, query, headers: &headers };
        let body = self.rule.body.iter().find_map(|place| place.first(element)).map(|body| body.json());
        let body =
            body.as_deref().and_then(|body| read(body.as_bytes(), Wire::Json, "", self.bounds, false).ok());
        let spelling = Spelling::of(&head, self.bounds);
        let reader =
            Reader { spelling: &spelling, body: body.as_ref().map(|(document, _)| document), unread: false };
        let Recognised::Action(found) = recognise::best(self.set, scope, &reader) else { return None };
        let (profile, action) = self.set.get(found.at);
        let whom = items::asked(profile, action, &found, &reader);
        let one = whom.asked.len() == 1 && matches!(whom.selects, Selects::Ids | Selects::Lookup);
        (!one && !action.lookup).then_some(BATCH)
    }
}

/// Whether a target names, after a mark, the key of another element: `$1/Orders`, `@{parent.id}`.
fn refers(target: &str, mark: &str, outer: &Request) -> bool {
    target.match_indices(mark).any(|(at, _)| {
        let rest = &target[at + mark.len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(rest.len());
        outer.asked.by_key(&rest[..end]).is_some()
    })
}
