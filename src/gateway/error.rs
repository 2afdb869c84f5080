//! Why the gateway itself could not answer. A vendor saying no is not among these: that is a result.

use std::time::Duration;

use crate::upstream::CallError;

/// Ours, few and named. None quotes what a caller sent but a host or the name of a field: paths and queries hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error("no route for {host}")]
    NoRoute { host: String },
    #[error("CONNECT is not served; send requests in origin or absolute form")]
    Connect,
    #[error("the request names no host")]
    NoHost,
    #[error("the request's Host {0}")]
    BadHost(&'static str),
    #[error("the request's method {0}")]
    BadMethod(&'static str),
    #[error("the request's target {0}")]
    BadTarget(&'static str),
    #[error("the request's {0}")]
    BadFraming(&'static str),
    #[error("its Connection field names {0}, which is not between two neighbours only")]
    Connection(String),
    #[error("its field {0} is another to servers that read `_` as `-`")]
    Underscore(String),
    #[error("the request's Expect asks for something else than 100-continue")]
    Expectation,
    #[error("the request body ended early")]
    RequestCut,
    #[error("the request body was silent, or slower than is waited for, after {0:?}")]
    RequestSlow(Duration),
    #[error("a fault of the gateway: {0}")]
    Fault(&'static str),
    #[error(transparent)]
    Call(#[from] CallError),
}

impl GatewayError {
    /// Short and from a closed set: a label and a machine-readable word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoRoute { .. } => "no_route",
            Self::Connect => "connect_refused",
            Self::NoHost => "no_host",
            Self::BadHost(_) => "bad_host",
            Self::BadMethod(_) => "bad_method",
            Self::BadTarget(_) => "bad_target",
            Self::BadFraming(_) => "bad_framing",
            Self::Connection(_) => "connection_names_end_to_end",
            Self::Underscore(_) => "field_passes_for_another",
            Self::Expectation => "expectation_failed",
            Self::RequestCut => "request_cut",
            Self::RequestSlow(_) => "request_slow",
            Self::Fault(_) => "fault",
            Self::Call(cause) => cause.reason(),
        }
    }

    /// The status we dare to return. What may have been acted on is never answered with an invitation to repeat it.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoRoute { .. } => 404,
            Self::Connect => 405,
            Self::NoHost
            | Self::BadHost(_)
            | Self::BadMethod(_)
            | Self::BadTarget(_)
            | Self::BadFraming(_)
            | Self::Connection(_)
            | Self::Underscore(_)
            | Self::RequestCut => 400,
            Self::Expectation => 417,
            Self::RequestSlow(_) => 408,
            Self::Fault(_) => 502,
            Self::Call(CallError::Shed { .. }) => 503,
            Self::Call(CallError::HeadTimeout { .. }) => 504,
            Self::Call(CallError::Upload { .. }) => 400,
            Self::Call(_) => 502,
        }
    }

    /// Whether two parties could read the request differently: then nothing that follows on its connection is read.
    pub fn closes(&self) -> bool {
        // What no call became: no request (400), or one that did not come in time (408).
        matches!(self.status(), 400 | 408) && !matches!(self, Self::Call(_))
    }

    /// How to mend it, where the caller or operator can.
    pub fn mend(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoRoute { .. } => {
                "add a [routes.<name>] whose host, prefix and listener fit, or check the endpoint the client uses"
            }
            Self::Connect => {
                "point the client at the gateway with http, or give it the gateway's address as endpoint"
            }
            Self::NoHost => "send a Host header",
            Self::BadHost(_) => {
                "send one Host: a name or an address, with a port if need be; in absolute form the target's own"
            }
            Self::BadMethod(_) => "send one of the methods of the vendor's API",
            Self::BadTarget(_) => "send the path in origin form, percent-encoded once and without steps up",
            Self::BadFraming(_) => {
                "frame the body with one Content-Length or with Transfer-Encoding: chunked, not both and nothing else"
            }
            Self::Connection(_) => "leave the field out of Connection",
            Self::Underscore(_) => "write the field with `-`, or leave it out",
            Self::Expectation => "leave Expect out, or send 100-continue",
            Self::RequestCut => "send the whole body; nothing of it was passed on",
            Self::Call(CallError::Unreachable { .. }) => {
                "nothing was sent; try again, or check `url` of the upstream"
            }
            _ => return None,
        })
    }
}
