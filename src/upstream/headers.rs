//! Headers on both ways: what belongs to one connection only never crosses the gateway.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::message::remove_headers;

/// Removes hop-by-hop fields (RFC 9110 section 7.6.1), those that `Connection` names included.
pub fn drop_hop_by_hop(headers: &mut HeaderMap) {
    // Every `Connection` line must be read before it is removed: each may name further fields.
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(','))
            .filter_map(|token| token.trim().parse().ok())
            // A caller must not make us drop what frames or addresses the message.
            .filter(|name| !matches!(*name, header::HOST | header::CONTENT_LENGTH | header::AUTHORIZATION))
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(header::CONNECTION);
    }
    remove_headers(headers, is_hop_by_hop);
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
    let Some(value) = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return;
    };
    let known = |token: &&str| {
        let name = token.split(';').next().unwrap_or("").trim();
        crate::decode::CODINGS.iter().any(|coding| coding.eq_ignore_ascii_case(name))
    };
    let tokens: Vec<&str> = value.split(',').map(str::trim).filter(|t| !t.is_empty()).collect();
    if tokens.iter().all(known) {
        return;
    }
    let kept: Vec<&str> = tokens.into_iter().filter(known).collect();
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
