//! Logs: human on a terminal, JSON lines otherwise.

use std::fmt;
use std::io::{IsTerminal, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::envelope::{BatchOutcome, Envelope};
use crate::json_text::{number, string};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Human on a terminal, else JSON.
    Auto,
    Human,
    Json,
}

/// Starts logging to standard error. `ONEVELOPE_LOG` sets levels as `RUST_LOG` does elsewhere; default `info`.
pub fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env("ONEVELOPE_LOG").unwrap_or_else(|_| EnvFilter::new("info,async_nats=warn"));
    let terminal = std::io::stderr().is_terminal();
    let human = format == LogFormat::Human || (format == LogFormat::Auto && terminal);
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start (tests) changes nothing.
    let _ = if human {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        builder.with_ansi(colour).try_init()
    } else {
        builder.event_format(JsonLine).try_init()
    };
}

/// Room for so many lines a second. A vendor that is down fails every batch, and a line for each would fill the disk and
/// tell nothing that the metrics and events do not.
#[derive(Debug)]
pub struct Quota {
    a_second: u32,
    now: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    began: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Quota {
    pub(super) fn new(a_second: u32) -> Self {
        Self { a_second, now: Mutex::default() }
    }

    /// Whether there is room for a line, and how many were left out since the last that had room.
    pub fn take(&self, now: Instant) -> Option<u64> {
        let mut window = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if window.began.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1)) {
            (window.began, window.lines) = (Some(now), 0);
        }
        if window.lines >= self.a_second {
            window.left_out += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

/// Log lines of requests that suffered, as many a second as there is room for. Owns line and quota, so that none is written
/// without asking.
#[derive(Debug)]
pub struct Lines(Quota);

impl Lines {
    pub(super) fn new(a_second: u32) -> Self {
        Self(Quota::new(a_second))
    }

    /// `message` is a constant, `reason` a word from a closed set, `cause` is for people; none holds what a caller sent but names.
    pub fn warn(&self, message: &'static str, request_id: &str, reason: &str, cause: &dyn fmt::Display) {
        let Some(left_out) = self.0.take(Instant::now()) else { return };
        if left_out > 0 {
            tracing::warn!(requests = left_out, "more requests suffered");
        }
        tracing::warn!(request_id, reason, error = %cause, "{message}");
    }
}

/// One structured line for each recognised batch, at `info` where something in it is not good and there is room: names and
/// counts, never ids, messages, bodies or queries.
pub(super) fn log_batch(lines: &Quota, id: &str, envelope: &Envelope<'_>) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id = id,
                vendor = envelope.operation.vendor,
                action = envelope.operation.action,
                profile = envelope.operation.profile,
                outcome = envelope.outcome.as_str(),
                total = envelope.summary.total,
                succeeded = envelope.summary.succeeded,
                accepted = envelope.summary.accepted,
                failed = envelope.summary.failed,
                not_attempted = envelope.summary.not_attempted,
                unknown = envelope.summary.unknown,
                upstream_status = envelope.upstream.status.unwrap_or_default(),
                body = envelope.upstream.body.as_str(),
                diagnostics = envelope.diagnostics.len(),
                "batch"
            )
        };
    }
    match envelope.outcome {
        BatchOutcome::Succeeded | BatchOutcome::Accepted => line!(debug),
        BatchOutcome::Partial | BatchOutcome::Failed | BatchOutcome::Unknown => {
            let Some(left_out) = lines.take(Instant::now()) else { return };
            if left_out > 0 {
                tracing::info!(batches = left_out, "more batches in which something was not good");
            }
            line!(info);
        }
    }
}

/// One JSON object a line: time, level, then the event's own fields. Written straight into the line, because a batch that
/// went wrong has one, and a busy gateway has many.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields(Vec::with_capacity(512));
        event.record(&mut fields);
        fields.0.extend_from_slice(b"}\n");
        let time = humantime::format_rfc3339_micros(SystemTime::now());
        let level = event.metadata().level();
        write!(line, "{{\"timestamp\":\"{time}\",\"level\":\"{level}\"")?;
        line.write_str(std::str::from_utf8(&fields.0).map_err(|_| fmt::Error)?)
    }
}

/// Fields as JSON members, each with a comma before it.
struct Fields(Vec<u8>);

impl Fields {
    fn name(&mut self, field: &Field) {
        self.0.push(b',');
        string(&mut self.0, field.name());
        self.0.push(b':');
    }

    fn bare(&mut self, field: &Field, value: &dyn fmt::Display) {
        self.name(field);
        // Writing to memory cannot fail.
        let _ = write!(self.0, "{value}");
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        string(&mut self.0, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        number(&mut self.0, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no word for infinity.
        if value.is_finite() { self.bare(field, &value) } else { self.record_str(field, &value.to_string()) }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_quota_are_counted_and_told_once_there_is_room() {
        let (quota, start) = (Quota::new(2), Instant::now());
        let at = |ms: u64| quota.take(start + Duration::from_millis(ms));
        assert_eq!([at(0), at(1), at(2), at(999)], [Some(0), Some(0), None, None]);
        assert_eq!([at(1000), at(1001), at(1002)], [Some(2), Some(0), None]);
        assert_eq!(at(60_000), Some(1));
    }
}
