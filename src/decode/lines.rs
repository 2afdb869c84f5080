//! Text by the line: NDJSON (a document a line) and plain lists.

use super::tape::Room;
use super::{Bounds, DecodeError, Wire, json};
use crate::json_text::string;

/// NDJSON as one JSON list. A line that is not JSON fails the whole: positions after it would lie.
pub(super) fn ndjson_to_json(text: &str, bounds: Bounds) -> Result<String, DecodeError> {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('[');
    let mut offset = 0;
    let mut room = Room::of(bounds);
    for line in text.split('\n') {
        if !line.trim().is_empty() {
            room.take(1)?;
            json::parse(line.trim(), bounds).map_err(|cause| match cause {
                DecodeError::Syntax { offset: at, what, .. } => {
                    DecodeError::Syntax { wire: Wire::Ndjson, offset: offset + at, what }
                }
                other => other,
            })?;
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(line.trim());
        }
        offset += line.len() + 1;
    }
    out.push(']');
    Ok(out)
}

/// Lines as a JSON list of strings; blank lines are left out.
pub(super) fn lines_to_json(text: &str, bounds: Bounds) -> Result<String, DecodeError> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut room = Room::of(bounds);
    out.push(b'[');
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        room.take(1)?;
        if out.len() > 1 {
            out.push(b',');
        }
        string(&mut out, line);
    }
    out.push(b']');
    Ok(String::from_utf8(out).unwrap_or_default())
}

/// Labelled text as a JSON object (Swift's bulk delete): `Name: value` lines are members; a name with nothing after
/// it, followed by lines that are not `Name: value`, holds a list of `[a, b]` pairs split at the last `, `.
pub(super) fn labelled_to_json(text: &str, bounds: Bounds) -> Result<String, DecodeError> {
    let mut out = Vec::with_capacity(text.len() + 16);
    let mut room = Room::of(bounds);
    out.push(b'{');
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = label(line) else { continue };
        room.take(2)?;
        if out.len() > 1 {
            out.push(b',');
        }
        string(&mut out, name);
        out.push(b':');
        if !value.is_empty() || lines.peek().is_some_and(|next| label(next).is_some()) {
            string(&mut out, value);
            continue;
        }
        out.push(b'[');
        let mut first = true;
        while let Some(entry) = lines.next_if(|next| label(next).is_none()) {
            room.take(3)?;
            let (a, b) = entry.rsplit_once(", ").unwrap_or((entry, ""));
            out.extend_from_slice(if first { b"[" } else { b",[" });
            first = false;
            string(&mut out, a);
            out.push(b',');
            string(&mut out, b);
            out.push(b']');
        }
        out.push(b']');
    }
    out.push(b'}');
    Ok(String::from_utf8(out).unwrap_or_default())
}

/// `Name: value` or `Name:`, where the name is words.
fn label(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let words = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '_');
    words.then(|| (name, value.trim()))
}
