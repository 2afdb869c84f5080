//! Whether a reply shows by itself that it is whole, where only the connection's end says so.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::decode::{Wire, sniff};
use crate::request::Request;

/// Whether what ended with its connection (RFC 9112 section 6.3, rule 8) has an end of its own. A vendor that fails closes as one
/// that is done: of nothing, of lines or of a form nobody can tell whether more was to come, and silence would make items good.
pub fn shows_its_end(request: &Request, headers: &HeaderMap, body: &[u8]) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let wire = request.profile.wire().or_else(|| sniff(body, media_type));
    let (body, nested) = (body.trim_ascii(), matches!(wire, Some(Wire::Json | Wire::Xml)));
    match (body.first(), body.last()) {
        (Some(_), _) if headers.contains_key(CONTENT_ENCODING) => nested,
        (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>')) => nested,
        (Some(b'-'), _) => wire == Some(Wire::Multipart) && body.ends_with(b"--"),
        _ => false,
    }
}
