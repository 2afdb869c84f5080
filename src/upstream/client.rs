//! The HTTP client of one upstream: connects, sends, and sends again what may be sent again.
//!
//! HTTP/1.1 only towards vendors: a client-signed `Host` may differ from the address that is dialled, which
//! HTTP/2's `:authority` cannot express. The connections between calls are the [`Pool`]'s; dialling, TLS and HTTP are libraries'.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONNECTION;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use super::headers::settle_framing;
use super::line::Line;
use super::pool::{Kept, Pool, Slot};
use super::resend::Resend;
use super::words::words;
use crate::body::{Body, BodyError};
use crate::config::UpstreamConfig;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Connector = HttpsConnector<BoxCloneSyncService<Uri, TokioIo<Line>, BoxError>>;

#[derive(Debug)]
pub(super) struct Client {
    connector: Connector,
    connect_timeout: Duration,
    pool: Arc<Pool>,
}

/// A call that failed below HTTP.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{}", describe(&**.0))]
    Connect(BoxError),
    /// The connection ended before a byte of the request was written.
    #[error("{}", describe(.0))]
    Unsent(hyper::Error),
    #[error("{}", describe(.0))]
    Sent(hyper::Error),
    /// A head came that two parties could read differently.
    #[error("{0}")]
    Framing(&'static str),
}

impl ClientError {
    pub(super) fn nothing_was_sent(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Unsent(_))
    }

    /// For people.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Connect(cause) => words(&**cause),
            Self::Unsent(cause) | Self::Sent(cause) => words(cause),
            Self::Framing(what) => what,
        }
    }

    /// The body that was passed on ended early.
    pub(super) fn callers_body(&self) -> Option<&BodyError> {
        let Self::Sent(cause) = self else { return None };
        let mut cause: &(dyn std::error::Error + 'static) = cause;
        loop {
            cause = cause.source()?;
            if let Some(body) = cause.downcast_ref() {
                return Some(body);
            }
        }
    }
}

/// The whole chain on one line: "connection closed" alone helps nobody.
fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Client {
    /// `one_authority`: the URL is no template.
    pub(super) fn build(config: &UpstreamConfig, one_authority: bool) -> Result<Self, String> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(config.connect_timeout.0));
        let patience = config.body_timeout.0;
        let line = move |stream: TokioIo<TcpStream>| TokioIo::new(Line::new(stream.into_inner(), patience));
        let lines = BoxCloneSyncService::new(
            http.map_response(line).map_err(|cause| -> BoxError { Box::new(cause) }),
        );
        let https = HttpsConnectorBuilder::new().with_tls_config(tls(config)?).https_or_http().enable_http1();
        Ok(Self {
            connector: https.wrap_connector(lines),
            connect_timeout: config.connect_timeout.0,
            pool: Pool::new(one_authority, config.max_concurrent),
        })
    }

    /// Sends a request to where its URI says; `resent` turns true when it went out a second time.
    pub(super) async fn send(
        &self,
        mut request: Request<Body>,
        resend: Resend,
        resent: &mut bool,
    ) -> Result<Response<Incoming>, ClientError> {
        // The target goes as it is, the rest says whom to dial.
        let mut endpoint = std::mem::take(request.uri_mut()).into_parts();
        if let Some(path) = endpoint.path_and_query.replace(PathAndQuery::from_static("/")) {
            *request.uri_mut() = path.into();
        }
        let Some(authority) = &endpoint.authority else { return Err(ClientError::Connect("no host".into())) };
        let slot = self.pool.slot(authority);
        if let Some(mut kept) = slot.take(resend == Resend::Unsent) {
            let copy = if resend == Resend::Safe { copy(&request) } else { None };
            match kept.sender.try_send_request(request).await {
                Ok(response) => {
                    slot.proved();
                    return replied(&slot, kept, response);
                }
                Err(mut failed) => {
                    if lost(failed.error()) {
                        slot.distrust(Instant::now());
                    }
                    match (failed.take_message(), copy) {
                        (Some(unsent), _) => request = unsent,
                        (None, Some(copy)) if lost(failed.error()) => {
                            *resent = true;
                            request = copy;
                        }
                        _ => return Err(ClientError::Sent(failed.into_error())),
                    }
                }
            }
        }
        let uri = Uri::from_parts(endpoint).map_err(|cause| ClientError::Connect(cause.into()))?;
        let mut fresh = self.connect(uri).await?;
        match fresh.sender.try_send_request(request).await {
            Ok(response) => replied(&slot, fresh, response),
            Err(failed) if failed.message().is_some() => Err(ClientError::Unsent(failed.into_error())),
            Err(failed) => Err(ClientError::Sent(failed.into_error())),
        }
    }

    /// A new connection: name look-up, TCP and TLS under one clock. A peer that takes the connection and then says nothing has
    /// been sent nothing: that is unreachable, not unknown.
    ///
    /// In a box: it is large, and seldom needed.
    fn connect(&self, uri: Uri) -> Pin<Box<dyn Future<Output = Result<Kept, ClientError>> + Send>> {
        let connecting = tower::Service::call(&mut self.connector.clone(), uri);
        Box::pin(connect(connecting, self.connect_timeout))
    }
}

type Connecting = <Connector as tower::Service<Uri>>::Future;

async fn connect(connecting: Connecting, timeout: Duration) -> Result<Kept, ClientError> {
    let stream = match tokio::time::timeout(timeout, connecting).await {
        Ok(connected) => connected.map_err(ClientError::Connect)?,
        Err(_) => return Err(ClientError::Connect(io::Error::from(io::ErrorKind::TimedOut).into())),
    };
    let look = match &stream {
        MaybeHttpsStream::Http(line) => line.inner().look(),
        MaybeHttpsStream::Https(tls) => tls.inner().get_ref().0.inner().inner().look(),
    };
    let (sender, connection) = http1::handshake(stream).await.map_err(ClientError::Unsent)?;
    tokio::spawn(async move {
        if let Err(cause) = connection.await {
            tracing::debug!(error = %describe(&cause), "a vendor's connection ended");
        }
    });
    Ok(Kept::new(sender, look))
}

/// A reply's head has come: its connection is kept, unless it is said to be closed (then closing is no haste), or there is doubt about where
/// the reply ends.
fn replied(
    slot: &Slot,
    connection: Kept,
    mut response: Response<Incoming>,
) -> Result<Response<Incoming>, ClientError> {
    let closing = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
    let closes = response.headers().get(CONNECTION).is_some_and(closing);
    let stated = settle_framing(response.status(), response.headers_mut()).map_err(ClientError::Framing)?;
    match stated {
        // Framed in two ways: whatever stands behind the body is nobody's next reply.
        Some(stated) => {
            response.extensions_mut().insert(stated);
        }
        None if !closes => slot.keep(connection),
        None => {}
    }
    Ok(response)
}

/// The request again, where its body can be had again.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().copy()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Whether the connection ended instead of an answer; a bad answer is one.
fn lost(error: &hyper::Error) -> bool {
    !error.is_parse() && !error.is_user()
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
