//! What is told of a call whose reply was not read, or that got none.

use http::StatusCode;

use crate::envelope::{Category, Diagnostic, Origin, Outcome};
use crate::judge::Unanswered;
use crate::upstream::CallError;

/// What a call without a reply tells of every item.
pub(super) fn first_hand(cause: &CallError) -> Unanswered {
    let (outcome, category, origin, code) = match cause {
        CallError::Shed { .. } => {
            (Outcome::NotAttempted, Category::Unavailable, Origin::Gateway, Some("call_shed"))
        }
        CallError::Unreachable { .. } => (Outcome::Failed, Category::Unreachable, Origin::Network, None),
        CallError::HeadTimeout { .. } => {
            (Outcome::Unknown, Category::Timeout, Origin::Network, Some("upstream_lost"))
        }
        CallError::Upload { .. } | CallError::Lost { .. } => {
            (Outcome::Unknown, Category::BadResponse, Origin::Network, Some("upstream_lost"))
        }
    };
    let diagnostic = code.map(|code| Diagnostic::new(code, cause.to_string()));
    Unanswered { outcome, category, origin, diagnostic }
}

pub(super) fn too_large() -> Diagnostic {
    let what = "the reply is over limits.reply_body or limits.memory, and was not read";
    Diagnostic::new("body_over_limit", what)
}

pub(super) fn streamed() -> Diagnostic {
    Diagnostic::new("body_unreadable", "the reply is a stream, and was not read")
}

/// Whether a status comes with something to judge: one of those that exist, and not "you have it already".
pub(super) fn says_something(status: StatusCode) -> bool {
    status.as_u16() < 600 && status != StatusCode::NOT_MODIFIED
}

pub(super) fn says_nothing() -> Diagnostic {
    Diagnostic::new("reply_unrecognised", "a reply of this status says nothing of any resource")
}
