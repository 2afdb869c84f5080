//! Headers of an answer: which of the vendor's survive a rewritten body, and which are ours.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::envelope::{Envelope, MEDIA_TYPE, Summary};
use crate::message::remove_headers;

/// Removes what described the vendor's bytes and would lie about ours.
pub fn strip_rewritten(headers: &mut HeaderMap) {
    remove_headers(headers, |name| describes_bytes(name.as_str()));
}

fn describes_bytes(name: &str) -> bool {
    matches!(
        name,
        "content-length"
            | "content-encoding"
            | "content-md5"
            | "content-type"
            | "content-range"
            | "content-language"
            | "etag"
            | "last-modified"
            | "accept-ranges"
            | "digest"
            | "content-digest"
            | "repr-digest"
            | "signature"
            | "signature-input"
            // Comes back only where the whole may be repeated.
            | "retry-after"
            | "transfer-encoding"
            | "trailer"
    ) || name.strip_prefix("x-").is_some_and(is_checksum)
}

/// Whether a vendor's own header sums up its bytes, by the words of its name: `x-oss-hash-crc64ecma`, `x-goog-hash`.
fn is_checksum(name: &str) -> bool {
    name.split('-')
        .any(|word| matches!(word, "hash" | "checksum" | "md5" | "digest") || word.starts_with("crc"))
}

/// Adds the `Onevelope-*` headers of a recognised call (RFC 9651 structured fields).
pub fn envelope_headers(headers: &mut HeaderMap, envelope: &Envelope<'_>, request_id: &str) {
    let outcome = HeaderValue::from_static(envelope.outcome.as_str());
    headers.insert(HeaderName::from_static("onevelope-outcome"), outcome);
    insert(headers, "onevelope-items", items(&envelope.summary));
    if let Some(status) = envelope.upstream.status {
        headers.insert(HeaderName::from_static("onevelope-upstream-status"), HeaderValue::from(status));
    }
    insert(headers, "onevelope-profile", ["\"", envelope.operation.profile, "\""].concat());
    insert(headers, "onevelope-request-id", request_id.to_owned());
}

/// The answer's media type: ours when the caller accepts it by name.
pub fn media_type(accept: Option<&HeaderValue>) -> HeaderValue {
    let asked = accept.and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(MEDIA_TYPE));
    HeaderValue::from_static(if asked { MEDIA_TYPE } else { "application/json" })
}

fn items(s: &Summary) -> String {
    format!(
        "total={}, succeeded={}, accepted={}, failed={}, not_attempted={}, unknown={}",
        s.total, s.succeeded, s.accepted, s.failed, s.not_attempted, s.unknown
    )
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// `Vary` of a rewritten answer.
pub fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Accept, Onevelope-Mode, Prefer"));
}
