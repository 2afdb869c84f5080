//! What is kept of one batch: names, outcome and counts.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use crate::envelope::Envelope;
use crate::request::Request;

/// One batch, as the admin pages show it.
#[derive(Clone, Debug, Serialize)]
pub struct BatchRecord {
    /// The envelope's id.
    pub id: String,
    #[serde(serialize_with = "rfc3339")]
    pub time: SystemTime,
    pub vendor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub action: String,
    pub profile: String,
    pub outcome: &'static str,
    pub summary: SummaryRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Of the action; for the records of its verdicts.
    #[serde(skip)]
    pub resource_type: Option<String>,
}

impl BatchRecord {
    #[cfg(test)]
    pub(super) fn nothing() -> Arc<Self> {
        Arc::new(Self {
            id: "1".to_owned(),
            time: SystemTime::UNIX_EPOCH,
            vendor: String::new(),
            service: None,
            action: String::new(),
            profile: String::new(),
            outcome: "failed",
            summary: SummaryRecord::default(),
            upstream_status: None,
            dry_run: false,
            resource_type: None,
        })
    }

    pub(super) fn of(id: &str, request: &Request, envelope: &Envelope<'_>) -> Arc<Self> {
        let s = &envelope.summary;
        Arc::new(Self {
            id: id.to_owned(),
            time: SystemTime::now(),
            vendor: request.profile.vendor.name.clone(),
            service: request.service.clone(),
            action: request.action().name.clone(),
            profile: request.profile.name.clone(),
            outcome: envelope.outcome.as_str(),
            summary: SummaryRecord {
                total: s.total,
                succeeded: s.succeeded,
                accepted: s.accepted,
                failed: s.failed,
                not_attempted: s.not_attempted,
                unknown: s.unknown,
            },
            upstream_status: envelope.upstream.status,
            dry_run: envelope.operation.dry_run,
            resource_type: request.action().resource_type.clone(),
        })
    }
}

/// The envelope's summary.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct SummaryRecord {
    pub total: u32,
    pub succeeded: u32,
    pub accepted: u32,
    pub failed: u32,
    pub not_attempted: u32,
    pub unknown: u32,
}

pub(super) fn rfc3339<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*time))
}
