//! `onevelope check`: every problem of a configuration, or the routes it makes. Opens no port.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use crate::gateway::Draft;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration file; without it, the embedded default is shown
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> u8 {
    let (config, profiles, _) = match super::serve::read(args.config.as_ref()) {
        Ok(read) => read,
        Err(code) => return code,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let draft = match Draft::of(config.clone(), Arc::new(profiles)) {
        Ok(draft) => draft,
        Err(what) => {
            super::say(&format!("onevelope: {what}"));
            return super::CONFIG;
        }
    };
    let mut out = String::new();
    for (name, listener) in &config.listen.listeners {
        let name = if name.is_empty() { "default" } else { name };
        let tls = if listener.tls.is_some() { " tls" } else { "" };
        let _ = writeln!(out, "listen {name:<20} {}{tls}", listener.address);
    }
    let _ = writeln!(out, "admin  {:<20} {}", "", config.admin.address);
    for route in draft.routes.routes() {
        let vendor = route.vendor.as_deref().unwrap_or("any vendor");
        let upstream = config.routes.get(&route.name).and_then(|r| config.upstreams.get(&r.upstream));
        let url = upstream.map_or("", |u| u.url.as_str());
        let pin = if route.pin { " pinned" } else { "" };
        let _ = writeln!(
            out,
            "route  {:<20} {:<44} {vendor:<12} {}{pin} → {url}",
            route.name,
            route.pattern(),
            route.mode.as_str()
        );
    }
    super::put(out.trim_end());
    super::say("ok");
    0
}
