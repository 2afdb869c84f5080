//! What the gateway tells about itself: metrics, logs. Counted where a fact becomes true, once.

mod labels; // bounded label values
mod log; // tracing set-up
mod metrics; // every metric, one table
mod results; // every verdict, exact

pub use log::{LogFormat, start_log};
pub use metrics::{METRICS, MetricSpec};
pub use results::ResultTable;

use std::sync::Arc;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Encoder, Registry, TextEncoder};

use crate::config::Mode;
use crate::envelope::{BatchOutcome, Envelope};
use crate::profile::{ProfileSet, Request};
use metrics::Metrics;

/// All metrics of a running gateway. Cheap to share; handles are looked up when routes are built.
#[derive(Debug)]
pub struct Observer {
    registry: Registry,
    metrics: Metrics,
    results: ResultTable,
}

/// One route's handles.
#[derive(Debug, Clone)]
pub struct RouteHandles {
    name: String,
    vendor: String,
    duration: prometheus::Histogram,
}

/// One upstream's handles.
#[derive(Debug, Clone)]
pub struct UpstreamHandles {
    name: String,
    ok: prometheus::IntCounter,
    duration: prometheus::Histogram,
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
        Ok(Arc::new(Self { registry, metrics, results }))
    }

    /// Makes the rows of the actions that routes can reach exist at 0.
    pub fn expect(&self, profiles: &ProfileSet, vendors: &[&str]) {
        self.results.expect(profiles, vendors);
    }

    pub fn route(&self, name: &str, vendor: &str) -> RouteHandles {
        let duration = self.metrics.request_duration.with_label_values(&[name, vendor]);
        RouteHandles { name: name.to_owned(), vendor: vendor.to_owned(), duration }
    }

    pub fn upstream(&self, name: &str) -> UpstreamHandles {
        UpstreamHandles {
            name: name.to_owned(),
            ok: self.metrics.upstream_attempts.with_label_values(&[name, "replied"]),
            duration: self.metrics.upstream_duration.with_label_values(&[name]),
        }
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
        let mut digits = [0; 3];
        let status = labels::status(status, &mut digits);
        self.metrics
            .requests
            .with_label_values(&[&route.name, &route.vendor, mode.as_str(), outcome, status])
            .inc();
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

    /// One batch judged: every verdict, diagnostic and unmapped code.
    pub fn batch(&self, request: &Request, envelope: &Envelope<'_>, took: Duration) {
        // Nothing was executed: predictions are not results.
        if !envelope.operation.dry_run {
            self.results.count(request, envelope);
        }
        self.metrics
            .normalize_duration
            .with_label_values(&[request.profile.name.as_str()])
            .observe(took.as_secs_f64());
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

    /// The classic text format.
    ///
    /// # Errors
    /// When a family cannot be encoded: a fault of ours.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut out = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut out)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

/// The word for a request's outcome label.
pub fn outcome_label(outcome: BatchOutcome) -> &'static str {
    outcome.as_str()
}
