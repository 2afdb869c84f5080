//! A gateway started in this process from a configuration text.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use onevelope::admin::Admin;
use onevelope::config::load_text;
use onevelope::gateway::Source;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Answer, Call, Metrics, Vendor, soon};

/// A running gateway; ends when it is dropped.
pub struct Gateway {
    pub address: SocketAddr,
    pub admin_address: SocketAddr,
    pub admin: Admin,
    listeners: Vec<(String, SocketAddr)>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gateway {
    /// Starts with the configuration's text; ports that it leaves open are free ones.
    pub async fn start(text: &str) -> Self {
        Self::from(text, Source::Embedded).await
    }

    /// Starts with a configuration file.
    pub async fn start_file(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("a configuration");
        Self::from(&text, Source::File(file.to_owned())).await
    }

    /// One route without host to a vendor.
    pub async fn before(vendor: &Vendor, route: Route) -> Self {
        Self::start(&route.to(vendor)).await
    }

    async fn from(text: &str, source: Source) -> Self {
        // Said once for each process; a second time is refused and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (config, profiles) =
            load_text("test.toml", &with_ports(text)).unwrap_or_else(|problems| panic!("{problems}"));
        let running = onevelope::run::start(config, Arc::new(profiles), source).await.expect("a gateway");
        let listeners = running.listeners().map(|(name, address)| (name.to_owned(), address)).collect();
        let (address, admin_address, admin) =
            (running.address(), running.admin_address(), running.admin.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(running.serve(async {
            let _ = stopped.await;
        }));
        Self { address, admin_address, admin, listeners, stop: Some(stop), task }
    }

    /// The address of `[listen.<name>]`.
    pub fn listener(&self, name: &str) -> SocketAddr {
        self.listeners.iter().find(|(own, _)| own == name).expect("a listener").1
    }

    /// What SIGTERM does.
    pub fn stop(&mut self) {
        let stop = self.stop.take().expect("stopped once");
        stop.send(()).expect("it runs");
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) {
        soon("the gateway's end", &mut self.task).await.expect("no panic");
    }

    /// Asks the admin port.
    pub async fn ask(&self, path: &str) -> Answer {
        Call::new("GET", path).header("Host", "localhost").send(self.admin_address).await
    }

    pub async fn metrics(&self) -> Metrics {
        Metrics::parse(&self.ask("/metrics").await.text())
    }
}

fn with_ports(text: &str) -> String {
    let mut text = text.to_owned();
    for table in ["listen", "admin"] {
        if !text.contains(&format!("[{table}")) {
            text.push_str(&format!("\n[{table}]\naddress = \"127.0.0.1:0\"\n"));
        }
    }
    text
}

/// The tables for one route and its upstream.
#[derive(Clone, Debug, Default)]
pub struct Route {
    vendor: Option<String>,
    route: String,
    upstream: String,
    rest: String,
}

impl Route {
    /// A catch-all route of a vendor's.
    pub fn of(vendor: &str) -> Self {
        Self { vendor: Some(vendor.to_owned()), ..Self::default() }
    }

    /// A line more in `[routes.r]`.
    pub fn with(mut self, line: &str) -> Self {
        self.route.push_str(line);
        self.route.push('\n');
        self
    }

    /// A line more in `[upstreams.u]`.
    pub fn upstream(mut self, line: &str) -> Self {
        self.upstream.push_str(line);
        self.upstream.push('\n');
        self
    }

    /// More tables.
    pub fn and(mut self, tables: &str) -> Self {
        self.rest.push_str(tables);
        self.rest.push('\n');
        self
    }

    /// The configuration's text.
    pub fn to(&self, vendor: &Vendor) -> String {
        self.to_url(&vendor.url())
    }

    pub fn to_url(&self, url: &str) -> String {
        let vendor = self.vendor.as_ref().map_or(String::new(), |name| format!("vendor = {name:?}\n"));
        let Self { route, upstream, rest, .. } = self;
        format!(
            "[routes.r]\nupstream = \"u\"\n{vendor}{route}\n[upstreams.u]\nurl = {url:?}\n{upstream}\n{rest}"
        )
    }
}

/// A folder of this test's own.
pub fn folder(name: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
