//! What route and caller want of an answer.

use crate::envelope::{BatchOutcome, BodyState, Envelope};

/// Route setting `raw`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RawPolicy {
    Never,
    #[default]
    OnFailure,
    Always,
}

impl RawPolicy {
    /// Whether an envelope is shown with the vendor's bytes; an unreadable reply is, unless the policy is `never`.
    pub(super) fn shows(self, envelope: &Envelope<'_>) -> bool {
        let good = matches!(envelope.outcome, BatchOutcome::Succeeded | BatchOutcome::Accepted)
            && matches!(envelope.upstream.body, BodyState::Strict | BodyState::Absent);
        match self {
            Self::Never => false,
            Self::OnFailure => !good,
            Self::Always => true,
        }
    }
}

/// What route and caller want of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// `Prefer: handling=strict`: no inference.
    pub strict: bool,
    /// Each item's own fragment.
    pub data: bool,
    /// When the vendor's bytes are shown.
    pub raw: RawPolicy,
}
