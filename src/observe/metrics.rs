//! Every metric of `/metrics`, one table. Names come from here only; `docs/metrics.md` is checked against it.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::SinkHandles;

/// What a metric is.
#[derive(Clone, Copy, Debug)]
pub struct MetricSpec {
    pub name: &'static str,
    pub kind: &'static str,
    pub labels: &'static [&'static str],
    pub help: &'static str,
}

const REQUESTS: MetricSpec = MetricSpec {
    name: "onevelope_requests_total",
    kind: "counter",
    labels: &["route", "vendor", "mode", "outcome", "status"],
    help: "Requests answered, by what became of them; outcome is passthrough where no profile recognised the call.",
};
const REQUEST_DURATION: MetricSpec = MetricSpec {
    name: "onevelope_request_duration_seconds",
    kind: "histogram",
    labels: &["route", "vendor"],
    help: "Time from a request's head to its answer's head.",
};
const UPSTREAM_ATTEMPTS: MetricSpec = MetricSpec {
    name: "onevelope_upstream_attempts_total",
    kind: "counter",
    labels: &["upstream", "result"],
    help: "Calls to vendors: replied, unreachable, timeout or lost; request_cut where the caller's body ended early; resent \
           for each that went out a second time.",
};
const UPSTREAM_DURATION: MetricSpec = MetricSpec {
    name: "onevelope_upstream_duration_seconds",
    kind: "histogram",
    labels: &["upstream"],
    help: "Time from a call to the head of its reply, or to its failure.",
};
const REFUSED: MetricSpec = MetricSpec {
    name: "onevelope_refused_total",
    kind: "counter",
    labels: &["reason"],
    help: "Requests that were not let in: they took no route, and nothing was sent.",
};
const REFUSED_REASONS: &[&str] = &[
    "no_route",
    "connect_refused",
    "no_host",
    "bad_host",
    "bad_method",
    "bad_target",
    "bad_framing",
    "connection_names_end_to_end",
    "field_passes_for_another",
    "expectation_failed",
];
const SHED: MetricSpec = MetricSpec {
    name: "onevelope_shed_total",
    kind: "counter",
    labels: &["reason"],
    help: "Calls that the gateway did not even try: nothing was sent.",
};
const SHED_REASONS: &[&str] = &["in_flight", "queue_full", "queue_timeout", "breaker"];
const BREAKER_STATE: MetricSpec = MetricSpec {
    name: "onevelope_breaker_state",
    kind: "gauge",
    labels: &["upstream", "action"],
    help: "0 passing, 1 probing, 2 tripped; action is empty unless breakers are per action.",
};
const TIMEOUTS: MetricSpec = MetricSpec {
    name: "onevelope_timeouts_total",
    kind: "counter",
    labels: &["kind"],
    help: "Clients that took too long, by the limit that cut them: header_timeout, body_idle_timeout, write_timeout, idle_timeout.",
};
/// The kinds of [`TIMEOUTS`], so that each stands there at 0.
const TIMEOUT_KINDS: [&str; 4] = ["header_timeout", "body_idle_timeout", "write_timeout", "idle_timeout"];
pub(super) const RESULTS: MetricSpec = MetricSpec {
    name: "onevelope_resource_results_total",
    kind: "counter",
    labels: &["vendor", "service", "action", "outcome", "category", "evidence"],
    help: "Resources in vendor batch replies, by what became of them. Exact; dry runs are not counted.",
};
const UNMAPPED: MetricSpec = MetricSpec {
    name: "onevelope_unmapped_codes_total",
    kind: "counter",
    labels: &["vendor", "profile"],
    help: "Replies with a vendor code that the profile's code table does not know.",
};
const DIAGNOSTICS: MetricSpec = MetricSpec {
    name: "onevelope_diagnostics_total",
    kind: "counter",
    labels: &["code"],
    help: "What had to be assumed, repaired or distrusted in replies.",
};
const NORMALIZE_DURATION: MetricSpec = MetricSpec {
    name: "onevelope_normalize_duration_seconds",
    kind: "histogram",
    labels: &["profile"],
    help: "Time to read a reply, judge it and write the envelope.",
};
const EVENTS: MetricSpec = MetricSpec {
    name: "onevelope_events_total",
    kind: "counter",
    labels: &["sink", "result"],
    help: "Events by what a sink did with them: written (stdout, file) or published (nats); failed are tries that failed, \
           most of which are repeated.",
};
const EVENTS_DROPPED: MetricSpec = MetricSpec {
    name: "onevelope_events_dropped_total",
    kind: "counter",
    labels: &["sink"],
    help: "Events that a sink will never get: its queue was full, or the spool threw them away unsent.",
};
const EVENTS_PENDING: MetricSpec = MetricSpec {
    name: "onevelope_events_pending_bytes",
    kind: "gauge",
    labels: &["sink"],
    help: "Bytes of events in the spool that the sink has not acknowledged.",
};
const BUILD_INFO: MetricSpec = MetricSpec {
    name: "onevelope_build_info",
    kind: "gauge",
    labels: &["version", "commit"],
    help: "Always 1; the labels tell what is running.",
};
const RELOAD: MetricSpec = MetricSpec {
    name: "onevelope_config_last_reload_successful",
    kind: "gauge",
    labels: &[],
    help: "1 when the configuration that was read last is the one in force.",
};

/// The families of `/metrics/resources`.
pub const RESOURCE_METRICS: &[MetricSpec; 7] = &[
    MetricSpec {
        name: "onevelope_resource_failures_total",
        kind: "counter",
        labels: &["vendor", "service", "resource_type", "resource", "category"],
        help: "Failed verdicts by resource; at most max_series resources, the others share resource=\"_overflow\". \
               A new row is 0 for its first two scrapes.",
    },
    MetricSpec {
        name: "onevelope_resource_last_failure_timestamp_seconds",
        kind: "gauge",
        labels: &["vendor", "service", "resource_type", "resource"],
        help: "When a resource failed last.",
    },
    MetricSpec {
        name: "onevelope_resource_failures_evicted_total",
        kind: "counter",
        labels: &["vendor"],
        help: "Failed verdicts of rows that were given away after they had been quiet.",
    },
    MetricSpec {
        name: "onevelope_resource_failures_held",
        kind: "gauge",
        labels: &["vendor"],
        help: "Failed verdicts of new rows that are still shown as 0.",
    },
    MetricSpec {
        name: "onevelope_resource_failures_counted_total",
        kind: "counter",
        labels: &["vendor"],
        help: "All failed verdicts: at every scrape the sum of failures, evicted and held.",
    },
    MetricSpec {
        name: "onevelope_resource_series",
        kind: "gauge",
        labels: &[],
        help: "Resources with a row of their own.",
    },
    MetricSpec {
        name: "onevelope_resource_series_limit",
        kind: "gauge",
        labels: &[],
        help: "Most resources with a row of their own.",
    },
];

/// The whole table, for documentation and its test.
pub const METRICS: &[MetricSpec] = &[
    REQUESTS,
    REQUEST_DURATION,
    REFUSED,
    UPSTREAM_ATTEMPTS,
    UPSTREAM_DURATION,
    SHED,
    BREAKER_STATE,
    TIMEOUTS,
    RESULTS,
    UNMAPPED,
    DIAGNOSTICS,
    NORMALIZE_DURATION,
    EVENTS,
    EVENTS_DROPPED,
    EVENTS_PENDING,
    BUILD_INFO,
    RELOAD,
];

/// Vendors take tens of seconds at times.
const SLOW: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const FAST: &[f64] = &[0.000_005, 0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5];

#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) requests: IntCounterVec,
    pub(super) request_duration: HistogramVec,
    pub(super) upstream_attempts: IntCounterVec,
    pub(super) upstream_duration: HistogramVec,
    pub(super) refused: IntCounterVec,
    pub(super) shed: IntCounterVec,
    pub(super) breaker_state: IntGaugeVec,
    pub(super) timeouts: IntCounterVec,
    pub(super) unmapped: IntCounterVec,
    pub(super) diagnostics: IntCounterVec,
    pub(super) normalize_duration: HistogramVec,
    events: IntCounterVec,
    events_dropped: IntCounterVec,
    events_pending: IntGaugeVec,
    pub(super) reload_successful: IntGauge,
}

impl Metrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |spec: MetricSpec| -> Result<IntCounterVec, prometheus::Error> {
            let vec = IntCounterVec::new(Opts::new(spec.name, spec.help), spec.labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok(vec)
        };
        let histogram = |spec: MetricSpec, buckets: &[f64]| -> Result<HistogramVec, prometheus::Error> {
            let options = HistogramOpts::new(spec.name, spec.help).buckets(buckets.to_vec());
            let vec = HistogramVec::new(options, spec.labels)?;
            registry.register(Box::new(vec.clone()))?;
            Ok(vec)
        };
        let build = IntGaugeVec::new(Opts::new(BUILD_INFO.name, BUILD_INFO.help), BUILD_INFO.labels)?;
        registry.register(Box::new(build.clone()))?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), env!("ONEVELOPE_COMMIT")]).set(1);
        let reload_successful = IntGauge::with_opts(Opts::new(RELOAD.name, RELOAD.help))?;
        registry.register(Box::new(reload_successful.clone()))?;
        reload_successful.set(1);
        let events_pending =
            IntGaugeVec::new(Opts::new(EVENTS_PENDING.name, EVENTS_PENDING.help), EVENTS_PENDING.labels)?;
        registry.register(Box::new(events_pending.clone()))?;
        let refused = counter(REFUSED)?;
        for reason in REFUSED_REASONS {
            refused.with_label_values(&[*reason]);
        }
        let shed = counter(SHED)?;
        for reason in SHED_REASONS {
            shed.with_label_values(&[*reason]);
        }
        let breaker_state =
            IntGaugeVec::new(Opts::new(BREAKER_STATE.name, BREAKER_STATE.help), BREAKER_STATE.labels)?;
        registry.register(Box::new(breaker_state.clone()))?;
        let diagnostics = counter(DIAGNOSTICS)?;
        for code in crate::envelope::DIAGNOSTIC_CODES {
            diagnostics.with_label_values(&[*code]);
        }
        let timeouts = counter(TIMEOUTS)?;
        for kind in TIMEOUT_KINDS {
            timeouts.with_label_values(&[kind]);
        }
        Ok(Self {
            timeouts,
            requests: counter(REQUESTS)?,
            request_duration: histogram(REQUEST_DURATION, SLOW)?,
            upstream_attempts: counter(UPSTREAM_ATTEMPTS)?,
            upstream_duration: histogram(UPSTREAM_DURATION, SLOW)?,
            refused,
            shed,
            breaker_state,
            unmapped: counter(UNMAPPED)?,
            diagnostics,
            normalize_duration: histogram(NORMALIZE_DURATION, FAST)?,
            events: counter(EVENTS)?,
            events_dropped: counter(EVENTS_DROPPED)?,
            events_pending,
            reload_successful,
        })
    }

    /// A sink's counters, at 0; only what is published can be pending.
    pub(super) fn sink(&self, name: &str, done: &'static str) -> SinkHandles {
        SinkHandles {
            done: self.events.with_label_values(&[name, done]),
            failed: self.events.with_label_values(&[name, "failed"]),
            dropped: self.events_dropped.with_label_values(&[name]),
            pending: (done == "published").then(|| self.events_pending.with_label_values(&[name])),
        }
    }
}
