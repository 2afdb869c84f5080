//! Which elements of a request's list are asked: a `where`, held against one element.

use crate::decode::{Kind, Value};
use crate::profile::place::Place;
use crate::profile::when::When;

/// Whether an element fulfils the conditions that concern one element: present, missing, stated, equals.
pub(super) fn holds(filter: &When, element: Value<'_>) -> bool {
    let at = |place: &Place| match place {
        Place::Here(pointer) => pointer.first(element),
        _ => None,
    };
    let there = |place: &Place| at(place).is_some_and(|value| value.kind() != Kind::Null);
    filter.present.iter().all(there)
        && !filter.missing.iter().any(there)
        && filter.stated.iter().all(|place| at(place).is_some())
        && filter.equals.iter().all(|(place, texts)| {
            let text = at(place).and_then(|v| v.scalar()).map(|s| s.decode().into_owned());
            texts.iter().any(|pattern| pattern.fits(text.as_deref()))
        })
}
