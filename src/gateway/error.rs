//! Why the gateway itself could not answer. A vendor saying no is not among these: that is a result.

use crate::upstream::CallError;

/// Ours, few and named.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error("no route for {host}{path}")]
    NoRoute { host: String, path: String },
    #[error("CONNECT is not served; send requests in origin or absolute form")]
    Connect,
    #[error("the request names no host, and no route takes it without")]
    NoHost,
    #[error("the request's target cannot be forwarded: {0}")]
    BadTarget(String),
    #[error("its Connection field names {0}, which is not between two neighbours only")]
    Connection(String),
    #[error("the request body ended early")]
    RequestCut,
    #[error("a fault of the gateway: {0}")]
    Fault(String),
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
            Self::BadTarget(_) => "bad_target",
            Self::Connection(_) => "connection_names_end_to_end",
            Self::RequestCut => "request_cut",
            Self::Fault(_) => "fault",
            Self::Call(cause) => cause.reason(),
        }
    }

    /// The status we dare to return. What may have been acted on is never answered with an invitation to repeat it.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoRoute { .. } => 404,
            Self::Connect => 405,
            Self::NoHost | Self::BadTarget(_) | Self::Connection(_) | Self::RequestCut => 400,
            Self::Fault(_) => 502,
            Self::Call(CallError::Shed { .. }) => 503,
            Self::Call(CallError::HeadTimeout { .. }) => 504,
            Self::Call(_) => 502,
        }
    }

    /// How to mend it, where the caller or operator can.
    pub fn mend(&self) -> Option<&'static str> {
        match self {
            Self::NoRoute { .. } => Some(
                "add a [routes.<name>] whose host, prefix and listener fit, or check the endpoint the client uses",
            ),
            Self::Connect => Some(
                "point the client at the gateway with http, or give it the gateway's address as endpoint",
            ),
            Self::NoHost => Some("send a Host header"),
            _ => None,
        }
    }
}
