//! Bind, accept, serve. One task per connection; the number of connections is bounded.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::tls::Certificates;
use crate::body::Body;
use crate::config::ListenerConfig;

/// Longest wait for a request's head, and for a TLS handshake.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after an accept error such as "too many open files": spinning would only make it worse.
const BACK_OFF: Duration = Duration::from_millis(50);

/// A listener that holds its port.
pub struct Bound {
    pub name: String,
    pub address: SocketAddr,
    listener: TcpListener,
    /// None: it speaks in clear.
    pub certificates: Option<Certificates>,
}

/// Opens a listener's port.
///
/// # Errors
/// When the port cannot be opened or a TLS file cannot be used; the text says which.
pub async fn bind(name: &str, config: &ListenerConfig) -> Result<Bound, String> {
    let certificates = config.tls.as_ref().map(Certificates::read).transpose()?;
    let cannot = |cause: io::Error| format!("cannot listen on {}: {cause}", config.address);
    let listener = TcpListener::bind(config.address).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok(Bound { name: name.to_owned(), address, listener, certificates })
}

impl Bound {
    /// Serves until `stop` turns true, then drains: no new connection, GOAWAY and `Connection: close` on the live ones.
    /// Returns when the last one is over, or at the deadline.
    pub async fn serve<F, Fut>(
        self,
        connections: Arc<Semaphore>,
        mut stop: watch::Receiver<bool>,
        deadline: Duration,
        answer: F,
    ) where
        F: Fn(Arc<str>, IpAddr, Request<Incoming>) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Response<Body>> + Send + 'static,
    {
        let name: Arc<str> = self.name.as_str().into();
        let graceful = GracefulShutdown::new();
        let mut open = JoinSet::new();
        loop {
            while open.try_join_next().is_some() {}
            let permit = tokio::select! {
                permit = Arc::clone(&connections).acquire_owned() => permit,
                () = stopped(&mut stop) => break,
            };
            let Ok(permit) = permit else { break };
            let (stream, peer) = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(cause) => {
                        tracing::warn!(listener = %name, error = %cause, "accept failed");
                        tokio::time::sleep(BACK_OFF).await;
                        continue;
                    }
                },
                () = stopped(&mut stop) => break,
            };
            let (name, answer, tls, watcher) = (
                Arc::clone(&name),
                answer.clone(),
                self.certificates.as_ref().map(Certificates::acceptor),
                graceful.watcher(),
            );
            open.spawn(async move {
                connection(stream, peer.ip(), tls, watcher, name, answer).await;
                drop(permit);
            });
        }
        drop(self.listener);
        if tokio::time::timeout(deadline, graceful.shutdown()).await.is_err() {
            tracing::warn!(listener = %name, "drain deadline reached; connections in flight are cut");
            open.shutdown().await;
        }
    }
}

/// Resolves once `stop` is true, or nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopped| *stopped).await;
}

async fn connection<F, Fut>(
    stream: TcpStream,
    peer: IpAddr,
    tls: Option<TlsAcceptor>,
    watcher: Watcher,
    name: Arc<str>,
    answer: F,
) where
    F: Fn(Arc<str>, IpAddr, Request<Incoming>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<Body>> + Send + 'static,
{
    // Best effort: without it small answers wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(stream, peer, watcher, name, answer).await,
        Some(acceptor) => match tokio::time::timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => http(stream, peer, watcher, name, answer).await,
            Ok(Err(cause)) => tracing::debug!(listener = %name, error = %cause, "TLS handshake failed"),
            Err(_) => tracing::debug!(listener = %name, "TLS handshake timed out"),
        },
    }
}

async fn http<S, F, Fut>(stream: S, peer: IpAddr, watcher: Watcher, name: Arc<str>, answer: F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(Arc<str>, IpAddr, Request<Incoming>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<Body>> + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // Without a timer hyper's timeouts never fire.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(128 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(1 << 20)
        .keep_alive_interval(Some(Duration::from_secs(60)));
    let label = Arc::clone(&name);
    let service = service_fn(move |request| {
        let answered = answer(Arc::clone(&label), peer, request);
        async move { Ok::<_, std::convert::Infallible>(answered.await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(cause) = watcher.watch(connection).await {
        tracing::debug!(listener = %name, error = %cause, "connection ended");
    }
}
