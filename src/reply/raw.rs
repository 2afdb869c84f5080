//! The vendor's bytes inside an envelope.

use std::borrow::Cow;

use base64::Engine;

use super::{Incoming, Plain};
use crate::decode::{Bounds, Pointer, Wire, read};
use crate::envelope::{BatchOutcome, BodyState, Envelope, Raw, RawEncoding};
use crate::request::Request;

/// Route setting `raw`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RawPolicy {
    Never,
    #[default]
    OnFailure,
    Always,
}

/// What `raw` shows for an envelope under a policy; an unreadable reply is shown unless the policy is `never`.
pub fn raw<'p>(
    policy: RawPolicy,
    request: &Request,
    envelope: &Envelope<'_>,
    incoming: &Incoming<'p>,
    plain: &'p Plain<'_>,
) -> Option<Raw<'p>> {
    let good = matches!(envelope.outcome, BatchOutcome::Succeeded | BatchOutcome::Accepted)
        && matches!(envelope.upstream.body, BodyState::Strict | BodyState::Absent);
    let wanted = match policy {
        RawPolicy::Never => false,
        RawPolicy::OnFailure => !good,
        RawPolicy::Always => true,
    };
    if !wanted || plain.body.is_empty() {
        return None;
    }
    let secrets = request.profile.secrets();
    let (encoding, body) = match std::str::from_utf8(&plain.body) {
        Ok(text) if plain.is_json => (RawEncoding::Json, redacted(text, secrets)),
        // What cannot be read cannot be redacted either: where secrets are declared, their bytes stay out.
        Ok(_) if !secrets.is_empty() => return None,
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

/// JSON text with the values at secret places replaced by `"***"`; the rest stays byte for byte.
fn redacted<'t>(text: &'t str, secrets: &[Pointer]) -> Cow<'t, str> {
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let Ok((document, _)) = read(text.as_bytes(), Wire::Json, "", Bounds::default(), false) else {
        return Cow::Borrowed("null");
    };
    let mut spans = Vec::new();
    for pointer in secrets {
        pointer.visit(document.root(), &mut |value| {
            let inner = value.raw();
            let start = inner.as_ptr() as usize - document.text().as_ptr() as usize;
            spans.push((start, start + inner.len()));
            false
        });
    }
    spans.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (start, end) in spans {
        if start >= from {
            out.push_str(&text[from..start]);
            out.push_str("\"***\"");
            from = end;
        }
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}
