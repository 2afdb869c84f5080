//! What the operator said: serde structs only, no running thing. Defaults < file < environment.
//!
//! Two passes. The file alone is read by `toml`, which knows lines and columns; then `config` layers the
//! environment over it. What runs is made from this by constructors, which keep none of it.

mod breaker;
mod bytes_size; // `16 MiB`
mod check; // what cannot be told by types
mod duration; // `5s`
mod embedded; // the configuration without a file
mod events;
mod limits;
mod listen;
mod load; // text and environment → Config
mod problem; // file:line:column: what
mod route;
mod traces;
mod upstream;

pub use breaker::{BreakerConfig, Per};
pub use bytes_size::ByteSize;
pub use duration::Span;
pub use embedded::embedded;
pub use events::{EventsConfig, FileSinkConfig, Include, NatsSinkConfig, StdoutSinkConfig};
pub use limits::LimitsConfig;
pub use listen::{AdminConfig, ListenConfig, ListenerConfig, TlsConfig};
pub use load::{load, load_text, with_environment};
pub use problem::{Problem, Problems};
pub use route::{Mode, RouteConfig};
pub use traces::TracesConfig;
pub use upstream::{HostSent, UpstreamConfig};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The whole configuration file.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub listen: ListenConfig,
    pub admin: AdminConfig,
    pub routes: BTreeMap<String, RouteConfig>,
    pub upstreams: BTreeMap<String, UpstreamConfig>,
    pub profiles: ProfilesConfig,
    pub limits: LimitsConfig,
    /// Absent: a vendor is always asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerConfig>,
    pub metrics: MetricsConfig,
    pub events: EventsConfig,
    pub drain: DrainConfig,
    pub traces: TracesConfig,
}

impl Config {
    /// The files and folders it names whose content is read again on a reload.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let tls = self.listen.listeners.values().filter_map(|listener| listener.tls.as_ref());
        let shown = tls.flat_map(|tls| [Some(&tls.cert), Some(&tls.key), tls.client_ca.as_ref()]);
        let trusted = self.upstreams.values().map(|upstream| upstream.ca.as_ref());
        shown.chain(trusted).chain([self.profiles.directory.as_ref()]).flatten().map(PathBuf::as_path)
    }
}

/// `[profiles]`.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfilesConfig {
    /// Folder of user profiles; a file replaces the built-in of the same vendor and family.
    pub directory: Option<PathBuf>,
}

/// `[metrics]`.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    pub resources: ResourceSeriesConfig,
}

/// `[metrics.resources]`: the bounded per-resource series.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceSeriesConfig {
    /// Most resources with a row of their own; further ones share the overflow row.
    pub max_series: usize,
    /// How long a resource must have been quiet before its row may be given away.
    pub ttl: Span,
}

impl Default for ResourceSeriesConfig {
    fn default() -> Self {
        Self { max_series: 2000, ttl: Span::seconds(3600) }
    }
}

/// `[drain]`: what SIGTERM does.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DrainConfig {
    /// How long to go on accepting after readiness turned false, so that load balancers notice.
    pub delay: Span,
    /// Longest wait for exchanges in flight; then they are cut.
    pub deadline: Span,
}

impl Default for DrainConfig {
    fn default() -> Self {
        Self { delay: Span::seconds(0), deadline: Span::seconds(30) }
    }
}
