//! What a request knows about itself: id, route, mode, clocks. Counted once, also when the caller hangs up.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::time::Instant;

use super::lane::Lane;
use crate::config::Mode;
use crate::observe::{Observer, RequestSpan};

/// One request under way. Dropping it counts it.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: String,
    pub(super) mode: Mode,
    /// Its span, where spans are made.
    pub(super) span: Option<RequestSpan>,
    started: Instant,
    pub(super) lane: Arc<Lane>,
    observer: Arc<Observer>,
    /// What the counters will say; until it is known, the caller went away.
    outcome: &'static str,
    status: u16,
}

/// A fresh request id: a ULID, sortable by time.
pub(super) fn fresh_id() -> String {
    ulid::Ulid::new().to_string()
}

impl Exchange {
    pub(super) fn new(
        lane: Arc<Lane>,
        observer: &Arc<Observer>,
        method: &Method,
        headers: &HeaderMap,
        id: String,
    ) -> Self {
        let route = &lane.route;
        let asked = headers.get("onevelope-mode").and_then(|value| value.to_str().ok()).and_then(Mode::parse);
        let mode = asked.filter(|_| !route.pin).unwrap_or(route.mode);
        Self {
            id,
            mode,
            span: observer.tracing().map(|tracing| tracing.request(method, &route.name, headers)),
            started: Instant::now(),
            observer: Arc::clone(observer),
            lane,
            outcome: "abandoned",
            status: 499,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What became of it.
    pub(super) fn settle(&mut self, outcome: &'static str, status: u16) {
        self.outcome = outcome;
        self.status = status;
        if let Some(span) = &self.span {
            span.answered(status);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.observer.exchange(&self.lane.handles, self.mode, self.outcome, self.status, self.elapsed());
    }
}
