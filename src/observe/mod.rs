//! What the gateway tells about itself: metrics, logs. Counted where a fact becomes true, once.

mod event; // one verdict as a record
mod expose; // families as text
mod families; // families made by hand
mod labels; // bounded label values
mod log; // tracing set-up
mod metrics; // every metric, one table
mod outbox; // events leave the request's path
mod recent; // the last batches and failures
mod record; // one batch
mod resources; // which resources fail, bounded
mod results; // every verdict, exact
#[cfg(feature = "otlp")]
mod trace; // spans
#[cfg(not(feature = "otlp"))]
#[path = "no_trace.rs"]
mod trace;

pub use event::{Event, Events};
pub use expose::Format;
use log::log_batch;
pub use log::{Lines, LogFormat, Quota, start_log};
pub use metrics::{METRICS, MetricSpec, RESOURCE_METRICS};
pub use outbox::{Inbox, Outbox, Queued, SinkHandles};
pub use recent::{Live, Recent};
pub use record::BatchRecord;
pub use resources::ResourceTable;
pub use results::ResultTable;
pub use trace::{RequestSpan, Tracing};

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use prometheus::core::Collector;
use prometheus::{IntCounter, Registry};

use crate::config::{Include, Mode};
use crate::envelope::{BatchOutcome, Envelope};
use crate::profile::ProfileSet;
use crate::request::Request;
use metrics::Metrics;

/// All metrics of a running gateway. Cheap to share; handles are looked up when routes are built.
#[derive(Debug)]
pub struct Observer {
    registry: Registry,
    metrics: Metrics,
    results: ResultTable,
    pub resources: ResourceTable,
    pub recent: Recent,
    outbox: ArcSwapOption<Outbox>,
    tracing: OnceLock<Tracing>,
    /// Log lines of batches.
    batch_lines: Quota,
    /// Log lines of requests that were not let through: strangers can cause them.
    refusals: Lines,
    /// Log lines of requests that got no reply, half of one, or were not read.
    pub suffered: Lines,
}

/// Lines a second for batches in which something is not good.
const BATCH_LINES: u32 = 100;
/// Lines a second for requests that suffered. Refusals have fewer, and their own: a stranger's must not hide a vendor's failures.
const SUFFERED_LINES: u32 = 50;
const REFUSED_LINES: u32 = 10;

/// One route's handles.
#[derive(Debug, Clone)]
pub struct RouteHandles {
    name: String,
    vendor: String,
    duration: prometheus::Histogram,
    /// Its requests by mode, outcome and status, as they are met: few, and looking one up by its labels costs more.
    requests: Arc<RwLock<Vec<(RequestKind, IntCounter)>>>,
}

type RequestKind = (Mode, &'static str, u16);

/// One upstream's handles.
#[derive(Debug, Clone)]
pub struct UpstreamHandles {
    name: String,
    ok: prometheus::IntCounter,
    duration: prometheus::Histogram,
}

/// The breakers of one upstream.
#[derive(Debug, Clone)]
pub struct BreakerHandles {
    upstream: String,
    state: prometheus::IntGaugeVec,
}

impl BreakerHandles {
    pub fn upstream(&self) -> &str {
        &self.upstream
    }

    /// Where the breaker of an action stands: 0 passing, 1 probing, 2 tripped.
    pub fn stands(&self, action: &str, state: u8) {
        self.state.with_label_values(&[&*self.upstream, action]).set(i64::from(state));
    }
}

impl Observer {
    /// # Errors
    /// When a metric is registered twice: a fault of ours.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let metrics = Metrics::register(&registry)?;
        let results = ResultTable::default();
        registry.register(Box::new(results.clone()) as Box<dyn Collector>)?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        // Bounds come with the first configuration.
        let resources = ResourceTable::new(0, Duration::ZERO);
        Ok(Arc::new(Self {
            registry,
            metrics,
            results,
            resources,
            recent: Recent::default(),
            outbox: ArcSwapOption::empty(),
            tracing: OnceLock::new(),
            batch_lines: Quota::new(BATCH_LINES),
            refusals: Lines::new(REFUSED_LINES),
            suffered: Lines::new(SUFFERED_LINES),
        }))
    }

    /// Makes the rows of the actions that routes can reach exist at 0.
    pub fn expect(&self, profiles: &ProfileSet, vendors: &[&str]) {
        self.results.expect(profiles, vendors);
        self.resources.expect(vendors);
    }

    pub fn route(&self, name: &str, vendor: &str) -> RouteHandles {
        let duration = self.metrics.request_duration.with_label_values(&[name, vendor]);
        RouteHandles { name: name.to_owned(), vendor: vendor.to_owned(), duration, requests: Arc::default() }
    }

    pub fn upstream(&self, name: &str) -> UpstreamHandles {
        UpstreamHandles {
            name: name.to_owned(),
            ok: self.metrics.upstream_attempts.with_label_values(&[name, "replied"]),
            duration: self.metrics.upstream_duration.with_label_values(&[name]),
        }
    }

    pub fn breaker(&self, upstream: &str) -> BreakerHandles {
        BreakerHandles { upstream: upstream.to_owned(), state: self.metrics.breaker_state.clone() }
    }

    /// A request that took no route; `reason` is a word from the metric's list.
    pub fn refused(&self, request_id: &str, reason: &'static str, cause: &dyn std::fmt::Display) {
        self.metrics.refused.with_label_values(&[reason]).inc();
        self.refusals.warn("request refused", request_id, reason, cause);
    }

    /// A call that was not even tried; `reason` is a [`crate::upstream::Shed`]'s.
    pub fn shed(&self, reason: &'static str) {
        self.metrics.shed.with_label_values(&[reason]).inc();
    }

    /// Sends spans from now on; said once, at start.
    pub fn trace_with(&self, tracing: Option<Tracing>) {
        if let Some(tracing) = tracing {
            // A second start would be a fault of ours, and changes nothing.
            let _ = self.tracing.set(tracing);
        }
    }

    pub fn tracing(&self) -> Option<&Tracing> {
        self.tracing.get()
    }

    /// Hands events over from now on; none: no longer.
    pub fn send_events_to(&self, outbox: Option<Outbox>) {
        self.outbox.store(outbox.map(Arc::new));
    }

    /// The counters of a sink of events, at 0; `done` is the word for an event that arrived.
    pub fn sink(&self, name: &str, done: &'static str) -> SinkHandles {
        self.metrics.sink(name, done)
    }

    /// One request answered (or abandoned).
    pub fn exchange(
        &self,
        route: &RouteHandles,
        mode: Mode,
        outcome: &'static str,
        status: u16,
        took: Duration,
    ) {
        let kind = (mode, outcome, status);
        let known = |list: &[(RequestKind, IntCounter)]| {
            list.iter().find(|(own, _)| *own == kind).map(|(_, counter)| counter.inc())
        };
        if known(&route.requests.read().unwrap_or_else(PoisonError::into_inner)).is_none() {
            let mut digits = [0; 3];
            let labels =
                [&*route.name, &*route.vendor, mode.as_str(), outcome, labels::status(status, &mut digits)];
            let counter = self.metrics.requests.with_label_values(&labels);
            counter.inc();
            route.requests.write().unwrap_or_else(PoisonError::into_inner).push((kind, counter));
        }
        route.duration.observe(took.as_secs_f64());
    }

    /// One call to a vendor; `result` is `replied` or a [`crate::upstream::CallError`]'s reason.
    pub fn attempt(&self, upstream: &UpstreamHandles, result: &'static str, took: Duration) {
        if result == "replied" {
            upstream.ok.inc();
        } else {
            self.metrics.upstream_attempts.with_label_values(&[upstream.name.as_str(), result]).inc();
        }
        upstream.duration.observe(took.as_secs_f64());
    }

    /// A call went out twice: the kept connection that it went out on first had been closed.
    pub fn resent(&self, upstream: &UpstreamHandles) {
        self.metrics.upstream_attempts.with_label_values(&[upstream.name.as_str(), "resent"]).inc();
    }

    /// A client took too long; `limit` is the limit's name.
    pub fn timed_out(&self, limit: &'static str) {
        self.metrics.timeouts.with_label_values(&[limit]).inc();
    }

    /// One batch judged: every verdict, diagnostic and unmapped code.
    ///
    /// `text` is the document text that the envelope's texts point into; `took` what reading and judging took, where there was
    /// something to read.
    pub fn batch(
        &self,
        id: &str,
        request: &Request,
        envelope: &Envelope<'_>,
        text: &str,
        took: Option<Duration>,
    ) {
        log_batch(&self.batch_lines, id, envelope);
        let s = &envelope.summary;
        let bad = s.failed + s.not_attempted + s.unknown > 0;
        // Nothing was executed: predictions are not results.
        let block = self.results.block(request);
        if !envelope.operation.dry_run {
            block.count(envelope);
            if bad {
                block.exemplify(id, envelope, text);
                self.resources.count(request, envelope, text);
            }
        }
        let record = BatchRecord::of(id, request, envelope);
        let events = |include, most| Arc::new(Events::of(&record, envelope, text, include, most));
        let mut failures = None;
        if let Some(outbox) = &*self.outbox.load()
            && (bad || outbox.include == Include::All)
        {
            let all = events(outbox.include, usize::MAX);
            outbox.put(&all);
            // What is kept to be looked at holds nothing else.
            failures = (outbox.include == Include::Failures && all.len() <= recent::KEPT).then_some(all);
        }
        if bad && failures.is_none() {
            failures = Some(events(Include::Failures, recent::KEPT));
        }
        self.recent.add(Arc::clone(&record), failures.as_ref());
        if let Some(took) = took {
            block.took(took, || self.metrics.normalize_duration.with_label_values(&[&*request.profile.name]));
        }
        for diagnostic in &envelope.diagnostics {
            self.metrics.diagnostics.with_label_values(&[diagnostic.code]).inc();
            if diagnostic.code == "unmapped_code" {
                let labels = [request.profile.vendor.name.as_str(), request.profile.name.as_str()];
                self.metrics.unmapped.with_label_values(&labels).inc();
            }
        }
    }

    /// A diagnostic of a call that was not judged.
    pub fn diagnostic(&self, code: &'static str) {
        self.metrics.diagnostics.with_label_values(&[code]).inc();
    }

    pub fn reloaded(&self, successfully: bool) {
        self.metrics.reload_successful.set(i64::from(successfully));
    }

    /// `/metrics` in a format.
    pub fn text(&self, format: Format) -> String {
        expose::expose(&self.registry.gather(), format, |name, labels| self.results.exemplar(name, labels))
    }

    /// `/metrics/resources` in a format; `who` tells scrapers apart.
    pub fn resources_text(&self, who: &str, format: Format) -> String {
        expose::expose(&self.resources.scrape(who).families(), format, |_, _| None)
    }

    /// Verdicts by vendor and outcome since start.
    pub fn by_vendor(&self) -> Vec<(String, [u64; 5])> {
        self.results.by_vendor()
    }
}

/// The word for a request's outcome label.
pub fn outcome_label(outcome: BatchOutcome) -> &'static str {
    outcome.as_str()
}
