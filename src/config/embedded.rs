//! The configuration without a file: the public hosts of every built-in vendor, on loopback.

use super::{Config, RouteConfig, UpstreamConfig};
use crate::profile::ProfileSet;

/// Routes for every host the profiles know; each goes to that very host over https.
pub fn embedded(profiles: &ProfileSet) -> Config {
    let mut config = Config::default();
    for vendor in profiles.vendors() {
        for (n, host) in vendor.hosts.iter().enumerate() {
            let name = if n == 0 { vendor.name.clone() } else { format!("{}-{}", vendor.name, n + 1) };
            let upstream =
                UpstreamConfig { url: format!("https://{}", host.as_str()), ..UpstreamConfig::default() };
            let route = RouteConfig {
                host: Some(host.as_str().to_owned()),
                vendor: Some(vendor.name.clone()),
                upstream: name.clone(),
                ..RouteConfig::default()
            };
            config.upstreams.insert(name.clone(), upstream);
            config.routes.insert(name, route);
        }
    }
    config
}
