//! What may be sent a second time.

use http::Method;
use http::request::Parts;

/// When a request may be sent a second time, on a new connection, after one that was kept had been closed by the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// When no byte of it was sent: it is as if the connection had never been kept.
    Unsent,
    /// Also when no answer came: asking twice does no harm (RFC 9110 9.2.1, 9.2.2).
    Safe,
}

/// Query keys by which interfaces name what is to be done, also in a GET.
const VERBS: [&str; 7] = ["action", "command", "cmd", "method", "operation", "op", "api"];

impl Resend {
    /// Of a request that no profile recognises: a safe method that names nothing to be done.
    pub fn of(parts: &Parts) -> Self {
        let verb = |pair: &str| {
            let key = pair.split_once('=').map_or(pair, |(key, _)| key);
            VERBS.iter().any(|verb| key.eq_ignore_ascii_case(verb))
        };
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
            && !parts.uri.query().is_some_and(|query| query.split('&').any(verb))
            && !parts.headers.keys().any(|name| name.as_str().ends_with("action"));
        if safe { Self::Safe } else { Self::Unsent }
    }
}
