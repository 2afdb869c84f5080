//! A fake vendor: whatever it is asked, it gives the one reply it has.

use std::net::SocketAddr;

use http::{Response, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::conversations::Conversation;
use crate::body::Body;

/// Starts one on a free port of loopback.
pub(super) async fn start(conversation: &Conversation) -> Result<SocketAddr, String> {
    let reply = conversation.reply()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|cause| cause.to_string())?;
    let address = listener.local_addr().map_err(|cause| cause.to_string())?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let reply = reply.clone();
            let service = service_fn(move |_| {
                let mut response = Response::new(Body::full(reply.body.clone()));
                *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or_default();
                response.headers_mut().extend(reply.headers.clone());
                async move { Ok::<_, std::convert::Infallible>(response) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(address)
}
