//! What a request knows about itself: id, route, mode, clocks. Counted once, also when the caller hangs up.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::breakers::Leave;
use super::lane::Lane;
use crate::config::Mode;
use crate::envelope::Envelope;
use crate::observe::{Observer, RequestSpan};
use crate::request::Request;
use crate::upstream::{CallError, SOON, Shed};

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
    /// Leave of the upstream's breaker, until it is told how the call went.
    pub(super) leave: Option<Leave>,
    /// Its place among `limits.in_flight`.
    place: Option<OwnedSemaphorePermit>,
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
            leave: None,
            place: None,
            outcome: "abandoned",
            status: 499,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes leave of the breaker for a call of an action (none: no profile knows it), and a place among the calls in flight.
    ///
    /// # Errors
    /// [`CallError::Shed`]: it is not to be tried.
    pub(super) fn enter(&mut self, in_flight: Arc<Semaphore>, action: Option<&str>) -> Result<(), CallError> {
        let endpoint = &self.lane.endpoint;
        if let Some(breakers) = &endpoint.breakers {
            let leave = breakers.admit(action);
            self.leave = Some(leave.map_err(|wait| endpoint.upstream.shed(Shed::Breaker, wait))?);
        }
        let place = in_flight.try_acquire_owned();
        self.place = Some(place.map_err(|_| endpoint.upstream.shed(Shed::InFlight, SOON))?);
        Ok(())
    }

    /// Tells the breaker how much of the call failed on the vendor's side.
    pub(super) fn strained(&mut self, failed: f64) {
        if let Some(leave) = self.leave.take() {
            leave.tell(failed);
        }
    }

    /// What a batch came to: counted, in its span, and in the log. `took`: reading and judging the reply, where there was one.
    pub(super) fn judged(
        &self,
        asked: &Request,
        envelope: &Envelope<'_>,
        text: &str,
        took: Option<Duration>,
    ) {
        self.observer.batch(&self.id, asked, envelope, text, took);
        if let Some(span) = &self.span {
            span.judged(envelope, took.unwrap_or_default());
        }
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
        // The caller did not go away: a fault of ours took its request.
        if self.outcome == "abandoned" && std::thread::panicking() {
            self.settle("error", 502);
        }
        self.observer.exchange(&self.lane.handles, self.mode, self.outcome, self.status, self.elapsed());
    }
}
