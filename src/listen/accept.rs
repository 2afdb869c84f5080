//! Bind and accept. One task per connection; the number of connections is bounded.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::clock::Waits;
use super::serve::{Server, stopped};
use super::tls::Certificates;
use crate::body::Body;
use crate::config::ListenerConfig;

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

/// What a listener's connections have in common.
pub struct Terms<F, C> {
    /// One permit for each connection, shared by all listeners that take from the same.
    pub connections: Arc<Semaphore>,
    pub waits: Waits,
    /// Turns true when it is to drain.
    pub stop: watch::Receiver<bool>,
    /// How long connections in flight have then.
    pub deadline: Duration,
    /// Answers a request: the listener's name, who asks, what.
    pub answer: F,
    /// Told the name of the limit that cut something.
    pub cut: C,
}

impl Bound {
    /// Serves until `stop` turns true, then drains: no new connection, GOAWAY and `Connection: close` on the live ones.
    /// Returns when the last one is over, or at the deadline.
    pub async fn serve<F, C, Fut>(self, terms: Terms<F, C>)
    where
        F: Fn(Arc<str>, IpAddr, Request<Incoming>) -> Fut + Clone + Send + Sync + 'static,
        C: Fn(&'static str) + Clone + Send + Sync + 'static,
        Fut: Future<Output = Response<Body>> + Send + 'static,
    {
        let Terms { connections, waits, stop, deadline, answer, cut } = terms;
        let name: Arc<str> = self.name.as_str().into();
        let server = Server {
            name: Arc::clone(&name),
            certificates: self.certificates,
            waits,
            stop: stop.clone(),
            answer,
            cut,
        };
        let mut stop = stop;
        let mut open = JoinSet::new();
        let mut permit = None;
        loop {
            // A finished connection is let go at once: its task holds memory until it is joined.
            let Some(place) = permit.take() else {
                tokio::select! {
                    Some(_) = open.join_next() => {}
                    place = Arc::clone(&connections).acquire_owned() => match place {
                        Ok(place) => permit = Some(place),
                        Err(_) => break,
                    },
                    () = stopped(&mut stop) => break,
                }
                continue;
            };
            tokio::select! {
                Some(_) = open.join_next() => permit = Some(place),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let server = server.clone();
                        open.spawn(async move {
                            server.connection(stream, peer.ip()).await;
                            drop(place);
                        });
                    }
                    Err(cause) => {
                        tracing::warn!(listener = %name, error = %cause, "accept failed");
                        permit = Some(place);
                        tokio::time::sleep(BACK_OFF).await;
                    }
                },
                () = stopped(&mut stop) => break,
            }
        }
        drop((permit, self.listener, server));
        let drained = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(deadline, drained).await.is_err() {
            tracing::warn!(listener = %name, "drain deadline reached; connections in flight are cut");
            open.shutdown().await;
        }
    }
}
