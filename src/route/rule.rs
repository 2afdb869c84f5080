//! One route, compiled.

use crate::config::{Mode, RouteConfig};
use crate::envelope::StatusPolicy;
use crate::profile::HostPattern;
use crate::reply::RawPolicy;

/// What a request must look like, and what is done with it.
#[derive(Debug)]
pub struct Route {
    pub name: String,
    pub(super) host: Option<HostPattern>,
    prefix: String,
    listener: Option<String>,
    pub vendor: Option<String>,
    /// The upstream's number.
    pub upstream: usize,
    pub mode: Mode,
    pub status: StatusPolicy,
    pub raw: RawPolicy,
    pub pin: bool,
    pub data: bool,
}

impl Route {
    pub(super) fn build(name: &str, config: &RouteConfig, upstreams: &[String]) -> Result<Self, String> {
        let upstream = upstreams.iter().position(|known| *known == config.upstream);
        Ok(Self {
            name: name.to_owned(),
            host: config.host.as_deref().map(HostPattern::parse).transpose()?,
            prefix: config.prefix.as_deref().unwrap_or("").trim_end_matches('/').to_owned(),
            listener: config.listener.clone(),
            vendor: config.vendor.clone(),
            upstream: upstream.ok_or_else(|| format!("routes.{name}: no upstream {:?}", config.upstream))?,
            mode: config.mode,
            status: config.status,
            raw: config.raw,
            pin: config.pin,
            data: config.data,
        })
    }

    /// The host, where it has no captures.
    pub(super) fn exact_host(&self) -> Option<&str> {
        self.host.as_ref().filter(|host| host.names().next().is_none()).map(HostPattern::as_str)
    }

    /// More specific is greater: literal labels, then the prefix, then the listener.
    pub(super) fn weight(&self) -> (bool, usize, usize, bool) {
        let labels = self.host.as_ref().map_or(0, HostPattern::weight);
        (
            self.exact_host().is_some(),
            labels + usize::from(self.host.is_some()),
            self.prefix.len(),
            self.listener.is_some(),
        )
    }

    /// The host's captures, when the request fits.
    pub(super) fn fits(&self, listener: &str, host: &str, path: &str) -> Option<Vec<(String, String)>> {
        if self.listener.as_ref().is_some_and(|own| own != listener) || self.strip(path).is_none() {
            return None;
        }
        match &self.host {
            Some(pattern) => pattern.find(host),
            None => Some(Vec::new()),
        }
    }

    /// The path without the prefix.
    pub fn strip<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.prefix.is_empty() {
            return Some(path);
        }
        let rest = path.strip_prefix(self.prefix.as_str())?;
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
    }

    /// Whether the route itself names a host, which is then forwarded as the client sent it.
    pub fn names_host(&self) -> bool {
        self.host.is_some()
    }

    /// The path prefix that is stripped; empty where there is none.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// For people: what it matches.
    pub fn pattern(&self) -> String {
        let host = self.host.as_ref().map_or("*", HostPattern::as_str);
        let listener = self.listener.as_ref().map_or(String::new(), |l| format!(" on listen.{l}"));
        format!("{host}{}{listener}", if self.prefix.is_empty() { "/" } else { &self.prefix })
    }
}
