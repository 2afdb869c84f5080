//! Where in a file's text something stands: for problems, which name it as `file:line:column`.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// One step from a file's root to a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Key(String),
    /// From 0.
    Row(usize),
}

/// The steps of `a.b`.
pub(super) fn keys(dotted: &str) -> impl Iterator<Item = Step> {
    dotted.split('.').map(|key| Step::Key(key.to_owned()))
}

/// Where the value at the end of the steps stands, or the last one on the way that is there.
pub(super) fn find(file: &DeTable<'_>, steps: &[Step]) -> Option<Range<usize>> {
    let (found, whole) = walk(file, steps);
    // What an action does not state itself it has from `[request]`.
    if !whole
        && let [Step::Key(actions), Step::Row(_), rest @ ..] = steps
        && actions == "actions"
    {
        let shared: Vec<Step> = keys("request").chain(rest.iter().cloned()).collect();
        if let (Some(shared), true) = walk(file, &shared) {
            return Some(shared);
        }
    }
    found
}

/// The place of the last value that is there, and whether that is the last step.
fn walk(file: &DeTable<'_>, steps: &[Step]) -> (Option<Range<usize>>, bool) {
    let mut last = None;
    let mut value: Option<&DeValue<'_>> = None;
    for step in steps {
        let next = match (step, value) {
            (Step::Key(key), None) => file.get(key.as_str()),
            (Step::Key(key), Some(DeValue::Table(table))) => table.get(key.as_str()),
            (Step::Row(at), Some(DeValue::Array(rows))) => rows.get(*at),
            _ => None,
        };
        let Some(next) = next else { return (last, false) };
        last = Some(next.span());
        value = Some(next.get_ref());
    }
    (last, true)
}

/// The key whose value holds a byte of the text.
pub(super) fn key_at(table: &DeTable<'_>, offset: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, offset),
            DeValue::Array(rows) => {
                rows.iter().filter_map(|row| row.get_ref().as_table()).find_map(|row| key_at(row, offset))
            }
            _ => None,
        };
        let own = || {
            (!is_table(value.get_ref()) && value.span().contains(&offset)).then(|| key.get_ref().to_string())
        };
        inner.or_else(own)
    })
}

/// Whether it has a head of its own: then its text is no value of the key.
fn is_table(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(rows) => rows.iter().any(|row| row.get_ref().is_table()),
        _ => false,
    }
}

/// `:line:column` of a byte offset, both from 1.
pub(super) fn line_and_column(text: &str, offset: usize) -> String {
    let before = &text[..offset.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(1, |last| last.chars().count() + 1);
    format!(":{line}:{column}")
}
