//! A request's places evaluated, and what its patterns captured.

use std::borrow::Cow;

use super::head::Head;
use crate::decode::{Document, Pointer};
use crate::profile::{ActionRef, Captures, RequestPlace};

/// A recognised action and what its patterns captured.
#[derive(Debug)]
pub(super) struct Match<'m> {
    pub(super) at: ActionRef,
    pub(super) path: Vec<(&'m str, &'m str)>,
    pub(super) host: Captures,
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
    pub(super) head: &'r Head<'r>,
    pub(super) query: Option<&'r Document<'r>>,
    pub(super) body: Option<&'r Document<'r>>,
}

impl<'r> Reader<'r> {
    pub(super) fn text<'s>(&self, place: &RequestPlace, found: Option<&'s Match<'_>>) -> Option<Cow<'s, str>>
    where
        'r: 's,
    {
        let scalar = |document: Option<&'r Document<'r>>, pointer: &Pointer| {
            let value = pointer.first(document?.root())?;
            value.scalar().map(|s| s.decode()).or_else(|| (!value.is_empty()).then(|| value.json()))
        };
        let text = match place {
            RequestPlace::Document(pointer) => scalar(self.body.or(self.query), pointer),
            RequestPlace::Query(pointer) => scalar(self.query, pointer),
            RequestPlace::Header(name) => {
                self.head.headers.get(name).and_then(|v| v.to_str().ok()).map(Cow::Borrowed)
            }
            RequestPlace::Path(None) => Some(Cow::Borrowed(self.head.path)),
            RequestPlace::Path(Some(name)) => {
                found?.path.iter().find(|(own, _)| *own == &**name).map(|(_, value)| Cow::Borrowed(*value))
            }
            RequestPlace::Host(name) => found?.capture(name).map(Cow::Borrowed),
            RequestPlace::Key | RequestPlace::Fields(_) => None,
        };
        text.filter(|text| !text.is_empty())
    }

    pub(super) fn first<'s>(&self, places: &[RequestPlace], found: &'s Match<'_>) -> Option<Cow<'s, str>>
    where
        'r: 's,
    {
        places.iter().find_map(|place| self.text(place, Some(found)))
    }
}
