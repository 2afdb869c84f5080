//! Turns a body into a [`Document`], whatever it was written in.
//!
//! Pure: bytes in, tree out. No clock, no socket, no logging, so a captured body replays the same on any
//! machine. Knows nothing about vendors; that is `profile`'s job. Every reader is bounded in bytes, depth and
//! nodes by [`Bounds`] before it allocates.

mod charset; // bytes → UTF-8
mod coding; // content-encoding, capped
mod compare; // short texts
mod document; // the tree every wire format becomes
mod fields; // what a query document asks for
mod form; // query strings and form bodies
mod json; // strict JSON → tape
mod lines; // text lines and NDJSON
mod multipart; // multipart/mixed of HTTP messages
mod pointer; // the way to a node
mod repair; // JSON with slips → JSON
mod sorted; // parameters in any order → JSON
mod strict; // JSON that every reader takes
mod tape; // the tree's flat form
mod twin; // an object read by the one before it
mod xml;

pub use charset::to_utf8;
pub use coding::{CODINGS, CodingError, decode_content, most_decoded};
pub use compare::same;
pub use document::{Document, Scalar, Value};
pub use fields::{changes, response_keys};
pub use multipart::path_of;
pub(crate) use pointer::first_letters;
pub use pointer::{Pointer, PointerError};
pub use repair::Slips;
pub use tape::Kind;

use std::borrow::Cow;

use crate::json_text::string;

/// What a reader may use up.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Deepest nesting.
    pub depth: usize,
    /// Most nodes (values and keys) in one document; 12 bytes each.
    pub nodes: usize,
    /// Most bytes that a coded body may become.
    pub decoded: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 128, nodes: 8_000_000, decoded: 64 << 20 }
    }
}

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wire {
    Json,
    Xml,
    Form,
    Multipart,
    Ndjson,
    Lines,
    /// `Name: value` lines.
    Labelled,
}

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecodeError {
    #[error("not {wire:?} at byte {offset}: {what}")]
    Syntax { wire: Wire, offset: usize, what: &'static str },
    #[error("ends at byte {offset} before it is whole")]
    Truncated { offset: usize },
    #[error("nested deeper than {depth}")]
    TooDeep { depth: usize },
    #[error("more than {nodes} values")]
    TooMany { nodes: usize },
    #[error("longer than 256 MiB as text")]
    TooLong,
    #[error("the body is a binary format (CBOR) that is not read")]
    Binary,
    #[error("no body")]
    Empty,
}

impl DecodeError {
    /// Whether the body was not read since that would take too much, whatever stands in it.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::TooDeep { .. } | Self::TooMany { .. } | Self::TooLong)
    }
}

/// How faithfully a document mirrors its bytes.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Fidelity {
    /// Slips mended by the repairing JSON reader; empty when the body was read as it is.
    pub slips: Slips,
    /// Bytes that were not text in any charset became U+FFFD.
    pub replaced: bool,
}

/// Reads a body in a known wire format. `media_type` gives charset and multipart boundary.
///
/// `mend` allows the closed list of JSON repairs.
///
/// # Errors
/// [`DecodeError`]; a truncated body is never repaired.
pub fn read<'a>(
    body: &'a [u8],
    wire: Wire,
    media_type: &str,
    bounds: Bounds,
    mend: bool,
) -> Result<(Document<'a>, Fidelity), DecodeError> {
    let (text, replaced) = to_utf8(body, media_type);
    let mut fidelity = Fidelity { slips: Slips::default(), replaced };
    if replaced {
        fidelity.slips.add("invalid UTF-8");
    }
    let document = match wire {
        Wire::Json if names(media_type, GRAPHQL) == Some(0) && names(media_type, "json").is_none() => {
            let mut json = b"{\"query\":".to_vec();
            string(&mut json, &text);
            json.push(b'}');
            owned(String::from_utf8(json).unwrap_or_default(), bounds)?
        }
        Wire::Json => json_or_mended(text, bounds, mend, &mut fidelity)?,
        Wire::Xml => {
            let (content, root) = xml::to_json(&text, bounds)?;
            owned(content, bounds)?.of_xml(root)
        }
        Wire::Form => owned(sorted::to_json(&text, bounds)?.0, bounds)?,
        Wire::Multipart => owned(multipart::to_json(body, media_type, bounds)?, bounds)?,
        Wire::Ndjson => owned(lines::ndjson_to_json(&text, bounds)?, bounds)?,
        Wire::Lines => owned(lines::lines_to_json(&text, bounds)?, bounds)?,
        Wire::Labelled => owned(lines::labelled_to_json(&text, bounds)?, bounds)?,
    };
    Ok((document, fidelity))
}

/// Reads a request's parameters: a query string or a form body. Their values have
/// [`Value::json`] but no [`Value::raw`].
///
/// # Errors
/// [`DecodeError`], when they are more than the bounds allow.
pub fn read_parameters<'a>(
    body: &'a [u8],
    media_type: &str,
    bounds: Bounds,
) -> Result<Document<'a>, DecodeError> {
    let (text, _) = to_utf8(body, media_type);
    match form::parse_plain(&text, bounds) {
        Some((nodes, written)) => Ok(Document::parameters(text, nodes, written)),
        None => {
            let (json, written) = sorted::to_json(&text, bounds)?;
            Ok(owned(json, bounds)?.of_parameters(written))
        }
    }
}

fn json_or_mended<'a>(
    text: Cow<'a, str>,
    bounds: Bounds,
    mend: bool,
    fidelity: &mut Fidelity,
) -> Result<Document<'a>, DecodeError> {
    if fidelity.replaced && !mend {
        return Err(DecodeError::Syntax { wire: Wire::Json, offset: 0, what: "not UTF-8" });
    }
    match json::parse(&text, bounds) {
        Ok(tape) => Ok(Document::new(text, tape)),
        Err(DecodeError::Syntax { wire, offset, what }) if mend => {
            let Some(mended) = repair::repair(&text, &mut fidelity.slips) else {
                return Err(DecodeError::Syntax { wire, offset, what });
            };
            owned(mended, bounds)
        }
        Err(cause) => Err(cause),
    }
}

/// A document over JSON text we made ourselves.
fn owned<'a>(text: String, bounds: Bounds) -> Result<Document<'a>, DecodeError> {
    let tape = json::parse(&text, bounds)?;
    Ok(Document::new(Cow::Owned(text), tape))
}

/// The wire format a body is most likely in: its first byte decides, since media types lie (servers send JSON
/// as `text/html`); the media type breaks ties.
pub fn sniff(body: &[u8], media_type: &str) -> Option<Wire> {
    sniff_both(body, media_type).0
}

/// The same, and another wire that a reader may take the body for: what its first byte says, or its media type.
pub fn sniff_both(body: &[u8], media_type: &str) -> (Option<Wire>, Option<Wire>) {
    let (by_type, by_byte) = (typed(media_type), by_first_byte(body));
    let taken = match (by_type, by_byte) {
        (Some(Wire::Multipart), _) => by_type,
        _ if body.trim_ascii_start().is_empty() => None,
        (Some(Wire::Ndjson), _) => by_type,
        (_, Some(Wire::Json | Wire::Xml)) => by_byte,
        (Some(Wire::Form), _) => by_type,
        (_, Some(_)) => by_byte,
        _ => by_type,
    };
    let other = by_byte.into_iter().chain(by_type).find(|wire| taken.is_some_and(|taken| taken != *wire));
    (taken, other)
}

fn by_first_byte(body: &[u8]) -> Option<Wire> {
    const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let body = MARKS.iter().find_map(|mark| body.strip_prefix(*mark)).unwrap_or(body).trim_ascii_start();
    // In UTF-16 a nought stands before or behind each letter.
    match body.iter().find(|byte| **byte != 0)? {
        b'{' | b'[' => Some(Wire::Json),
        b'<' => Some(Wire::Xml),
        b'-' if body.starts_with(b"--") => Some(Wire::Multipart),
        _ => None,
    }
}

/// A GraphQL text without anything around it.
const GRAPHQL: &str = "application/graphql";

/// The wire that a media type names.
fn typed(media_type: &str) -> Option<Wire> {
    // What most say.
    let is = |name: &str| {
        let (start, rest) = media_type.split_at_checked(name.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(name) && matches!(rest.as_bytes().first(), None | Some(b';' | b' '))
    };
    if media_type.is_empty() {
        return None;
    }
    if is("application/json") {
        return Some(Wire::Json);
    }
    if is("application/x-www-form-urlencoded") {
        return Some(Wire::Form);
    }
    // The text alone, which is read as the member that it else is.
    if is(GRAPHQL) {
        return Some(Wire::Json);
    }
    if names(media_type, "multipart/") == Some(0) {
        return Some(Wire::Multipart);
    }
    let of = |name: &str| names(media_type, name).is_some();
    // Most have no such letter.
    let by_lines = media_type.bytes().any(|byte| byte | 0x20 == b'j') && (of("ndjson") || of("jsonl"));
    match () {
        () if by_lines => Some(Wire::Ndjson),
        () if of("x-www-form-urlencoded") => Some(Wire::Form),
        () if of("json") => Some(Wire::Json),
        () if of("xml") => Some(Wire::Xml),
        () => None,
    }
}
/// About how many nodes a body has, by a few pieces of it. What its wire is does not matter: a value or key stands behind a mark.
pub fn likely_nodes(body: &[u8]) -> usize {
    const PIECES: usize = 8;
    const PIECE: usize = 512;
    let step = (body.len() / PIECES).max(1);
    let (mut seen, mut marks, mut lines) = (0, 0, 0);
    for piece in body.chunks(step).map(|chunk| &chunk[..chunk.len().min(PIECE)]) {
        seen += piece.len();
        marks += piece.iter().filter(|b| matches!(b, b',' | b':' | b'{' | b'[' | b'&' | b'=' | b'<')).count();
        // An element may have one mark, and is a key and a value.
        marks += piece.iter().filter(|b| **b == b'<').count();
        lines += piece.iter().filter(|b| **b == b'\n').count();
    }
    // Per thousand, which no size overflows.
    (body.len() / 1000 + 1).saturating_mul(marks.max(lines) * 1000 / seen.max(1) + 1)
}

/// Whether a media type announces a binary format that no reader here knows.
pub fn is_binary(media_type: &str) -> bool {
    names(media_type, "application/cbor") == Some(0) || names(media_type, "+cbor").is_some()
}

/// Where a media type holds a name, which is in lower case.
fn names(media_type: &str, name: &str) -> Option<usize> {
    let first = name.as_bytes().first()?;
    let rest = |at: usize| media_type.as_bytes().get(at..at + name.len());
    let starts = media_type.bytes().enumerate().filter(|(_, byte)| byte.to_ascii_lowercase() == *first);
    starts
        .map(|(at, _)| at)
        .find(|at| rest(*at).is_some_and(|part| part.eq_ignore_ascii_case(name.as_bytes())))
}
