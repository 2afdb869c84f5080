//! The vendor's bytes inside an envelope.

use std::borrow::Cow;

use base64::Engine;

use super::{Incoming, Plain, RawPolicy};
use crate::envelope::{BodyState, Envelope, Raw, RawEncoding};
use crate::request::Request;

/// What `raw` shows for an envelope under a policy.
pub fn raw<'p>(
    policy: RawPolicy,
    request: &Request,
    envelope: &Envelope<'_>,
    incoming: &Incoming<'p>,
    plain: &'p Plain<'_>,
) -> Option<Raw<'p>> {
    if !policy.shows(envelope) || plain.body.is_empty() {
        return None;
    }
    // What is not read as it stands cannot be redacted either: where secrets are declared, its bytes stay out.
    let read = plain.is_json && envelope.upstream.body != BodyState::Unparsed;
    if !read && !request.profile.secrets().is_empty() {
        return None;
    }
    let (encoding, body) = match std::str::from_utf8(&plain.body) {
        Ok(text) if plain.is_json => {
            let shown = envelope.hidden.out_of(text, 0);
            let encoding = match (plain.is_i_json, &shown) {
                // Masking takes away, and what it puts in is plain.
                (Some(true), _) => RawEncoding::Json,
                (Some(false), Cow::Borrowed(_)) => RawEncoding::Text,
                _ => RawEncoding::of_json(&shown),
            };
            (encoding, shown)
        }
        Ok(text) => (RawEncoding::Text, Cow::Borrowed(text)),
        Err(_) => {
            let coded = base64::engine::general_purpose::STANDARD.encode(&plain.body);
            (RawEncoding::Base64, Cow::Owned(coded))
        }
    };
    Some(Raw {
        status: Some(incoming.status),
        media_type: Some(incoming.media_type()).filter(|m| !m.is_empty()),
        encoding,
        body,
        bytes: plain.body.len(),
        truncated: plain.cut,
        shared: None,
    })
}
