//! The verdicts of one batch as records of their own: where ids live that no label may hold.
//!
//! Made on the request's path, so it is three allocations for a batch, however many failed: what all records share is the
//! batch's own record, their texts stand one behind the other. They become JSON where they are written or looked at.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::record::BatchRecord;
use crate::config::Include;
use crate::envelope::{Advice, Category, Envelope, Evidence, Outcome, Sources, Text, Verdict};

/// Records of one batch, in the order of its results. Hold no message: vendors' texts may quote what callers sent.
#[derive(Debug)]
pub struct Events {
    batch: Arc<BatchRecord>,
    records: Vec<Record>,
    /// Ids, codes and tasks; records point into it.
    texts: String,
}

#[derive(Debug)]
struct Record {
    /// Place among the envelope's results.
    at: u32,
    outcome: Outcome,
    evidence: Evidence,
    fault: Option<(Category, Advice)>,
    resource: Span,
    vendor_code: Span,
    task: Span,
}

/// From, to; the same twice where there is no text.
type Span = (u32, u32);

impl Events {
    /// The wanted verdicts of an envelope, the last `most` of them; `text` is the document text that its texts point into.
    pub(super) fn of(
        batch: &Arc<BatchRecord>,
        envelope: &Envelope<'_>,
        text: &str,
        include: Include,
        most: usize,
    ) -> Self {
        let s = &batch.summary;
        let count = match include {
            Include::All => s.total,
            Include::Failures => s.failed + s.not_attempted + s.unknown,
        };
        let count = (count as usize).min(most);
        let sources = envelope.sources(text);
        // Room for an id of usual length and a code.
        let mut texts = String::with_capacity(count * 48);
        let mut records = Vec::with_capacity(count);
        let wanted =
            |(_, verdict): &(usize, &Verdict)| verdict.occurrence == 0 && include.holds(verdict.outcome);
        for (at, verdict) in envelope.results.iter().enumerate().rev().filter(wanted).take(most) {
            let mut keep = |text: Option<Text>| keep(&mut texts, &sources, text);
            records.push(Record {
                at: at as u32,
                outcome: verdict.outcome,
                evidence: verdict.evidence,
                fault: verdict.fault.map(|fault| (fault.category, fault.advice)),
                resource: keep(verdict.id.or(verdict.key)),
                vendor_code: keep(verdict.fault.and_then(|fault| fault.vendor_code)),
                task: keep(verdict.task.map(|task| task.id)),
            });
        }
        records.reverse();
        Self { batch: Arc::clone(batch), records, texts }
    }

    #[cfg(test)]
    pub(super) fn alike(count: usize) -> Self {
        let record = || Record {
            at: 0,
            outcome: Outcome::Failed,
            evidence: Evidence::Reported,
            fault: None,
            resource: (0, 0),
            vendor_code: (0, 0),
            task: (0, 0),
        };
        let records = (0..count).map(|_| record()).collect();
        Self { batch: BatchRecord::nothing(), records, texts: String::new() }
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Bytes that they hold.
    pub(super) fn bytes(&self) -> usize {
        self.texts.capacity() + self.records.capacity() * size_of::<Record>()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// One of them; `at` is below [`Self::len`].
    fn view(&self, at: usize) -> View<'_> {
        let (batch, record) = (&*self.batch, &self.records[at]);
        let text =
            |(from, to): Span| Some(&self.texts[from as usize..to as usize]).filter(|text| !text.is_empty());
        View {
            event_id: EventId(&batch.id, record.at),
            time: batch.time,
            envelope_id: &batch.id,
            vendor: &batch.vendor,
            service: batch.service.as_deref(),
            action: &batch.action,
            resource_type: batch.resource_type.as_deref(),
            resource: text(record.resource),
            outcome: record.outcome.as_str(),
            evidence: record.evidence.as_str(),
            category: record.fault.map(|(category, _)| category.as_str()),
            vendor_code: text(record.vendor_code),
            advice: record.fault.map(|(_, advice)| advice.as_str()),
            task: text(record.task),
            dry_run: batch.dry_run,
        }
    }

    /// All of them, as they are written.
    pub fn iter(&self) -> impl Iterator<Item = impl Serialize + '_> {
        (0..self.len()).map(|at| self.view(at))
    }

    /// Each of them, to be kept.
    pub(super) fn each(self: &Arc<Self>) -> impl DoubleEndedIterator<Item = Event> + '_ {
        (0..self.len()).map(|at| Event { of: Arc::clone(self), at })
    }
}

/// One record, together with those it was made with.
#[derive(Clone, Debug)]
pub struct Event {
    of: Arc<Events>,
    at: usize,
}

impl Event {
    /// The envelope's id and the verdict's place in it: the same verdict always has the same id.
    pub fn id(&self) -> impl fmt::Display + '_ {
        EventId(&self.of.batch.id, self.of.records[self.at].at)
    }
}

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.of.view(self.at).serialize(serializer)
    }
}

/// A record as it is written.
#[derive(Serialize)]
struct View<'v> {
    #[serde(serialize_with = "displayed")]
    event_id: EventId<'v>,
    #[serde(serialize_with = "super::record::rfc3339")]
    time: SystemTime,
    envelope_id: &'v str,
    vendor: &'v str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'v str>,
    action: &'v str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'v str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'v str>,
    outcome: &'static str,
    evidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_code: Option<&'v str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'v str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

struct EventId<'e>(&'e str, u32);

impl fmt::Display for EventId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

/// Longest id, code or task in an event, in bytes.
const LONGEST: usize = 1024;

/// Appends a text, cut where it is too long.
fn keep(texts: &mut String, sources: &Sources<'_>, text: Option<Text>) -> Span {
    let from = texts.len();
    if let Some(text) = text {
        let text = sources.decode(text);
        let mut cut = text.len().min(LONGEST);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        texts.push_str(&text[..cut]);
    }
    (from as u32, texts.len() as u32)
}

fn displayed<S: serde::Serializer>(value: &EventId<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
