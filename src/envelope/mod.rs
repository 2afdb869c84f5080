//! The one shape every batch is answered in: `docs/envelope.md`, version 1.
//!
//! Pure data and the rules that bind its parts. Knows no vendor, no wire and no clock; imports nothing of
//! ours, so whatever holds here holds wherever an envelope is made.

mod hidden; // what is never shown
mod result; // one resource's fate
mod status; // the HTTP status an envelope deserves
mod strict; // JSON that every reader takes
mod text; // strings that may still be in their JSON spelling
mod write; // envelope → bytes

pub use hidden::Hidden;
pub use result::{Advice, Category, Evidence, Fault, Origin, Outcome, Task, TaskState, Verdict};
pub use status::{StatusPolicy, status_line};
pub use text::{Sources, Text, Texts};
pub use write::{Raw, RawEncoding, Writer};

/// Version of the envelope's shape, as `version` carries it.
pub const VERSION: &str = "1.0";

/// Media type of an envelope; answered when the caller asks for it, else `application/json`.
pub const MEDIA_TYPE: &str = "application/vnd.onevelope.batch+json";

/// JSON Schema 2020-12 of the envelope, the machine's copy of `docs/envelope.md`.
pub const SCHEMA: &str = include_str!("../../docs/envelope.schema.json");

/// What became of a whole batch. See `docs/envelope.md` section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchOutcome {
    Succeeded,
    Accepted,
    Partial,
    Failed,
    Unknown,
}

impl BatchOutcome {
    /// The word used in the envelope, headers, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Accepted => "accepted",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// How the vendor's body could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyState {
    /// As it is.
    Strict,
    /// After mending slips of the closed list in `docs/envelope.md` section 3.
    Repaired,
    /// Not at all, or it fits no shape the profile knows.
    Unparsed,
    /// It ends before it is whole.
    Truncated,
    /// There was none.
    Absent,
}

impl BodyState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Repaired => "repaired",
            Self::Unparsed => "unparsed",
            Self::Truncated => "truncated",
            Self::Absent => "absent",
        }
    }
}

/// Something that had to be assumed, repaired or distrusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// From a closed set: `[a-z][a-z0-9_]*`; also a metric label.
    pub code: &'static str,
    pub message: String,
    /// Position in the request's list, when it concerns one item.
    pub index: Option<u32>,
}

impl Diagnostic {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), index: None }
    }
}

/// Every diagnostic code that exists, for metrics and docs.
pub const DIAGNOSTIC_CODES: &[&str] = &[
    "asked_unclear",
    "batch_item_mismatch",
    "body_over_limit",
    "body_truncated",
    "body_unreadable",
    "call_shed",
    "charset_replaced",
    "coding_unreadable",
    "duplicate_item",
    "id_alias",
    "json_repaired",
    "normalizer_panicked",
    "reply_unrecognised",
    "request_ambiguous",
    "request_over_limit",
    "request_unreadable",
    "unmapped_code",
    "unread_failure",
    "upstream_lost",
];

/// How a request says whom it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selects {
    /// One by one; entries without ids are named by being there.
    #[default]
    Ids,
    /// By a tag, a query, a label, or by ids that one of them narrows.
    Filter,
    /// Everything within its scope.
    All,
    /// So many new ones.
    Count,
    /// Those that a task or a look-up names.
    Lookup,
}

impl Selects {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Filter => "filter",
            Self::All => "all",
            Self::Count => "count",
            Self::Lookup => "lookup",
        }
    }
}

/// What was called: closed words only, nothing of the request but names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operation<'a> {
    pub vendor: &'a str,
    pub service: Option<&'a str>,
    pub action: &'a str,
    pub region: Option<&'a str>,
    pub resource_type: Option<&'a str>,
    /// How the request says whom it is about.
    pub selects: Selects,
    /// What ids are relative to: a bucket, an index, a scale set.
    pub scope: Option<&'a str>,
    /// `<vendor>/<family>` of the profile that read the conversation.
    pub profile: &'a str,
    pub dry_run: bool,
}

/// What is known of the call to the vendor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Upstream {
    /// HTTP status of the vendor's reply; none when there was no reply.
    pub status: Option<u16>,
    pub request_id: Option<Text>,
    pub body: BodyState,
}

/// How many results have which outcome, over results without `occurrence`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub total: u32,
    pub succeeded: u32,
    pub accepted: u32,
    pub failed: u32,
    pub not_attempted: u32,
    pub unknown: u32,
    /// Results whose advice is `retry`.
    pub retryable: u32,
    /// Results whose evidence is `inferred`.
    pub inferred: u32,
}

impl Summary {
    fn count(&mut self, verdict: &Verdict) {
        self.total += 1;
        match verdict.outcome {
            Outcome::Succeeded => self.succeeded += 1,
            Outcome::Accepted => self.accepted += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::NotAttempted => self.not_attempted += 1,
            Outcome::Unknown => self.unknown += 1,
        }
        self.inferred += u32::from(verdict.evidence == Evidence::Inferred);
        self.retryable += u32::from(verdict.fault.as_ref().is_some_and(|f| f.advice == Advice::Retry));
    }
}

/// One answer for one batch call. Made by [`Envelope::seal`], which derives what must agree; from then on it can be read only.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope<'a> {
    sealed: Sealed<'a>,
    /// What of the reply is never shown.
    pub hidden: Hidden,
}

/// What a sealed envelope says.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed<'a> {
    pub outcome: BatchOutcome,
    pub summary: Summary,
    pub operation: Operation<'a>,
    /// The request's order, then what the vendor volunteered.
    pub results: Vec<Verdict>,
    /// The vendor's outer verdict whenever it is not success.
    pub fault: Option<Fault>,
    /// One job that covers many items.
    pub task: Option<Task>,
    pub upstream: Upstream,
    pub diagnostics: Vec<Diagnostic>,
    asked: &'a str,
    made: String,
}

impl<'a> std::ops::Deref for Envelope<'a> {
    type Target = Sealed<'a>;

    fn deref(&self) -> &Sealed<'a> {
        &self.sealed
    }
}

/// How an envelope without items is to be judged (`docs/envelope.md` section 4, rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// The vendor said nothing bad.
    Succeeded,
    /// A task handle or a 202.
    Accepted,
    /// A refusal.
    Failed,
    /// Nothing could be read.
    Unknown,
}

impl From<Outcome> for Bare {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Accepted => Self::Accepted,
            Outcome::Failed | Outcome::NotAttempted => Self::Failed,
            Outcome::Unknown => Self::Unknown,
        }
    }
}

/// The parts of an envelope before its outcome is derived.
#[derive(Debug)]
pub struct Parts<'a> {
    pub operation: Operation<'a>,
    pub results: Vec<Verdict>,
    pub fault: Option<Fault>,
    /// Something states a failure that no item need explain: the outer verdict (it may do so without a code), a count, a
    /// member that no rule read.
    pub unexplained: bool,
    /// Counts say that others than the named were done.
    pub others_done: bool,
    pub task: Option<Task>,
    pub upstream: Upstream,
    pub diagnostics: Vec<Diagnostic>,
    pub bare: Bare,
    /// The asked ids, and what the gateway made itself: sources of the texts.
    pub asked: &'a str,
    pub made: String,
}

impl<'a> Envelope<'a> {
    /// Derives summary and outcome, and makes the verdicts obey their invariants: `succeeded` and
    /// `accepted` carry no fault, all others do; `unknown` advises `reconcile`; no evidence is `unknown`.
    pub fn seal(parts: Parts<'a>) -> Self {
        let Parts {
            operation,
            mut results,
            mut fault,
            unexplained,
            others_done,
            task,
            upstream,
            diagnostics,
            bare,
            asked,
            made,
        } = parts;
        let mut summary = Summary::default();
        for verdict in &mut results {
            verdict.obey();
            if verdict.occurrence == 0 {
                summary.count(verdict);
            }
        }
        let outcome = batch_outcome(&summary, unexplained, others_done, bare);
        if outcome == BatchOutcome::Unknown
            && let Some(fault) = &mut fault
        {
            fault.advice = Advice::Reconcile;
        }
        let sealed =
            Sealed { outcome, summary, operation, results, fault, task, upstream, diagnostics, asked, made };
        Self { sealed, hidden: Hidden::default() }
    }

    /// Where the texts stand, given the reply's document text.
    pub fn sources<'s>(&'s self, reply: &'s str) -> Sources<'s> {
        Sources { reply, asked: self.asked, made: &self.made, hidden: &self.hidden }
    }
}

/// `docs/envelope.md` section 4; `not_attempted` counts as `failed` here.
fn batch_outcome(summary: &Summary, unexplained: bool, others_done: bool, bare: Bare) -> BatchOutcome {
    let Summary { total, succeeded, accepted, failed, not_attempted, unknown, .. } = *summary;
    let good = succeeded + accepted;
    if total == 0 {
        match bare {
            Bare::Succeeded => BatchOutcome::Succeeded,
            Bare::Accepted => BatchOutcome::Accepted,
            Bare::Failed => BatchOutcome::Failed,
            Bare::Unknown => BatchOutcome::Unknown,
        }
    } else if good == total {
        match (unexplained, accepted) {
            (true, _) => BatchOutcome::Partial,
            (false, 0) => BatchOutcome::Succeeded,
            (false, _) => BatchOutcome::Accepted,
        }
    } else if failed + not_attempted == total {
        if others_done { BatchOutcome::Partial } else { BatchOutcome::Failed }
    } else if unknown == total {
        BatchOutcome::Unknown
    } else {
        BatchOutcome::Partial
    }
}
