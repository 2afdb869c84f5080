//! Words and conditions that requests and replies share.

use super::Check;
use crate::decode::Wire;
use crate::profile::file::{Texts, WhenFile};
use crate::profile::glob::Pattern;
use crate::profile::reply::Words;
use crate::profile::when::{Empty, StatusClass, When};

pub(super) fn lower(texts: &Texts) -> Vec<String> {
    texts.0.iter().map(|text| text.to_lowercase()).collect()
}

pub(super) fn words(texts: &Texts) -> Words {
    Words(texts.0.clone())
}

pub(super) fn wire_of(word: &str) -> Result<Wire, String> {
    match word {
        "json" => Ok(Wire::Json),
        "xml" => Ok(Wire::Xml),
        "form" => Ok(Wire::Form),
        "multipart" => Ok(Wire::Multipart),
        "ndjson" => Ok(Wire::Ndjson),
        "lines" => Ok(Wire::Lines),
        "labelled" => Ok(Wire::Labelled),
        _ => Err(format!("{word:?} is no wire format")),
    }
}

pub(super) fn when(check: &mut Check, file: &WhenFile) -> When {
    let status = status_classes(check, "status", &file.status);
    let empty = file.empty.as_ref().and_then(|word| {
        let found = match word.0.as_str() {
            "true" => Ok(Empty::Either),
            "false" => Ok(Empty::Neither),
            "bytes" => Ok(Empty::Bytes),
            "document" => Ok(Empty::Document),
            other => Err(format!("{other:?}: true, \"bytes\" or \"document\"")),
        };
        check.keep("empty", found)
    });
    let mut equals = Vec::new();
    let request = file.request.iter().map(|(place, texts)| (format!("@request{}", slashed(place)), texts));
    for (place, texts) in file.equals.iter().map(|(p, t)| (p.clone(), t)).chain(request) {
        let patterns: Vec<Pattern> = texts.0.iter().map(|text| Pattern::new(text)).collect();
        for place in check.places("equals", &Texts(vec![place])) {
            equals.push((place, patterns.clone()));
        }
    }
    When {
        status,
        present: check.places("present", &file.present),
        missing: check.places("missing", &file.missing),
        stated: check.places("stated", &file.stated),
        empty,
        equals,
        count: check.places("count", &file.count).into_iter().next(),
    }
}

/// `/Quiet` and `@query/x` as the tail of an `@request` place.
pub(super) fn slashed(place: &str) -> String {
    if place.starts_with('@') { format!("/{place}") } else { place.to_owned() }
}

pub(super) fn status_classes(check: &mut Check, key: &str, texts: &Texts) -> Vec<StatusClass> {
    let parse = |text: &String| StatusClass::parse(text).ok_or_else(|| format!("{text:?} is no status"));
    texts.0.iter().filter_map(|text| check.keep(key, parse(text))).collect()
}
