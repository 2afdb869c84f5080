//! Configuration → running process: listeners, admin port, signals, drain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::admin::Admin;
use crate::config::{Config, ListenerConfig};
use crate::events::Sinks;
use crate::gateway::{Draft, Gateway, Reloader, Renew, Service, Source};
use crate::listen::{Bound, Terms, Waits, bind};
use crate::observe::{Observer, Tracing};
use crate::profile::ProfileSet;

/// How often the configuration and the files it names are looked at. Kubernetes swaps a symlink, which file events miss.
const LOOK: Duration = Duration::from_secs(2);
/// Connections the admin port may hold, apart from the others', so that probes and scrapes get through.
const ADMIN_CONNECTIONS: usize = 64;

/// A gateway whose ports are open.
pub struct Running {
    listeners: Vec<Bound>,
    admin_listener: Bound,
    pub admin: Admin,
    events: Sinks,
    config: Config,
}

/// Opens all ports.
///
/// # Errors
/// What could not be built or opened, in words.
pub async fn start(config: Config, profiles: Arc<ProfileSet>, source: Source) -> Result<Running, String> {
    let observer = Observer::new().map_err(|cause| cause.to_string())?;
    observer.trace_with(Tracing::start(&config.traces)?);
    let draft = Draft::of(config.clone(), profiles)?;
    let service = Service::new(Gateway::new(draft, Arc::clone(&observer), None));
    let mut listeners = Vec::new();
    for (name, listener) in &config.listen.listeners {
        listeners.push(bind(name, listener).await?);
    }
    let admin_config = ListenerConfig { address: config.admin.address, tls: None };
    let admin_listener = bind("admin", &admin_config).await.map_err(|what| format!("admin: {what}"))?;
    let events = Sinks::start(&config.events, &observer, service.memory()).await?;
    let reloader =
        Reloader::new(source, &config, service.clone(), Arc::clone(&observer), renewer(&listeners));
    let reloader = Arc::new(reloader);
    let admin = Admin {
        service,
        observer,
        reloader,
        ready: Arc::new(AtomicBool::new(true)),
        loopback: config.admin.address.ip().is_loopback(),
    };
    Ok(Running { listeners, admin_listener, admin, events, config })
}

impl Running {
    /// The address of the first listener, for people.
    pub fn address(&self) -> std::net::SocketAddr {
        self.listeners.first().map_or(self.config.admin.address, |bound| bound.address)
    }

    pub fn admin_address(&self) -> std::net::SocketAddr {
        self.admin_listener.address
    }

    pub fn listeners(&self) -> impl Iterator<Item = (&str, std::net::SocketAddr)> {
        self.listeners.iter().map(|bound| (bound.name.as_str(), bound.address))
    }

    /// Serves until `stop` resolves, then drains.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let (stopper, stopped) = watch::channel(false);
        let deadline = self.config.drain.deadline.0;
        let connections = Arc::new(Semaphore::new(self.config.limits.connections));
        let waits = Waits::of(&self.config.limits);
        let observer = Arc::clone(&self.admin.observer);
        let cut = move |limit| observer.timed_out(limit);
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            let service = self.admin.service.clone();
            let answer = move |name: Arc<str>, _, request| service.answer(name, request);
            let (connections, stop) = (Arc::clone(&connections), stopped.clone());
            tasks.spawn(listener.serve(Terms {
                connections,
                waits,
                stop,
                deadline,
                answer,
                cut: cut.clone(),
            }));
        }
        // The admin port outlives the others: readiness must be seen to be false, and the last counts scraped.
        let admin = self.admin.clone();
        let admin_answer = move |_, peer, request| {
            let admin = admin.clone();
            async move { admin.answer(peer, request).await }
        };
        let (admin_stopper, admin_stopped) = watch::channel(false);
        let admin_task = tokio::spawn(self.admin_listener.serve(Terms {
            connections: Arc::new(Semaphore::new(ADMIN_CONNECTIONS)),
            waits,
            stop: admin_stopped,
            deadline: Duration::from_secs(1),
            answer: admin_answer,
            cut,
        }));
        let reloads = tokio::spawn(reload_on_change(Arc::clone(&self.admin.reloader)));

        stop.await;
        self.admin.ready.store(false, Ordering::Relaxed);
        let until = Instant::now() + self.config.drain.delay.0 + deadline;
        tracing::info!(deadline = ?deadline, "draining");
        tokio::time::sleep(self.config.drain.delay.0).await;
        let _ = stopper.send(true);
        while tasks.join_next().await.is_some() {}
        self.admin.service.finish(until).await;
        reloads.abort();
        self.events.stop(until).await;
        let _ = admin_stopper.send(true);
        let _ = admin_task.await;
        let observer = Arc::clone(&self.admin.observer);
        let _ = tokio::task::spawn_blocking(move || observer.tracing().map(Tracing::shutdown)).await;
        tracing::info!("stopped");
    }
}

/// The listeners' certificates belong to what a reload renews. A listener keeps its address, and whether it speaks TLS.
fn renewer(listeners: &[Bound]) -> Renew {
    let shown = listeners.iter().filter_map(|bound| Some((bound.name.clone(), bound.certificates.clone()?)));
    let shown: Vec<_> = shown.collect();
    Box::new(move |config| {
        let tls = |name: &String| config.listen.listeners.get(name)?.tls.as_ref();
        let listed = shown.iter().filter_map(|(name, certificates)| Some((name, certificates, tls(name)?)));
        let renewed = listed.map(|(name, certificates, tls)| {
            certificates.renewed(tls).map_err(|what| format!("listen {name}: {what}"))
        });
        let renewed = renewed.collect::<Result<Vec<_>, String>>()?;
        Ok(Box::new(move || renewed.into_iter().for_each(|put| put())))
    })
}

/// SIGHUP, or a change of a file.
async fn reload_on_change(reloader: Arc<Reloader>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    let mut look = tokio::time::interval(LOOK);
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            _ = look.tick() => false,
        };
        // Reading is file work.
        let reloader = Arc::clone(&reloader);
        let reread = move || {
            if asked || reloader.is_changed() {
                reloader.reload();
            }
        };
        let _ = tokio::task::spawn_blocking(reread).await;
    }
}

/// Resolves on SIGTERM or Ctrl-C.
pub async fn termination() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
