//! A small HTTP client for the admin port: fetch a document, or follow its events.

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::body::Body;

/// Sends a request; errors are told in words.
pub(super) async fn send(request: Request<Body>) -> Result<Response<Incoming>, String> {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    let uri = request.uri().clone();
    client.request(request).await.map_err(|cause| format!("{uri}: {cause}; is the gateway running there?"))
}

/// A response's status and whole body.
pub(super) async fn exchange(request: Request<Body>) -> Result<(u16, Vec<u8>), String> {
    let response = send(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|cause| cause.to_string())?;
    Ok((status, body.to_bytes().to_vec()))
}

/// A GET's body.
pub(super) async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let request = Request::get(url).body(Body::empty()).map_err(|cause| format!("{url}: {cause}"))?;
    let (status, body) = exchange(request).await?;
    if status == 200 { Ok(body) } else { Err(format!("{url} answered {status}")) }
}

/// A GET's body as JSON.
pub(super) async fn fetch_json(url: &str) -> Result<serde_json::Value, String> {
    serde_json::from_slice(&fetch(url).await?).map_err(|cause| format!("{url}: {cause}"))
}
