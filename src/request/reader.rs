//! A request's places evaluated, and what its patterns captured.

use std::borrow::Cow;

use super::operation::{mutates, url_mutates};
use super::spelling::{Reason, Spelling};
use crate::decode::{Document, Pointer, Value};
use crate::profile::{ActionRef, Captures, RequestPlace};

/// A recognised action and what its patterns captured.
#[derive(Debug)]
pub(super) struct Match<'m> {
    pub(super) at: ActionRef,
    pub(super) path: Vec<(&'m str, &'m str)>,
    pub(super) host: Captures,
    /// Why it may be another action.
    pub(super) unclear: Option<Reason>,
}

impl Match<'_> {
    /// A capture of the vendor's host.
    pub(super) fn capture(&self, name: &str) -> Option<&str> {
        self.host.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// A request's places evaluated.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r> {
    pub(super) spelling: &'r Spelling<'r>,
    pub(super) body: Option<&'r Document<'r>>,
    /// There is a body that nothing could read.
    pub(super) unread: bool,
}

impl<'r> Reader<'r> {
    /// What parameters stand in: the body, and the query string, which RPC styles read together with it.
    pub(super) fn documents(&self) -> impl Iterator<Item = &'r Document<'r>> + use<'r> {
        let beside = self.body.is_none_or(Document::is_parameters);
        self.body.into_iter().chain(self.spelling.query.as_ref().filter(|_| beside))
    }

    pub(super) fn text<'s>(&self, place: &RequestPlace, found: Option<&'s Match<'_>>) -> Option<Cow<'s, str>>
    where
        'r: 's,
    {
        let scalar = |value: Value<'r>| {
            value.scalar().map(|s| s.decode()).or_else(|| (!value.is_empty()).then(|| value.json()))
        };
        let first = |document: &'r Document<'r>, pointer: &Pointer| scalar(pointer.first(document.root())?);
        let head = self.spelling.head;
        let text = match place {
            RequestPlace::Document(pointer) | RequestPlace::Root(pointer) => {
                self.documents().find_map(|document| first(document, pointer))
            }
            RequestPlace::Query(pointer) => first(self.spelling.query.as_ref()?, pointer),
            RequestPlace::Header(name) => {
                head.headers.get(name).and_then(|v| v.to_str().ok()).map(Cow::Borrowed)
            }
            RequestPlace::Path(None) => Some(Cow::Borrowed(head.path)),
            RequestPlace::Path(Some(name)) => {
                found?.path.iter().find(|(own, _)| *own == &**name).map(|(_, value)| Cow::Borrowed(*value))
            }
            RequestPlace::Host(name) => found?.capture(name).map(Cow::Borrowed),
            RequestPlace::Operation(pointer) => {
                let url = self.spelling.query.as_ref();
                let name = url.and_then(|query| query.root().get("operationName")?.scalar());
                let name = name.map(|name| name.decode());
                let by_body = |body: &Document<'_>| {
                    pointer.visit(body.root(), &mut |request| mutates(request, name.as_deref()))
                };
                let by_url = || pointer.is_self() && url.is_some_and(url_mutates);
                let mutates = self.body.is_some_and(by_body) || by_url();
                mutates.then_some(Cow::Borrowed("mutation"))
            }
            RequestPlace::Key | RequestPlace::Fields(_) => None,
        };
        text.filter(|text| !text.is_empty())
    }

    /// Every text at a place, empty ones too: a parameter, member or header may stand twice, and nobody knows which of them
    /// counts. Until `found` has enough.
    pub(super) fn each_text(
        &self,
        place: &RequestPlace,
        found: &mut impl FnMut(Cow<'r, str>) -> bool,
    ) -> bool {
        let mut visit = |document: &'r Document<'r>, pointer: &Pointer| {
            pointer
                .visit(document.root(), &mut |value| value.scalar().is_some_and(|text| found(text.decode())))
        };
        match place {
            RequestPlace::Document(pointer) | RequestPlace::Root(pointer) => {
                self.documents().any(|document| visit(document, pointer))
            }
            RequestPlace::Query(pointer) => {
                self.spelling.query.as_ref().is_some_and(|query| visit(query, pointer))
            }
            RequestPlace::Header(name) => {
                let texts = self.spelling.head.headers.get_all(name).iter();
                texts.filter_map(|value| value.to_str().ok()).any(|text| found(text.into()))
            }
            other => self.text(other, None).is_some_and(found),
        }
    }

    pub(super) fn first<'s>(&self, places: &[RequestPlace], found: &'s Match<'_>) -> Option<Cow<'s, str>>
    where
        'r: 's,
    {
        places.iter().find_map(|place| self.text(place, Some(found)))
    }
}
