//! Sockets out: one vendor endpoint, its pooled client and its limits.

mod breaker; // passing, tripped, probing
mod client; // connect, rustls, send, send again
mod headers; // hop-by-hop, Host, accept-encoding narrowed to what we decode
mod line; // a socket that can be looked at
mod pool; // connections between calls
mod resend; // what may be sent again
mod target; // url template → URI
mod words; // failures below HTTP, for people

pub use breaker::{Breaker, Pass, Standing};
pub use client::ClientError;
pub use headers::{
    Stated, drop_from_reply, drop_hop_by_hop, names_end_to_end, narrow_accept_encoding, passes_for_another,
};
pub use resend::Resend;
pub use target::Target;

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::body::{Body, BodyError, Places};
use crate::config::{HostSent, UpstreamConfig};
use client::Client;

/// A vendor's endpoint, ready to be called.
#[derive(Debug)]
pub struct Upstream {
    pub name: String,
    pub target: Target,
    /// Which `Host` the vendor sees, where the configuration says so.
    pub host: Option<HostSent>,
    client: Client,
    permits: Arc<Places>,
    max_concurrent: usize,
    /// Places to wait for a permit.
    queue: Arc<Semaphore>,
    queue_timeout: Duration,
    head_timeout: Duration,
    pub body_timeout: Duration,
}

/// Why a call got no reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nothing was delivered.
    #[error("{upstream} cannot be reached: {cause}")]
    Unreachable { upstream: String, cause: String },
    /// We did not even try. Nothing was delivered.
    #[error("not sent to {upstream}: {}", why.words())]
    Shed { upstream: String, why: Shed, retry_after: Duration },
    /// The request went out, and no head came back in time.
    #[error("{upstream} sent no head within {waited:?}")]
    HeadTimeout { upstream: String, waited: Duration },
    /// The caller's own body ended early while it was passed on: no fault of the vendor, who may have acted on what it got.
    #[error("the request body ended early on its way to {upstream}")]
    Upload { upstream: String, slow: bool },
    /// The connection ended after the request went out.
    #[error("{upstream} ended the connection before its head: {cause}")]
    Lost { upstream: String, cause: String },
}

/// Why a call was not even tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// `limits.in_flight` calls are under way.
    InFlight,
    /// `max_queued` calls wait for a place already.
    QueueFull,
    /// No place within `queue_timeout`.
    QueueTimeout,
    /// The breaker is tripped.
    Breaker,
}

impl Shed {
    /// For metrics: from a closed set.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InFlight => "in_flight",
            Self::QueueFull => "queue_full",
            Self::QueueTimeout => "queue_timeout",
            Self::Breaker => "breaker",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::InFlight => "the gateway has limits.in_flight calls under way",
            Self::QueueFull => "max_concurrent calls are under way and max_queued wait",
            Self::QueueTimeout => "no place became free within queue_timeout",
            Self::Breaker => "its breaker is tripped: too much of what was asked lately failed on its side",
        }
    }
}

impl CallError {
    /// When to come back, where the caller may.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Shed { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// For metrics: from a closed set.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Shed { .. } => "shed",
            Self::HeadTimeout { .. } => "timeout",
            Self::Upload { .. } => "request_cut",
            Self::Lost { .. } => "lost",
        }
    }
}

impl Upstream {
    /// # Errors
    /// When the URL or the CA file cannot be used.
    pub fn build(name: &str, config: &UpstreamConfig) -> Result<Self, String> {
        let target = Target::parse(&config.url).map_err(|what| format!("upstreams.{name}: {what}"))?;
        let client = Client::build(config, target.is_fixed());
        Ok(Self {
            name: name.to_owned(),
            host: config.host.clone(),
            target,
            client: client.map_err(|what| format!("upstreams.{name}: {what}"))?,
            permits: Arc::new(Places::new(config.max_concurrent)),
            max_concurrent: config.max_concurrent,
            queue: Arc::new(Semaphore::new(config.max_queued)),
            queue_timeout: config.queue_timeout.0,
            head_timeout: config.head_timeout.0,
            body_timeout: config.body_timeout.0,
        })
    }

    /// Takes over the places of the same upstream under another configuration: calls under way have them.
    pub fn succeed(&mut self, before: &Self) {
        self.permits = Arc::clone(&before.permits);
        self.permits.resize(self.max_concurrent);
    }

    /// Sends a request and waits for the reply's head. The permit is to be held until the reply is over; `resent` turns true when the
    /// request went out a second time.
    ///
    /// The request goes where it will be sent from at once: it is large, and each step it waits in would copy it.
    ///
    /// # Errors
    /// [`CallError`]; only some kinds leave it open whether the vendor acted.
    pub fn call<'c>(
        &'c self,
        mut request: Request<Body>,
        resend: Resend,
        resent: &'c mut bool,
    ) -> impl Future<Output = Result<(Response<Incoming>, OwnedSemaphorePermit), CallError>> + 'c {
        let ended = (!request.body().is_held()).then(|| request.body_mut().ended());
        // Begins when it is waited for.
        let sent = self.client.send(request, resend, resent);
        async move {
            let permit = self.permit().await?;
            let upstream = || self.name.clone();
            match self.head(sent, ended).await {
                Ok(Ok(response)) => Ok((response, permit)),
                Ok(Err(cause)) => {
                    tracing::debug!(upstream = self.name, error = %cause, "call failed");
                    let (upstream, words) = (upstream(), cause.words().to_owned());
                    Err(match (cause.nothing_was_sent(), cause.callers_body()) {
                        (true, _) => CallError::Unreachable { upstream, cause: words },
                        (_, None) => CallError::Lost { upstream, cause: words },
                        (_, Some(body)) => {
                            CallError::Upload { upstream, slow: matches!(body, BodyError::Silent(_)) }
                        }
                    })
                }
                Err(_) => Err(CallError::HeadTimeout { upstream: upstream(), waited: self.head_timeout }),
            }
        }
    }

    /// The reply's head; the clock starts when the request's last byte was handed over, so a long upload is not cut.
    async fn head(
        &self,
        sent: impl Future<Output = Result<Response<Incoming>, ClientError>>,
        ended: Option<Arc<Notify>>,
    ) -> Result<Result<Response<Incoming>, ClientError>, tokio::time::error::Elapsed> {
        let mut sent = std::pin::pin!(sent);
        if let Some(ended) = ended {
            tokio::select! {
                answered = &mut sent => return Ok(answered),
                () = ended.notified() => {}
            }
        }
        tokio::time::timeout(self.head_timeout, sent).await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, CallError> {
        if let Ok(permit) = self.permits.all().try_acquire_owned() {
            return Ok(permit);
        }
        let shed = |why| self.shed(why, SOON);
        let _place = self.queue.try_acquire().map_err(|_| shed(Shed::QueueFull))?;
        let permit = tokio::time::timeout(self.queue_timeout, self.permits.all().acquire_owned()).await;
        permit.map_err(|_| shed(Shed::QueueTimeout))?.map_err(|_| shed(Shed::QueueTimeout))
    }

    /// What a call becomes that is not tried.
    pub fn shed(&self, why: Shed, retry_after: Duration) -> CallError {
        CallError::Shed { upstream: self.name.clone(), why, retry_after }
    }
}

/// When to come back where nobody can tell: places become free all the time.
pub const SOON: Duration = Duration::from_secs(1);
