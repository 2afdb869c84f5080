//! Verdicts leave the process: to standard output, to files, to a NATS JetStream. Never on a request's path.
//!
//! Requests put events into bounded queues (`observe::Outbox`); here are the other ends. What goes to NATS goes through the
//! spool: written first, then published from there, and marked as done when the stream has acknowledged it.

mod file; // the thread that writes the spool
mod lines; // events as lines
#[cfg(feature = "nats")]
mod link; // a connection to JetStream
#[cfg(not(feature = "nats"))]
#[path = "no_link.rs"]
mod link;
mod parcel; // events under way
mod publish; // from the spool to the stream
pub mod spool; // events on disk
mod stdout; // the thread that writes standard output

pub use lines::Head;
pub use link::Link;
pub use parcel::{Fate, Parcel};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::EventsConfig;
use crate::observe::{Observer, Outbox};
use publish::Publisher;
use spool::Spool;

/// Least time that sinks get to finish in, whatever the drain has left.
const LEAST: Duration = Duration::from_secs(1);

/// All running sinks.
#[derive(Debug)]
pub struct Sinks {
    observer: Arc<Observer>,
    stdout: Option<Worker>,
    file: Option<Worker>,
    publisher: Option<(watch::Sender<Option<Instant>>, JoinHandle<()>)>,
    closing: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Worker {
    name: &'static str,
    thread: std::thread::Thread,
    /// Resolves when the thread has ended.
    ended: oneshot::Receiver<()>,
}

impl Sinks {
    /// Starts what is configured and has the observer hand its events over; while they wait, they have a share of `memory`.
    ///
    /// # Errors
    /// What could not be opened, in words. NATS being away is no error: events wait in the spool.
    pub async fn start(
        config: &EventsConfig,
        observer: &Arc<Observer>,
        memory: Arc<Semaphore>,
    ) -> Result<Self, String> {
        let mut sinks = Self {
            observer: Arc::clone(observer),
            stdout: None,
            file: None,
            publisher: None,
            closing: Arc::default(),
        };
        let mut outbox = Outbox::new(config.include, memory);
        if config.stdout.is_some() {
            let sink = observer.sink("stdout", "written");
            let inbox = outbox.open(&sink);
            sinks.stdout = Some(sinks.spawn("stdout", move |_| stdout::run(&inbox, &sink))?);
        }
        if let Some(place) = config.spool() {
            let (spool, writer) = Spool::open(&place)?;
            let sink = observer.sink("file", "written");
            let inbox = outbox.open(&sink);
            sinks.file = Some(sinks.spawn("file", move |closing| file::run(writer, &inbox, &sink, closing))?);
            if let Some(nats) = &config.nats {
                let link = Link::open(nats, place.max_age.0).await?;
                let publisher = Publisher::new(link, spool, observer.sink("nats", "published"));
                let (stop, stopping) = watch::channel(None);
                sinks.publisher = Some((stop, tokio::spawn(publisher.run(stopping))));
            }
        }
        if sinks.stdout.is_some() || sinks.file.is_some() {
            observer.send_events_to(Some(outbox));
        }
        Ok(sinks)
    }

    fn spawn(
        &self,
        name: &'static str,
        run: impl FnOnce(&AtomicBool) + Send + 'static,
    ) -> Result<Worker, String> {
        let (end, ended) = oneshot::channel();
        let closing = Arc::clone(&self.closing);
        let body = move || {
            run(&closing);
            // Nobody waits any more when the time was up.
            let _ = end.send(());
        };
        let named = std::thread::Builder::new().name(format!("events-{name}"));
        let thread = named.spawn(body).map_err(|cause| format!("events: no thread: {cause}"))?;
        Ok(Worker { name, thread: thread.thread().clone(), ended })
    }

    /// Writes what is queued, then publishes what is written; what is not published in time stays in the spool.
    pub async fn stop(self, deadline: Instant) {
        let deadline = deadline.max(Instant::now() + LEAST);
        self.observer.send_events_to(None);
        self.closing.store(true, Ordering::Relaxed);
        let spool = async {
            ended(self.file, deadline).await;
            if let Some((stop, task)) = self.publisher {
                stop.send_replace(Some(deadline));
                let _ = task.await;
            }
        };
        // Side by side: a reader of standard output that stalls must not take the others' time.
        tokio::join!(spool, ended(self.stdout, deadline));
    }
}

async fn ended(worker: Option<Worker>, deadline: Instant) {
    let Some(Worker { name, thread, ended }) = worker else { return };
    thread.unpark();
    if tokio::time::timeout_at(deadline, ended).await.is_err() {
        tracing::error!(sink = name, "events lost: the sink took too long");
    }
}
