//! Server-sent events: every batch and every failed verdict as it happens.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::{Admin, dress};
use crate::body::Body;
use crate::observe::Live;

/// A comment now and then tells proxies and browsers that the line is alive.
const BEAT: Duration = Duration::from_secs(15);

pub(super) fn events(admin: &Admin) -> Response<Body> {
    let mut watched = admin.observer.recent.watch();
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let mut piece = Bytes::from_static(b": watching\n\n");
        loop {
            // The watcher went away: so does this task.
            if sender.send(piece).await.is_err() {
                return;
            }
            piece = match tokio::time::timeout(BEAT, watched.recv()).await {
                Ok(Ok(live)) => message(&live),
                Ok(Err(RecvError::Lagged(missed))) => format!("event: missed\ndata: {missed}\n\n").into(),
                Ok(Err(RecvError::Closed)) => return,
                Err(_) => Bytes::from_static(b": alive\n\n"),
            };
        }
    });
    let mut response = Response::new(Body::live(receiver));
    *response.status_mut() = StatusCode::OK;
    dress(response.headers_mut(), "text/event-stream");
    response
}

fn message(live: &Live) -> Bytes {
    let text = match live {
        Live::Verdict(event) => {
            let data = serde_json::to_string(event).unwrap_or_default();
            format!("event: verdict\nid: {}\ndata: {data}\n\n", event.id())
        }
        Live::Batch(batch) => {
            format!("event: batch\ndata: {}\n\n", serde_json::to_string(batch).unwrap_or_default())
        }
    };
    text.into()
}
