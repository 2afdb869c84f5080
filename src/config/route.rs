//! `[routes.<name>]`.

use crate::envelope::StatusPolicy;
use crate::reply::RawPolicy;

/// What the gateway does with a recognised call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Answers with the envelope.
    #[default]
    Envelope,
    /// Judges, counts and adds headers; sends the vendor's bytes.
    Observe,
    /// Does not look.
    Passthrough,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::Observe => "observe",
            Self::Passthrough => "passthrough",
        }
    }

    /// The mode a word names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Envelope, Self::Observe, Self::Passthrough].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// Which requests go where, and how they are answered.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteConfig {
    /// Exact, or with `{name}` for one label; left out: any.
    pub host: Option<String>,
    /// Path prefix, stripped before forwarding.
    pub prefix: Option<String>,
    /// Only what came in on `[listen.<name>]`.
    pub listener: Option<String>,
    /// Whose profiles may match; left out: all.
    pub vendor: Option<String>,
    /// Name of the upstream.
    pub upstream: String,
    pub mode: Mode,
    pub status: StatusPolicy,
    pub raw: RawPolicy,
    /// Clients cannot switch the mode.
    pub pin: bool,
    /// Show each item's own fragment of the vendor's body in `results[].data`.
    pub data: bool,
}
