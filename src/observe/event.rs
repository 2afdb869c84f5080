//! One verdict as a record of its own: where ids live that no label may hold.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use crate::config::Include;
use crate::envelope::{Envelope, Outcome, Verdict};
use crate::profile::Request;

/// A verdict. Holds no message: vendors' texts may quote what callers sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The envelope's id and the verdict's place in it: the same verdict always has the same id.
    pub event_id: String,
    #[serde(serialize_with = "rfc3339")]
    pub time: SystemTime,
    pub envelope_id: String,
    pub vendor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    pub outcome: &'static str,
    pub evidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Event {
    pub(super) fn is_good(&self) -> bool {
        [Outcome::Succeeded, Outcome::Accepted].iter().any(|good| good.as_str() == self.outcome)
    }
}

/// The events of an envelope; `text` is the document text that its texts point into.
pub(super) fn events(
    id: &str,
    request: &Request,
    envelope: &Envelope<'_>,
    text: &str,
    include: Include,
) -> Vec<Arc<Event>> {
    let wanted = |(_, verdict): &(usize, &Verdict)| verdict.occurrence == 0 && include.holds(verdict.outcome);
    let now = SystemTime::now();
    let sources = envelope.sources(text);
    let event = |(at, verdict): (usize, &Verdict)| {
        Arc::new(Event {
            event_id: format!("{id}-{at}"),
            time: now,
            envelope_id: id.to_owned(),
            vendor: request.profile.vendor.name.clone(),
            service: request.service.clone(),
            action: request.action().name.clone(),
            resource_type: request.action().resource_type.clone(),
            resource: verdict.id.or(verdict.key).map(|id| bounded(&sources.decode(id))),
            outcome: verdict.outcome.as_str(),
            evidence: verdict.evidence.as_str(),
            category: verdict.fault.map(|fault| fault.category.as_str()),
            vendor_code: verdict
                .fault
                .and_then(|fault| fault.vendor_code)
                .map(|code| bounded(&sources.decode(code))),
            advice: verdict.fault.map(|fault| fault.advice.as_str()),
            task: verdict.task.map(|task| bounded(&sources.decode(task.id))),
            dry_run: envelope.operation.dry_run,
        })
    };
    envelope.results.iter().enumerate().filter(wanted).map(event).collect()
}

/// Longest id, code or task in an event, in bytes.
const LONGEST: usize = 1024;

fn bounded(text: &str) -> String {
    let mut cut = text.len().min(LONGEST);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    text[..cut].to_owned()
}

pub(super) fn rfc3339<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}
