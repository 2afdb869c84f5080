//! The HTTP status an envelope deserves. See `docs/envelope.md` section 5.

use super::{BatchOutcome, Category, Envelope, Verdict};

/// Route setting `status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusPolicy {
    /// The status tells the truth: 200, 202, 207, or the failures' own.
    #[default]
    Strict,
    /// 207 for every answer with items.
    Multi,
    /// The vendor's own status.
    Vendor,
}

/// The status for an envelope under a policy, and whether `Retry-After` may stand beside it.
///
/// `Retry-After` is allowed only where *every* item was throttled or refused for the moment: on anything
/// partly or possibly applied it would invite repeating the whole.
pub fn status_line(envelope: &Envelope<'_>, policy: StatusPolicy) -> (u16, bool) {
    let strict = strict(envelope);
    let retry_after = envelope.outcome == BatchOutcome::Failed && matches!(strict, 429 | 503);
    match policy {
        StatusPolicy::Strict => (strict, retry_after),
        StatusPolicy::Multi if envelope.summary.total > 0 => (207, false),
        StatusPolicy::Multi => (strict, retry_after),
        StatusPolicy::Vendor => match envelope.upstream.status {
            // An envelope needs a body, which these two may not have.
            Some(204 | 304) => (200, false),
            Some(status) => (status, retry_after),
            None => (strict, retry_after),
        },
    }
}

fn strict(envelope: &Envelope<'_>) -> u16 {
    match envelope.outcome {
        BatchOutcome::Succeeded => 200,
        BatchOutcome::Accepted => 202,
        BatchOutcome::Partial => 207,
        BatchOutcome::Failed => shared_status(envelope),
        BatchOutcome::Unknown => {
            let mut categories = categories(envelope).peekable();
            let all_timeout = categories.peek().is_some() && categories.all(|c| c == Category::Timeout);
            if all_timeout { 504 } else { 502 }
        }
    }
}

/// The one status all failures share; differing: 502 if all are the vendor's side, else 422.
fn shared_status(envelope: &Envelope<'_>) -> u16 {
    let mut statuses = categories(envelope).map(Category::status);
    let Some(first) = statuses.next() else { return 502 };
    let (mut same, mut all_server) = (true, first >= 500);
    for status in statuses {
        same &= status == first;
        all_server &= status >= 500;
    }
    match (same, all_server) {
        (true, _) => first,
        (false, true) => 502,
        (false, false) => 422,
    }
}

/// Categories of the verdicts that count; of the batch when there are no items.
fn categories<'e>(envelope: &'e Envelope<'_>) -> impl Iterator<Item = Category> + 'e {
    let counted = |v: &&Verdict| v.occurrence == 0;
    let items = envelope.results.iter().filter(counted).filter_map(|v| v.fault.as_ref());
    let batch = envelope.fault.as_ref().filter(|_| envelope.summary.total == 0);
    items.chain(batch).map(|fault| fault.category)
}
