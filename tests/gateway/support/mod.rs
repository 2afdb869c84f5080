//! What the modules share: a vendor that does what it is told, a client that sends its own bytes, and a gateway
//! started in this process.

mod answer; // what came back
pub mod batches; // what is asked of whom
mod call; // what is sent
pub mod certificates; // made for one test
mod gateway; // a gateway in this process
mod metrics; // what `/metrics` says
mod script; // what the fake vendor does
mod vendor; // the fake vendor

pub use answer::Answer;
pub use call::Call;
pub use gateway::{Gateway, Route, folder};
pub use metrics::Metrics;
pub use script::{Gate, Reply, Script, Step, coded};
pub use vendor::Vendor;

use std::time::Duration;

/// Longest wait for anything that must happen. Far above what a slow machine needs; a test that hangs fails here.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, future).await;
    waited.unwrap_or_else(|_| panic!("{what}: nothing within {PATIENCE:?}"))
}

/// Looks again and again until something holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
