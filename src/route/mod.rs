//! Which route a request takes: the most specific host, then the longest prefix, wins.

mod readings; // what else a path may say to others
mod rule; // one route, compiled

pub use rule::Route;

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::Config;

/// All routes, ready to be asked.
#[derive(Debug, Default)]
pub struct RouteTable {
    /// Routes whose host is exact, by host; each list is ordered best first.
    exact: HashMap<String, Vec<usize>>,
    /// All others, best first.
    rest: Vec<usize>,
    routes: Vec<Arc<Route>>,
    /// Whether a path can decide which route it is.
    by_path: bool,
}

/// A route and what its host captured.
#[derive(Debug)]
pub struct Found {
    /// The route's number; see [`RouteTable::routes`].
    pub number: usize,
    pub captures: Vec<(String, String)>,
}

impl RouteTable {
    /// Builds the table; `upstreams` are the names in the order of their numbers.
    ///
    /// # Errors
    /// What is wrong with a route; `config::load` has told it before, with its place.
    pub fn build(config: &Config, upstreams: &[String]) -> Result<Self, String> {
        let mut table = Self::default();
        for (name, route) in &config.routes {
            table.routes.push(Arc::new(Route::build(name, route, upstreams)?));
        }
        table.by_path = table.routes.iter().any(|route| !route.prefix().is_empty());
        let mut order: Vec<usize> = (0..table.routes.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(table.routes[at].weight()));
        for at in order {
            match table.routes[at].exact_host() {
                Some(host) => table.exact.entry(host.to_owned()).or_default().push(at),
                None => table.rest.push(at),
            }
        }
        Ok(table)
    }

    /// The route for a request that came in on a listener.
    pub fn find(&self, listener: &str, host: &str, path: &str) -> Option<Found> {
        let lower;
        let host = if host.bytes().any(|b| b.is_ascii_uppercase()) {
            lower = host.to_ascii_lowercase();
            &lower
        } else {
            host
        };
        let exact = self.exact.get(host).into_iter().flatten();
        exact.chain(&self.rest).find_map(|&number| {
            let route = &self.routes[number];
            route.fits(listener, host, path).map(|captures| Found { number, captures })
        })
    }

    /// Whether a path that took a route leads out of it, or to another, as others may read it. `based`: the upstream has a path
    /// of its own that stands before it.
    ///
    /// Where no prefix is cut off and none put before, a path is the vendor's own affair: keys of objects hold `//` and `..`.
    pub fn escapes(&self, listener: &str, host: &str, path: &str, number: usize, based: bool) -> bool {
        if (!self.by_path && !based) || readings::is_plain(path) {
            return false;
        }
        let route = &self.routes[number];
        if (based || !route.prefix().is_empty()) && route.strip(path).is_none_or(readings::climbs) {
            return true;
        }
        let same =
            |read: &String| self.find(listener, host, read).is_some_and(|found| found.number == number);
        self.by_path && readings::readings(path).is_none_or(|all| !all.iter().all(same))
    }

    /// Whether any route names this host.
    pub fn names_host(&self, host: &str) -> bool {
        self.routes.iter().any(|route| route.host.as_ref().is_some_and(|pattern| pattern.fits(host)))
    }

    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }
}
