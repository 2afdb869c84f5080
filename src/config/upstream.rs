//! `[upstreams.<name>]`.

use std::path::PathBuf;

use super::Span;
use crate::message::HostPort;

/// How a vendor is called.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamConfig {
    /// `https://host[:port][/base]`; `{name}` stands for a capture of the route's host.
    pub url: String,
    /// Which `Host` the vendor sees: `as_sent`, `upstream`, or a name. Left out: as sent where a route names it, else the
    /// upstream's.
    pub host: Option<HostSent>,
    /// Longest wait for a connection, TLS included.
    pub connect_timeout: Span,
    /// Longest wait for the reply's head, from the last request byte.
    pub head_timeout: Span,
    /// Longest silence between two pieces of a reply's body, white space being a sign of life, and longest time that the vendor
    /// takes none of a request's bytes.
    pub body_timeout: Span,
    /// Most calls at once; further ones wait.
    pub max_concurrent: usize,
    /// Most calls that wait for a place.
    pub max_queued: usize,
    /// Longest wait for a place.
    pub queue_timeout: Span,
    /// PEM file of certificate authorities to trust instead of the public ones.
    pub ca: Option<PathBuf>,
    /// Reserved: the gateway does not sign yet, and says so at start.
    pub credentials: Option<String>,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            host: None,
            connect_timeout: Span::seconds(5),
            head_timeout: Span::seconds(60),
            body_timeout: Span::seconds(60),
            max_concurrent: 256,
            max_queued: 1024,
            queue_timeout: Span::seconds(5),
            ca: None,
            credentials: None,
        }
    }
}

/// Key `host` of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostSent {
    /// As the caller sent it: signatures cover it.
    AsSent,
    /// The host that is dialled.
    Upstream,
    Name(String),
}

impl<'de> serde::Deserialize<'de> for HostSent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "as_sent" => Ok(Self::AsSent),
            "upstream" => Ok(Self::Upstream),
            name if HostPort::parse(name).is_ok() => Ok(Self::Name(text)),
            _ => {
                Err(serde::de::Error::custom(format!("{text:?} is neither as_sent nor upstream nor a host")))
            }
        }
    }
}

impl serde::Serialize for HostSent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::AsSent => "as_sent",
            Self::Upstream => "upstream",
            Self::Name(name) => name,
        })
    }
}
