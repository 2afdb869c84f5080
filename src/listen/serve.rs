//! HTTP/1.1 or HTTP/2 on one connection, with its time limits.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::clock::{Clock, Cut, Due, Waits};
use super::sent::{Flight, Sent, Streams};
use super::timed::Timed;
use super::tls::Certificates;
use crate::body::Body;

/// How long an idle HTTP/2 connection may take to end after GOAWAY.
const FAREWELL: Duration = Duration::from_secs(2);
/// The alarm's least step, so that a limit that was due a moment ago does not make it spin.
const TICK: Duration = Duration::from_millis(1);

/// What all connections of a listener share.
#[derive(Clone)]
pub(super) struct Server<F, C> {
    pub(super) name: Arc<str>,
    pub(super) certificates: Option<Certificates>,
    pub(super) waits: Waits,
    /// Turns true when connections are to be ended.
    pub(super) stop: watch::Receiver<bool>,
    pub(super) answer: F,
    /// Told which limit cut something.
    pub(super) cut: C,
}

/// Resolves once `stop` is true, or nobody is left who could say so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopped| *stopped).await;
}

impl<F, C, Fut> Server<F, C>
where
    F: Fn(Arc<str>, IpAddr, Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
    C: Fn(&'static str) + Clone + Send + Sync + 'static,
    Fut: Future<Output = Response<Body>> + Send + 'static,
{
    /// Serves one connection to its end.
    pub(super) async fn connection(self, stream: TcpStream, peer: IpAddr) {
        let clock = Arc::new(Clock::new(self.waits, Instant::now()));
        let stream = Timed::new(stream, Arc::clone(&clock));
        let Some(certificates) = &self.certificates else { return self.http(stream, peer, clock).await };
        let acceptor = certificates.acceptor();
        let until = clock.began + self.waits.header;
        let mut stop = self.stop.clone();
        let shaken = tokio::select! {
            shaken = timeout_at(until, acceptor.accept(stream)) => shaken,
            () = stopped(&mut stop) => return,
        };
        match shaken {
            Ok(Ok(stream)) => self.http(stream, peer, clock).await,
            Ok(Err(cause)) => tracing::debug!(listener = %self.name, error = %cause, "TLS handshake failed"),
            Err(_) => self.ended_by(Cut::Header),
        }
    }

    fn ended_by(&self, cut: Cut) {
        let limit = cut.limit();
        limit.into_iter().for_each(&self.cut);
        tracing::debug!(listener = %self.name, limit = limit.unwrap_or("the caller is gone"), "connection cut");
    }

    async fn http<S>(self, stream: S, peer: IpAddr, clock: Arc<Clock>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let streams = Streams::new(Arc::clone(&clock), self.cut.clone());
        let mut builder = auto::Builder::new(streams.clone());
        // Heads have our own clock, which runs before the protocol is known and costs no timer for each request. Half-closed callers
        // get their answer; whether they are still there is looked at now and then. TLS says goodbye by bytes, which only
        // reading shows; and nobody half-closes it.
        let half_close = self.certificates.is_none();
        builder.http1().header_read_timeout(None).half_close(half_close).max_buf_size(128 << 10);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(100)
            .initial_stream_window_size(64 << 10)
            .initial_connection_window_size(1 << 20)
            .keep_alive_interval(Some(Duration::from_secs(60)));
        let (answer, name, own) = (self.answer.clone(), Arc::clone(&self.name), Arc::clone(&clock));
        let service = service_fn(move |request: Request<Incoming>| {
            let multiplexed = request.version() == Version::HTTP_2;
            let given = multiplexed.then(|| streams.note());
            let flight = Flight::begin(&own, multiplexed);
            let answered = answer(Arc::clone(&name), peer, request);
            async move {
                let answer = answered.await;
                if let Some(given) = &given {
                    flight.offer(given);
                }
                Ok::<_, std::convert::Infallible>(answer.map(|body| Sent { body, flight, given }))
            }
        });
        let connection = pin!(builder.serve_connection(TokioIo::new(stream), service).into_owned());
        self.watch(connection, &clock).await;
    }

    /// Polls the connection, and ends it when a limit is due or the listener stops.
    async fn watch<G>(&self, mut connection: Pin<&mut G>, clock: &Clock)
    where
        G: GracefulConnection<Error: std::fmt::Display>,
    {
        let mut receiver = self.stop.clone();
        let mut stop = pin!(stopped(&mut receiver));
        let mut stopping = false;
        // Said farewell to for being idle; gone by then.
        let mut farewell = None;
        let next = |farewell| match (clock.next(), farewell) {
            (Some((_, Due::Cut(Cut::Idle))), Some(end)) => Some((end, Due::Cut(Cut::Gone))),
            (next, _) => next,
        };
        let mut alarm = pin!(sleep_until(clock.began + self.waits.header));
        poll_fn(|cx| {
            if !stopping && stop.as_mut().poll(cx).is_ready() {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            loop {
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    if let Err(cause) = ended {
                        tracing::debug!(listener = %self.name, error = %cause, "connection ended");
                    }
                    return Poll::Ready(());
                }
                // Mostly it is set for earlier than what is due, rings, and is set anew: no timer moves for a request.
                if let Some((at, _)) = next(farewell)
                    && at < alarm.deadline()
                {
                    alarm.as_mut().reset(at);
                }
                if alarm.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                let now = Instant::now();
                match next(farewell) {
                    Some((at, Due::Look)) if at <= now => clock.look(now),
                    // HTTP/2 says GOAWAY, and answers what was sent in the same moment.
                    Some((at, Due::Cut(Cut::Idle))) if at <= now => {
                        self.ended_by(Cut::Idle);
                        farewell = Some(now + FAREWELL);
                        connection.as_mut().graceful_shutdown();
                    }
                    Some((at, Due::Cut(cut))) if at <= now => {
                        clock.abort();
                        self.ended_by(cut);
                        return Poll::Ready(());
                    }
                    _ => {}
                }
                let then = next(farewell).map_or(now + self.waits.idle, |(at, _)| at);
                alarm.as_mut().reset(then.max(now + TICK));
            }
        })
        .await;
    }
}
