//! The pooled HTTP client of one upstream.
//!
//! HTTP/1.1 only towards vendors: a client-signed `Host` may differ from the address that is dialled, which
//! HTTP/2's `:authority` cannot express. Nothing is ever sent twice: the pool resends only what hyper hands back
//! unsent from a stale connection.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tower::Service;

use super::words::words;
use crate::body::{Body, BodyError};
use crate::config::UpstreamConfig;

/// Shorter than servers keep idle connections, so that few are stale when they are used again.
const IDLE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Client {
    inner: legacy::Client<TimedConnector, Body>,
}

/// A call that failed below HTTP.
#[derive(Debug, thiserror::Error)]
#[error("{}", describe(.0))]
pub struct ClientError(#[from] legacy::Error);

impl ClientError {
    pub(super) fn nothing_was_sent(&self) -> bool {
        self.0.is_connect()
    }

    /// The body that was passed on ended early.
    pub(super) fn callers_body(&self) -> Option<&BodyError> {
        let mut cause: &(dyn std::error::Error + 'static) = &self.0;
        loop {
            cause = cause.source()?;
            if let Some(body) = cause.downcast_ref() {
                return Some(body);
            }
        }
    }
}

impl ClientError {
    /// For people.
    pub(super) fn words(&self) -> &'static str {
        words(&self.0)
    }
}

/// The whole chain on one line: "client error (Connect)" alone helps nobody.
fn describe(error: &legacy::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Client {
    pub(super) fn build(config: &UpstreamConfig) -> Result<Self, String> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(config.connect_timeout.0));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls(config)?).https_or_http().enable_http1();
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(config.max_concurrent)
            .http1_preserve_header_case(false)
            .build(TimedConnector { inner: https.wrap_connector(http), timeout: config.connect_timeout.0 });
        Ok(Self { inner })
    }

    pub(super) fn send(&self, request: Request<Body>) -> legacy::ResponseFuture {
        self.inner.request(request)
    }
}

/// Name look-up, connection and TLS handshake under one clock. A peer that takes the connection and then says nothing has
/// been sent nothing: that is unreachable, not unknown.
#[derive(Clone, Debug)]
struct TimedConnector {
    inner: HttpsConnector<HttpConnector>,
    timeout: Duration,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connected = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;

impl Service<Uri> for TimedConnector {
    type Response = Connected;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Connected, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, timeout) = (self.inner.call(uri), self.timeout);
        Box::pin(async move {
            match tokio::time::timeout(timeout, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

fn tls(config: &UpstreamConfig) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match &config.ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let bad = |cause: &dyn std::fmt::Display| format!("ca {}: {cause}", file.display());
            for certificate in CertificateDer::pem_file_iter(file).map_err(|cause| bad(&cause))? {
                roots.add(certificate.map_err(|cause| bad(&cause))?).map_err(|cause| bad(&cause))?;
            }
            if roots.is_empty() {
                return Err(bad(&"no certificate in it"));
            }
        }
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
