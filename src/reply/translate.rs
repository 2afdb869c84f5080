//! Reply bytes → envelope.

use std::borrow::Cow;

use http::HeaderMap;

use super::Wishes;
use crate::decode::{
    self, Bounds, CodingError, DecodeError, Document, Fidelity, Pointer, Wire, decode_content, sniff,
};
use crate::envelope::{BodyState, Diagnostic, Envelope, Hidden};
use crate::judge::{Reply, ReplyBody, Trace, apply};
use crate::message::joined;
use crate::request::Request;

/// What one reply may use up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes after decompression.
    pub decoded_body: usize,
    /// Output to input of a content coding.
    pub ratio: usize,
    pub bounds: Bounds,
    /// Results of one envelope.
    pub items: usize,
    /// Bytes of one envelope.
    pub envelope: usize,
}

/// A reply as it came.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    /// The connection ended before the body did.
    pub cut: bool,
}

impl<'a> Incoming<'a> {
    pub fn media_type(&self) -> &'a str {
        self.headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("")
    }
}

/// The body after content decoding, and whether it is strict JSON as it stands.
#[derive(Debug)]
pub struct Plain<'a> {
    pub body: Cow<'a, [u8]>,
    pub is_json: bool,
    /// Whether it is I-JSON; none where nobody was expected to ask.
    pub is_i_json: Option<bool>,
    pub cut: bool,
}

/// A body with its content codings undone.
#[derive(Debug)]
pub struct Opened<'a> {
    pub body: Cow<'a, [u8]>,
    broken: Option<CodingError>,
}

impl Opened<'_> {
    /// Whether there is more than was allowed to come out.
    pub fn is_over(&self) -> bool {
        matches!(self.broken, Some(CodingError::TooLarge { .. }))
    }

    /// The same over the body as it came, which is what was not decoded.
    pub fn over<'b>(self, sent: &'b [u8]) -> Opened<'b>
    where
        Self: 'b,
    {
        let body = match self.body {
            Cow::Owned(body) => Cow::Owned(body),
            Cow::Borrowed(_) => Cow::Borrowed(sent),
        };
        Opened { body, broken: self.broken }
    }

    /// The same without the body as it came: what was decoded, else nothing.
    pub fn into_own(self) -> Opened<'static> {
        let body = match self.body {
            Cow::Owned(body) => Cow::Owned(body),
            Cow::Borrowed(_) => Cow::Borrowed(&[][..]),
        };
        Opened { body, broken: self.broken }
    }
}

/// The content codings of a message.
pub fn codings(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    joined(headers, &http::header::CONTENT_ENCODING)
}

/// Undoes a reply's content codings, as far as at most `most` bytes come out.
pub fn open<'a>(incoming: &Incoming<'a>, most: usize, ratio: usize) -> Opened<'a> {
    let decoded = match codings(incoming.headers) {
        Some(codings) => decode_content(incoming.body, &codings, most, ratio),
        None => Ok(Cow::Borrowed(incoming.body)),
    };
    match decoded {
        Ok(body) => Opened { body, broken: None },
        Err(cause) => Opened { body: Cow::Borrowed(incoming.body), broken: Some(cause) },
    }
}

/// Reads a reply and judges it; `then` gets the envelope, the document text its texts point into, and the plain body.
///
/// A callback, because the envelope borrows from the body that is decoded here.
pub fn translate<R>(
    request: &Request,
    incoming: &Incoming<'_>,
    limits: &Limits,
    wishes: Wishes,
    trace: &mut Trace,
    then: impl FnOnce(&Envelope<'_>, &str, &Plain<'_>) -> R,
) -> R {
    let opened = open(incoming, limits.decoded_body, limits.ratio);
    translate_opened(request, incoming, opened, limits, wishes, trace, then)
}

/// The same for a reply whose codings are undone already.
pub fn translate_opened<R>(
    request: &Request,
    incoming: &Incoming<'_>,
    opened: Opened<'_>,
    limits: &Limits,
    wishes: Wishes,
    trace: &mut Trace,
    then: impl FnOnce(&Envelope<'_>, &str, &Plain<'_>) -> R,
) -> R {
    let Opened { body, broken } = opened;
    // A cut body cannot be decompressed; the cut is the cause worth telling.
    let broken = broken.filter(|_| !incoming.cut);
    let broken = broken.map(|cause| Diagnostic::new("coding_unreadable", cause.to_string()));
    let plain = Plain { body, is_json: false, is_i_json: None, cut: incoming.cut };
    let read = match broken {
        Some(diagnostic) => Err(ReplyBody::Unreadable(diagnostic, BodyState::Unparsed)),
        None if incoming.cut => {
            let diagnostic = Diagnostic::new("body_truncated", "the connection ended before the body did");
            Err(ReplyBody::Unreadable(diagnostic, BodyState::Truncated))
        }
        None if plain.body.trim_ascii().is_empty() => Err(ReplyBody::Empty),
        None => read_body(request, &plain.body, incoming.media_type(), limits.bounds, !wishes.strict)
            .map_err(|cause| match ReplyBody::unreadable(&cause) {
                ReplyBody::Unreadable(diagnostic, BodyState::Unparsed) if is_foreign(&plain.body) => {
                    ReplyBody::Foreign(diagnostic)
                }
                other => other,
            }),
    };
    let (reply_body, is_json) = match &read {
        Ok((document, fidelity, wire)) => {
            (ReplyBody::Document(document, fidelity), *wire == Wire::Json && fidelity.slips.is_empty())
        }
        Err(ReplyBody::Unreadable(diagnostic, state)) => {
            (ReplyBody::Unreadable(diagnostic.clone(), *state), false)
        }
        Err(ReplyBody::Foreign(diagnostic)) => (ReplyBody::Foreign(diagnostic.clone()), false),
        Err(_) => (ReplyBody::Empty, false),
    };
    // A charset other than UTF-8 was transcoded for reading; its bytes are not JSON text as they stand.
    let is_json = is_json && matches!(&read, Ok((document, ..)) if document.is_borrowed());
    let reply =
        Reply { status: incoming.status, headers: incoming.headers, body: reply_body, items: limits.items };
    let mut envelope = apply(request, &reply, wishes.strict, wishes.data, trace);
    if let Ok((document, ..)) = &read {
        envelope.hidden = hidden(document, request.profile.secrets());
    }
    // Told from the tree while it is there.
    let is_i_json = match &read {
        Ok((document, ..)) if is_json && wishes.raw.shows(&envelope) => Some(document.is_i_json()),
        _ => None,
    };
    // The tree has done its work; only its text is still pointed to.
    let text = match read {
        Ok((document, ..)) => document.into_text(),
        Err(_) => Cow::Borrowed(""),
    };
    let shown = Plain { body: Cow::Borrowed(&plain.body), is_json, is_i_json, cut: plain.cut };
    then(&envelope, &text, &shown)
}

/// Whether a body is none of an API's: a page for people, or plain words.
fn is_foreign(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let page = |head: &[u8]| start.get(..head.len()).is_some_and(|own| own.eq_ignore_ascii_case(head));
    page(b"<!doctype html")
        || page(b"<html")
        || !matches!(start.first(), Some(b'{' | b'[' | b'<' | b'-' | 0..=8))
}

/// Where the values stand that are never shown.
fn hidden(document: &Document<'_>, secrets: &[Pointer]) -> Hidden {
    let mut spans = Vec::new();
    for pointer in secrets {
        pointer.visit(document.root(), &mut |value| {
            let json = value.raw();
            let start = json.as_ptr() as usize - document.text().as_ptr() as usize;
            spans.push((start, start + json.len()));
            false
        });
    }
    Hidden::new(spans)
}

/// The body in the wire the profile names; where that fails and the first byte says otherwise, in that one (an
/// XML error in front of a JSON service).
fn read_body<'b>(
    request: &Request,
    body: &'b [u8],
    media_type: &str,
    bounds: Bounds,
    mend: bool,
) -> Result<(Document<'b>, Fidelity, Wire), DecodeError> {
    if decode::is_binary(media_type) {
        return Err(DecodeError::Binary);
    }
    let sniffed = sniff(body, media_type);
    let named = request.profile.wire();
    let Some(wire) = named.or(sniffed).or(request.profile.text_wire()) else {
        return Err(DecodeError::Syntax {
            wire: Wire::Json,
            offset: 0,
            what: "neither JSON nor XML nor multipart",
        });
    };
    let read = |wire| decode::read(body, wire, media_type, bounds, mend).map(|(d, f)| (d, f, wire));
    match (read(wire), sniffed) {
        (Err(_), Some(other)) if other != wire => read(other),
        (result, _) => result,
    }
}
