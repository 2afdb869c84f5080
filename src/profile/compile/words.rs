//! Words and conditions that requests and replies share.

use super::Check;
use crate::decode::Wire;
use crate::profile::file::{ReplyWire, RequestWire, Texts, WhenFile};
use crate::profile::glob::Pattern;
use crate::profile::place::Place;
use crate::profile::reply::Words;
use crate::profile::when::When;

pub(super) fn lower(texts: &Texts) -> Vec<String> {
    texts.0.iter().map(|text| text.to_lowercase()).collect()
}

pub(super) fn words(texts: &Texts) -> Words {
    Words(texts.0.clone())
}

pub(super) fn request_wire(word: RequestWire) -> Option<Wire> {
    match word {
        RequestWire::Auto | RequestWire::Query | RequestWire::Grpc => None,
        RequestWire::Json => Some(Wire::Json),
        RequestWire::Xml => Some(Wire::Xml),
        RequestWire::Form => Some(Wire::Form),
        RequestWire::Multipart => Some(Wire::Multipart),
        RequestWire::Ndjson => Some(Wire::Ndjson),
        RequestWire::Lines => Some(Wire::Lines),
        RequestWire::Labelled => Some(Wire::Labelled),
    }
}

pub(super) fn reply_wire(word: ReplyWire) -> Option<Wire> {
    match word {
        ReplyWire::Auto => None,
        ReplyWire::Json => Some(Wire::Json),
        ReplyWire::Xml => Some(Wire::Xml),
        ReplyWire::Form => Some(Wire::Form),
        ReplyWire::Multipart => Some(Wire::Multipart),
        ReplyWire::Ndjson => Some(Wire::Ndjson),
        ReplyWire::Lines => Some(Wire::Lines),
        ReplyWire::Labelled => Some(Wire::Labelled),
    }
}

pub(super) fn when(check: &mut Check, file: &WhenFile) -> When {
    let mut equals = Vec::new();
    let request = file.request.iter().map(|(place, texts)| (format!("@request{}", slashed(place)), texts));
    for (place, texts) in file.equals.iter().map(|(p, t)| (p.clone(), t)).chain(request) {
        let patterns: Vec<Pattern> = texts.0.iter().map(|text| Pattern::new(text)).collect();
        for place in check.places("equals", &Texts(vec![place])) {
            equals.push((place, patterns.clone()));
        }
    }
    When {
        status: file.status.clone(),
        present: check.places("present", &file.present),
        missing: check.places("missing", &file.missing),
        stated: check.places("stated", &file.stated),
        empty: file.empty,
        equals,
        count: one_place(check, &file.count),
    }
}

fn one_place(check: &mut Check, texts: &Texts) -> Option<Place> {
    if texts.0.len() > 1 {
        check.key("count", "one number is compared: give one place, or write a second rule");
    }
    check.places("count", texts).into_iter().next()
}

/// `/Quiet` and `@query/x` as the tail of an `@request` place.
pub(super) fn slashed(place: &str) -> String {
    if place.starts_with('@') { format!("/{place}") } else { place.to_owned() }
}
