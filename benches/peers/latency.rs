//! Open loop: requests are due at fixed times, whatever became of the ones before. An answer's time counts from when its
//! request was due and not from when it could be sent, so a proxy that stalls pays for every request it kept waiting.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Failure;
use crate::calls::Call;
use crate::load::{Answer, connections};
use crate::process::Process;
use crate::support::clock::{quantile, sorted};

/// More than are busy at half load; further requests wait for a free one, on the proxy's account.
const CONNECTIONS: usize = 64;

/// One window's times, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub p50: f64,
    pub p99: f64,
    /// Answers per second ÷ requests due per second; well below 1 where the proxy could not keep up.
    pub kept: f64,
}

/// Sends `rate` requests a second for the length of a window.
pub async fn window(
    process: &Process,
    call: &Call,
    right: Answer,
    rate: f64,
    length: Duration,
) -> Result<Window, Failure> {
    let count = (rate * length.as_secs_f64()) as usize;
    let (due, waiting) = mpsc::channel(count.max(1));
    let waiting = Arc::new(Mutex::new(waiting));
    let mut clients = JoinSet::new();
    for mut connection in connections(process.address, &call.request, right, CONNECTIONS).await? {
        let (waiting, request) = (Arc::clone(&waiting), call.request.clone());
        clients.spawn(async move {
            let mut times = Vec::new();
            loop {
                let next: Option<Instant> = waiting.lock().await.recv().await;
                let Some(due) = next else { return Ok::<_, Failure>(times) };
                connection.ask(&request, right).await?;
                times.push(due.elapsed().as_nanos() as f64 / 1000.0);
            }
        });
    }
    let start = Instant::now();
    for at in 0..count {
        let time = start + Duration::from_secs_f64(at as f64 / rate);
        // The runtime's own timer has steps of a millisecond, many times what is measured here. This core is ours.
        while Instant::now() < time {
            tokio::task::yield_now().await;
        }
        due.try_send(time)?;
    }
    drop(due);
    let times: Vec<Vec<f64>> = clients.join_all().await.into_iter().collect::<Result<_, _>>()?;
    let kept = count as f64 / rate / start.elapsed().as_secs_f64();
    let times = sorted(times.into_iter().flatten());
    Ok(Window { p50: quantile(&times, 0.5), p99: quantile(&times, 0.99), kept })
}
