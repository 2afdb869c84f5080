//! What a table of a profile takes from another before it is read: `[[actions]]` from `[request]`, `[reply]` from a shape of
//! `vendor.toml`.
//!
//! On the text's own tables, so that every value keeps its place in its file. What the words mean is `compile`'s.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where in the file, and what is wrong there.
pub(super) type Fault = (Range<usize>, String);

/// Keys that were words of the language once, where they stood, and what to do about them.
const GONE: [(&[&str], &str, &str); 5] = [
    (&[], "vendor", "the folder's name says it: take the key out"),
    (&[], "family", "the file's name says it: take the key out"),
    (&["request", "actions"], "repeatable", "nobody reads it: take the key out"),
    (&["request", "actions"], "items", "the list of what was asked is `each`, as in a reply"),
    (&["request", "actions"], "items_as", "how the list is held is `as`, as in a reply"),
];

/// The keys of a file that were taken out of the language.
pub(super) fn gone(file: &DeTable<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut look = |table: &DeTable<'_>, key: &str, advice: &str| {
        if let Some((key, _)) = table.get_key_value(key) {
            faults.push((key.span(), format!("unknown key `{}`: {advice}", key.get_ref())));
        }
    };
    for (tables, key, advice) in GONE {
        if tables.is_empty() {
            look(file, key, advice);
        }
        for table in tables.iter().filter_map(|name| file.get(*name)) {
            match table.get_ref() {
                DeValue::Table(table) => look(table, key, advice),
                DeValue::Array(rows) => {
                    rows.iter()
                        .filter_map(|row| row.get_ref().as_table())
                        .for_each(|row| look(row, key, advice));
                }
                _ => {}
            }
        }
    }
    faults
}

/// Fills a family's `[[actions]]` from its `[request]`, and its `[reply]` from the shape of `vendor` that it is `like`.
///
/// What a table states itself wins, whole: an array replaces an array.
pub(super) fn family<'t>(family: &mut DeTable<'t>, vendor: Option<&DeTable<'t>>) -> Result<(), Fault> {
    if let Some(DeValue::Table(request)) = family.get("request").map(Spanned::get_ref) {
        let request = request.clone();
        if let Some(DeValue::Array(actions)) = family.get_mut("actions").map(Spanned::get_mut) {
            for action in actions.iter_mut() {
                if let DeValue::Table(action) = action.get_mut() {
                    fill(action, &request);
                }
            }
        }
    }
    let Some(DeValue::Table(reply)) = family.get_mut("reply").map(Spanned::get_mut) else { return Ok(()) };
    let Some(like) = reply.get("like") else { return Ok(()) };
    // A `like` that is no text is told when the table is read.
    let Some(name) = like.get_ref().as_str() else { return Ok(()) };
    let shapes = vendor.and_then(|file| file.get("replies")).and_then(|shapes| shapes.get_ref().as_table());
    match shapes.and_then(|shapes| shapes.get(name)).and_then(|shape| shape.get_ref().as_table()) {
        Some(shape) => {
            fill(reply, shape);
            Ok(())
        }
        None => {
            let known: Vec<&str> =
                shapes.into_iter().flat_map(|s| s.keys()).map(|k| k.get_ref().as_ref()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err((like.span(), format!("[reply] like: vendor.toml has no [replies.{name}]; it has: {known}")))
        }
    }
}

fn fill<'t>(table: &mut DeTable<'t>, default: &DeTable<'t>) {
    for (key, value) in default {
        if !table.contains_key(key.get_ref().as_ref()) {
            table.insert(key.clone(), value.clone());
        }
    }
}
