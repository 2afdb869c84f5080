//! The only place that knows everyone: configuration and profiles become a running service.
//!
//! [`answer`](answer::answer) is one request, start to end; everything that knows of vendors, actions or resources is a
//! plain step in it.

mod answer; // one request, start to end
mod breakers; // an upstream's breakers, and what trips them
mod detach; // work that outlives its caller
mod door; // what is let in
mod error; // we could not answer
mod exchange; // what a request knows about itself
mod lane; // a route, where it leads, what counts it
mod look; // a request is read
mod off_loop; // what would hold up the event loop
mod outgoing; // what the vendor sees
mod reload; // a new configuration, all or nothing
mod rescue; // GatewayError → reply; the single place
mod respond; // envelope → response
mod room; // what reading takes of the memory
mod unread; // what is told of a call without a reply that was read

pub use error::GatewayError;
pub use reload::{Reloader, Renew, Source};

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::body::{Body, Budget, GRAIN, Places};
use crate::config::{Config, LimitsConfig};
use crate::decode::Bounds;
use crate::observe::Observer;
use crate::profile::ProfileSet;
use crate::reply::Limits;
use crate::route::RouteTable;
use crate::upstream::Upstream;
use breakers::Breakers;
use lane::{Endpoint, Lane};

/// Values and keys of a document that one item may have on average.
const NODES_PER_ITEM: usize = 32;
/// What a document may always hold, however few items are allowed.
const LEAST_NODES: usize = 4096;

/// A configuration that can run: everything that may be wrong with it has been looked at, and nothing has happened yet.
#[derive(Debug)]
pub struct Draft {
    pub routes: RouteTable,
    upstreams: Vec<Upstream>,
    profiles: Arc<ProfileSet>,
    config: Config,
}

impl Draft {
    /// Opens no port, calls nobody, counts nothing.
    ///
    /// # Errors
    /// What could not be built: a CA file that holds no certificate, for instance.
    pub fn of(config: Config, profiles: Arc<ProfileSet>) -> Result<Self, String> {
        let names: Vec<String> = config.upstreams.keys().cloned().collect();
        let routes = RouteTable::build(&config, &names)?;
        let upstreams = config.upstreams.iter().map(|(name, upstream)| Upstream::build(name, upstream));
        let upstreams = upstreams.collect::<Result<_, String>>()?;
        Ok(Self { routes, upstreams, profiles, config })
    }
}

/// Everything that one configuration stands for. Replaced as a whole on reload.
#[derive(Debug)]
pub struct Gateway {
    pub routes: RouteTable,
    /// The routes again, by the same numbers, with all that a request needs.
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub profiles: Arc<ProfileSet>,
    pub(crate) limits: Limits,
    pub(crate) request_body: usize,
    pub(crate) reply_body: usize,
    /// Longest silence inside a request's body.
    pub(crate) body_idle: Duration,
    /// What all calls together may hold and have under way.
    pub(crate) shared: Shared,
    pub(crate) observer: Arc<Observer>,
    /// The configuration as it is in force, for `/api/config`.
    pub shown: serde_json::Value,
}

impl Gateway {
    /// What runs from now on: its rows stand in the metrics. Calls that began under another configuration still hold what they
    /// hold, so what bounds them all is that one's, made larger or smaller.
    pub fn new(draft: Draft, observer: Arc<Observer>, before: Option<&Self>) -> Self {
        let Draft { routes, mut upstreams, profiles, config } = draft;
        let shared = match before {
            Some(before) => before.shared.clone(),
            None => Shared::new(),
        };
        shared.resize(&config.limits);
        for upstream in &mut upstreams {
            let known = before.and_then(|before| before.upstream(&upstream.name));
            if let Some(known) = known {
                upstream.succeed(known);
            }
        }
        let endpoint = |upstream| Arc::new(Endpoint::new(upstream, config.breaker.as_ref(), &observer));
        let endpoints: Vec<Arc<Endpoint>> = upstreams.into_iter().map(endpoint).collect();
        let lanes = routes.routes().iter();
        let lanes = lanes.map(|route| Arc::new(Lane::new(route, &endpoints, &observer))).collect();
        let vendors: Vec<&str> = match routes.routes().iter().any(|route| route.vendor.is_none()) {
            true => profiles.vendors().iter().map(|vendor| vendor.name.as_str()).collect(),
            false => routes.routes().iter().filter_map(|route| route.vendor.as_deref()).collect(),
        };
        observer.resources.resize(config.metrics.resources.max_series, config.metrics.resources.ttl.0);
        observer.expect(&profiles, &vendors);
        let limits = &config.limits;
        Self {
            limits: Limits {
                decoded_body: limits.decoded_body.0,
                ratio: limits.decompression_ratio,
                bounds: Bounds {
                    depth: limits.json_depth,
                    nodes: limits.items.saturating_mul(NODES_PER_ITEM).max(LEAST_NODES),
                    decoded: limits.decoded_body.0,
                },
                items: limits.items,
                envelope: limits.envelope.0,
            },
            request_body: limits.request_body.0,
            reply_body: limits.reply_body.0,
            body_idle: limits.body_idle_timeout.0,
            shared,
            observer,
            shown: serde_json::to_value(&config).unwrap_or_default(),
            lanes,
            routes,
            profiles,
        }
    }

    fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.lanes.iter().map(|lane| lane.upstream()).find(|upstream| upstream.name == name)
    }

    /// Upstream, action (empty: all) and state of each breaker.
    pub fn breakers(&self) -> Vec<(String, String, &'static str)> {
        let all = self.lanes.iter().filter_map(|lane| lane.endpoint.breakers.as_ref());
        let mut rows: Vec<_> = all.flat_map(Breakers::states).collect();
        rows.sort();
        // Several routes may lead to one upstream.
        rows.dedup();
        rows
    }
}

/// What outlives a configuration: calls begun under one are under way under the next.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// Bytes that may be held at once; one place is one [`GRAIN`].
    memory: Arc<Places>,
    /// Places for calls on their way to vendors.
    in_flight: Arc<Places>,
    /// Batches whose callers went away.
    detached: TaskTracker,
}

impl Shared {
    fn new() -> Self {
        Self {
            memory: Arc::new(Places::new(0)),
            in_flight: Arc::new(Places::new(0)),
            detached: TaskTracker::new(),
        }
    }

    fn resize(&self, limits: &LimitsConfig) {
        self.memory.resize(limits.memory.0 / GRAIN);
        self.in_flight.resize(limits.in_flight);
    }

    /// An empty share of the memory.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(self.memory.all())
    }
}

/// The running gateway, whatever its configuration is at the moment.
#[derive(Clone, Debug)]
pub struct Service {
    current: Arc<ArcSwap<Gateway>>,
}

impl Service {
    pub fn new(gateway: Gateway) -> Self {
        Self { current: Arc::new(ArcSwap::from_pointee(gateway)) }
    }

    /// The configuration in force now; requests under way keep the one they began with.
    pub fn current(&self) -> Arc<Gateway> {
        self.current.load_full()
    }

    /// Puts a configuration into force.
    pub fn replace(&self, draft: Draft) {
        let before = self.current();
        let gateway = Gateway::new(draft, Arc::clone(&before.observer), Some(&before));
        self.current.store(Arc::new(gateway));
    }

    /// What all held bodies and waiting events share, one place for each [`GRAIN`]; whatever the configuration is.
    pub fn memory(&self) -> Arc<Semaphore> {
        self.current().shared.memory.all()
    }

    /// Waits for the batches whose callers went away: their verdicts are wanted all the same. Nobody may call it any more.
    pub async fn finish(&self, deadline: Instant) {
        let current = self.current();
        let detached = &current.shared.detached;
        detached.close();
        if tokio::time::timeout_at(deadline, detached.wait()).await.is_err() {
            tracing::warn!(
                batches = detached.len(),
                "drain deadline reached; what became of batches without callers is not known"
            );
        }
    }

    /// Answers one request that came in on a listener. In a box: hyper moves it about.
    pub fn answer(
        &self,
        listener: Arc<str>,
        request: Request<Incoming>,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(answer::answer(self.current(), listener, request))
    }
}
