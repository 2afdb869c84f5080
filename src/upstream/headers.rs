//! Headers on both ways: what belongs to one connection only never crosses the gateway.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::message::{joined, remove_headers};

/// The fields that `Connection` names.
fn connection(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let lines = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter_map(|token| token.trim().parse().ok())
}

/// What signatures and vendors' routers read; a caller must not have it dropped on the way.
const END_TO_END: [&str; 13] = [
    "x-amz-",
    "x-tc-",
    "x-acs-",
    "x-sdk-",
    "x-bce-",
    "x-ms-",
    "x-goog-",
    "x-ksyun-",
    "x-date",
    "x-content-",
    "x-http-method",
    "content-",
    "onevelope-",
];

/// A field that `Connection` names although it is not between two neighbours only, as it is or because `is_read` says so: who
/// drops it and who does not would read two different requests.
pub fn names_end_to_end(headers: &HeaderMap, is_read: impl Fn(&HeaderName) -> bool) -> Option<HeaderName> {
    if !headers.contains_key(header::CONNECTION) {
        return None;
    }
    connection(headers).find(|name| is_end_to_end(name) || is_read(name))
}

fn is_end_to_end(name: &HeaderName) -> bool {
    matches!(*name, header::HOST | header::AUTHORIZATION | header::DATE | header::COOKIE)
        || END_TO_END.iter().any(|start| name.as_str().starts_with(start))
}

/// A field whose `_` servers behind a CGI-like interface read as `-`, where that is a field that matters: `X_TC_Action` is
/// `HTTP_X_TC_ACTION` to them, as `X-TC-Action` is.
pub fn passes_for_another(headers: &HeaderMap, is_read: impl Fn(&HeaderName) -> bool) -> Option<&HeaderName> {
    headers.keys().find(|name| {
        let text = name.as_str();
        // All bytes are looked at: names are short, and that is quicker than stopping at the first.
        text.bytes().fold(false, |found, byte| found | (byte == b'_'))
            && text.replace('_', "-").parse().is_ok_and(|other: HeaderName| {
                is_end_to_end(&other)
                    || is_hop_by_hop(&other)
                    || other == header::CONNECTION
                    || is_read(&other)
            })
    })
}

/// Removes hop-by-hop fields (RFC 9110 section 7.6.1), those that `Connection` names included.
pub fn drop_hop_by_hop(headers: &mut HeaderMap) {
    drop_connections(headers);
    remove_headers(headers, is_hop_by_hop);
}

/// Removes `Connection` and what it names.
fn drop_connections(headers: &mut HeaderMap) {
    // Every `Connection` line must be read before it is removed: each may name further fields.
    if headers.contains_key(header::CONNECTION) {
        // A vendor must not make us drop what frames or addresses the message.
        let named: Vec<HeaderName> = connection(headers)
            .filter(|name| !matches!(*name, header::HOST | header::CONTENT_LENGTH | header::AUTHORIZATION))
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(header::CONNECTION);
    }
}

/// The same for a reply, whose vendor does not speak for us either: no `Onevelope-*` of its goes on.
pub fn drop_from_reply(headers: &mut HeaderMap) {
    drop_connections(headers);
    remove_headers(headers, |name| is_hop_by_hop(name) || name.as_str().starts_with("onevelope-"));
}

/// The length that a reply in chunks states beside them. They win (RFC 9112 section 6.3), but where their bytes are not as many, one
/// of the two is wrong, and nobody knows which: it is no whole reply.
#[derive(Clone, Copy, Debug)]
pub struct Stated(pub u64);

/// Sees to it that a reply's body is what its framing says (RFC 9112 section 6.3).
///
/// # Errors
/// In words, where nobody can say where its body ends: it is no reply then.
pub(super) fn settle_framing(
    status: StatusCode,
    headers: &mut HeaderMap,
) -> Result<Option<Stated>, &'static str> {
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err("it switched to a protocol that nobody asked for");
    }
    if !headers.contains_key(header::TRANSFER_ENCODING) {
        settle_length(headers);
        return Ok(None);
    }
    let codings = joined(headers, &header::TRANSFER_ENCODING);
    if !codings.is_some_and(|codings| codings.trim().eq_ignore_ascii_case("chunked")) {
        return Err("its transfer coding is not `chunked` alone");
    }
    // The length beside chunks would cut what goes on.
    let length = headers.remove(header::CONTENT_LENGTH);
    let stated = |length: HeaderValue| length.to_str().ok()?.trim().parse().ok();
    Ok(length.map(|length| Stated(stated(length).unwrap_or(u64::MAX))))
}

/// `5, 5` is 5 (RFC 9112 section 6.3, rule 5); that they are alike was seen to when the reply was read.
fn settle_length(headers: &mut HeaderMap) {
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return };
    let first = length.as_bytes().split(|byte| *byte == b',').next().unwrap_or_default();
    if first.len() < length.len()
        && let Ok(first) = HeaderValue::from_bytes(first.trim_ascii())
    {
        headers.insert(header::CONTENT_LENGTH, first);
    }
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::TRANSFER_ENCODING
            | header::TE
            | header::TRAILER
            | header::UPGRADE
            | header::PROXY_AUTHORIZATION
            | header::PROXY_AUTHENTICATE
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "http2-settings")
}

/// Leaves in `Accept-Encoding` only what can be undone here; untouched when all of it can.
pub fn narrow_accept_encoding(headers: &mut HeaderMap) {
    let Some(value) = joined(headers, &header::ACCEPT_ENCODING) else { return };
    let known = |token: &&str| {
        let name = token.split(';').next().unwrap_or("").trim();
        crate::decode::CODINGS.iter().any(|coding| coding.eq_ignore_ascii_case(name))
    };
    let tokens = || value.split(',').map(str::trim).filter(|token| !token.is_empty());
    if tokens().all(|token| known(&token)) {
        return;
    }
    let kept: Vec<&str> = tokens().filter(known).collect();
    let narrowed = if kept.is_empty() { "identity".to_owned() } else { kept.join(", ") };
    if let Ok(value) = HeaderValue::from_str(&narrowed) {
        headers.insert(header::ACCEPT_ENCODING, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_named_by_connection_go_with_it() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, HeaderValue::from_static("close, X-Secret-Hop"));
        headers.append(header::CONNECTION, HeaderValue::from_static("x-other, host"));
        for name in ["x-secret-hop", "x-other", "host", "keep-alive", "te", "x-stays"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        drop_hop_by_hop(&mut headers);
        let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["host", "x-stays"]);
    }

    #[test]
    fn only_codings_we_undo_are_offered_to_vendors() {
        let narrowed = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            narrow_accept_encoding(&mut headers);
            headers[header::ACCEPT_ENCODING].to_str().map(str::to_owned).unwrap_or_default()
        };
        assert_eq!(narrowed("gzip,deflate"), "gzip,deflate");
        assert_eq!(narrowed("gzip;q=1, dcb, *;q=0"), "gzip;q=1");
        assert_eq!(narrowed("compress"), "identity");
    }
}
