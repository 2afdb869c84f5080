//! A route with all that a request on it needs: where it leads, and what counts it.

use std::sync::Arc;

use super::breakers::Breakers;
use crate::config::BreakerConfig;
use crate::observe::{Observer, RouteHandles, UpstreamHandles};
use crate::route::Route;
use crate::upstream::Upstream;

/// A vendor's endpoint and its counters.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(super) upstream: Upstream,
    pub(super) handles: UpstreamHandles,
    /// None: it is always asked.
    pub(super) breakers: Option<Breakers>,
}

impl Endpoint {
    pub(super) fn new(upstream: Upstream, breaker: Option<&BreakerConfig>, observer: &Observer) -> Self {
        let handles = observer.upstream(&upstream.name);
        let breakers = breaker.map(|config| Breakers::new(config, &upstream.name, observer));
        Self { upstream, handles, breakers }
    }
}

/// A route, its counters, and its upstream.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(super) route: Arc<Route>,
    pub(super) handles: RouteHandles,
    pub(super) endpoint: Arc<Endpoint>,
}

impl Lane {
    pub(super) fn new(route: &Arc<Route>, endpoints: &[Arc<Endpoint>], observer: &Observer) -> Self {
        let handles = observer.route(&route.name, route.vendor.as_deref().unwrap_or("any"));
        let endpoint = Arc::clone(&endpoints[route.upstream]);
        Self { route: Arc::clone(route), handles, endpoint }
    }

    pub(super) fn upstream(&self) -> &Upstream {
        &self.endpoint.upstream
    }
}
