//! `[breaker]`: when a vendor is given a rest. Absent: never.

use super::Span;

/// Fed by verdicts: a reply of 200 in which every item was throttled counts as a 503 does.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerConfig {
    /// Share of the window's calls that trips it, above 0 and up to 1. A batch of which half failed on the vendor's side is half
    /// a failed call.
    pub failures: f64,
    /// Fewest calls within the window that say anything.
    pub calls: u32,
    /// How far back calls count.
    pub window: Span,
    /// How long no call goes before one probes.
    pub open: Span,
    /// What is stopped together.
    pub per: Per,
}

/// Key `per`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// All calls of an upstream.
    #[default]
    Upstream,
    /// Each recognised action of an upstream by itself; calls that no profile knows share one.
    Action,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 0.5,
            calls: 20,
            window: Span::seconds(10),
            open: Span::seconds(5),
            per: Per::Upstream,
        }
    }
}
