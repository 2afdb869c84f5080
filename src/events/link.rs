//! A connection to a JetStream: makes the stream when it is missing, offers events, tells which were acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, stream};
use async_nats::{Client, ConnectOptions, Event};
use futures_util::future::join_all;
use tokio::sync::Notify;

use super::parcel::{Fate, Parcel, pause};
use crate::config::NatsSinkConfig;

/// Longest pause between two tries to connect.
const CONNECT: Duration = Duration::from_secs(10);

/// The connection. It comes back by itself; [`Link::up`] waits for that.
#[derive(Debug)]
pub struct Link {
    client: Client,
    context: jetstream::Context,
    stream: stream::Config,
    subject: String,
    /// The stream was looked at since something failed last.
    looked: bool,
    /// Said whenever the connection comes or goes.
    changed: Arc<Notify>,
}

impl Link {
    /// Begins to connect. `max_age`: how long a stream that is made here keeps events.
    ///
    /// # Errors
    /// When the URL is none.
    pub async fn open(config: &NatsSinkConfig, max_age: Duration) -> Result<Self, String> {
        let changed = Arc::new(Notify::new());
        let (told, away) = (Arc::clone(&changed), AtomicBool::new(false));
        let mut options = ConnectOptions::new()
            .name("onevelope")
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|tries| pause(tries, CONNECT))
            .event_callback(move |event| {
                tell(&event, &away);
                told.notify_waiters();
                std::future::ready(())
            });
        if let Some(ca) = &config.ca {
            options = options.add_root_certificates(ca.clone());
        }
        // The client does not read credentials in an address, and logs addresses whole.
        options = match config.credentials() {
            Some((user, Some(password))) => options.user_and_password(user, password),
            Some((token, None)) => options.token(token),
            None => options,
        };
        let client =
            options.connect(config.servers()).await.map_err(|cause| format!("events.nats: {cause}"))?;
        let stream = stream::Config {
            name: config.stream.clone(),
            subjects: vec![config.subject.clone()],
            storage: stream::StorageType::File,
            duplicate_window: config.duplicate_window.0,
            max_age,
            ..stream::Config::default()
        };
        let context = jetstream::new(client.clone());
        Ok(Self { client, context, stream, subject: config.subject.clone(), looked: false, changed })
    }

    pub fn is_up(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Waits for the connection to be as wanted.
    pub async fn until(&self, up: bool) {
        loop {
            let changed = self.changed.notified();
            if self.is_up() == up {
                return;
            }
            // The word comes just before the state changes, so it is looked at once more soon after.
            let _ = tokio::time::timeout(Duration::from_millis(500), changed).await;
        }
    }

    /// Offers every parcel that waits, once, and writes down what became of it.
    ///
    /// # Errors
    /// The first reason why one still waits.
    pub async fn offer(&mut self, parcels: &mut [Parcel]) -> Result<(), String> {
        let mut problem = if self.looked { None } else { self.stream().await.err() };
        self.looked = true;
        let (mut numbers, mut acks) = (Vec::new(), Vec::new());
        for (number, parcel) in
            parcels.iter_mut().enumerate().filter(|(_, parcel)| parcel.fate == Fate::Waiting)
        {
            let message = PublishMessage::build().message_id(&parcel.id).payload(parcel.bytes.clone());
            match self.context.send_publish(self.subject.clone(), message).await {
                Ok(ack) => {
                    numbers.push(number);
                    acks.push(ack.into_future());
                }
                Err(cause) if cause.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    parcel.fate = Fate::Unfit
                }
                Err(cause) => {
                    problem.get_or_insert_with(|| cause.to_string());
                    break;
                }
            }
        }
        for (number, ack) in numbers.into_iter().zip(join_all(acks).await) {
            match ack {
                Ok(ack) if ack.duplicate => parcels[number].fate = Fate::Repeat,
                Ok(_) => parcels[number].fate = Fate::Acknowledged,
                Err(cause) => {
                    problem.get_or_insert_with(|| cause.to_string());
                }
            }
        }
        if parcels.iter().all(|parcel| parcel.fate != Fate::Waiting) {
            return Ok(());
        }
        self.looked = false;
        Err(problem.unwrap_or_default())
    }

    /// Makes the stream when it is missing. Whoever may only publish is told no here, and publishes all the same.
    async fn stream(&self) -> Result<(), String> {
        self.context.get_or_create_stream(self.stream.clone()).await.map(|_| ()).map_err(|cause| {
            tracing::debug!(error = %cause, "stream not looked at");
            format!("stream {}: {cause}", self.stream.name)
        })
    }
}

/// Says when the server comes and goes, not each time it is still away.
fn tell(event: &Event, away: &AtomicBool) {
    match event {
        Event::Connected => {
            away.store(false, Ordering::Relaxed);
            tracing::info!("NATS is connected");
        }
        Event::Disconnected => {
            away.store(true, Ordering::Relaxed);
            tracing::warn!("NATS is away; events wait in the spool");
        }
        Event::ClientError(cause) if away.swap(true, Ordering::Relaxed) => {
            tracing::debug!(error = %cause, "NATS")
        }
        Event::ClientError(cause) => tracing::warn!(error = %cause, "NATS is away; events wait in the spool"),
        Event::ServerError(cause) => tracing::warn!(error = %cause, "NATS refuses something"),
        other => tracing::debug!(event = %other, "NATS"),
    }
}
