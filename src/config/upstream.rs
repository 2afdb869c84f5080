//! `[upstreams.<name>]`.

use std::path::PathBuf;

use super::Span;

/// How a vendor is called.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamConfig {
    /// `https://host[:port][/base]`; `{name}` stands for a capture of the route's host.
    pub url: String,
    /// Longest wait for a connection, TLS included.
    pub connect_timeout: Span,
    /// Longest wait for the reply's head, from the last request byte.
    pub head_timeout: Span,
    /// Longest silence between two pieces of a reply's body. White space counts as a sign of life.
    pub body_timeout: Span,
    /// Most calls at once; further ones wait for `head_timeout` at most.
    pub max_concurrent: usize,
    /// PEM file of certificate authorities to trust instead of the public ones.
    pub ca: Option<PathBuf>,
    /// Reserved: the gateway does not sign yet, and says so at start.
    pub credentials: Option<String>,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            connect_timeout: Span::seconds(5),
            head_timeout: Span::seconds(60),
            body_timeout: Span::seconds(60),
            max_concurrent: 256,
            ca: None,
            credentials: None,
        }
    }
}
