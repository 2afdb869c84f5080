//! Requests that two parties could read differently: refused, and nothing that follows on their connection is read. Each row of
//! `docs/reliability.md`, "Requests", names a test here.

mod fields; // Expect, Upgrade, trailers, HEAD
mod frames; // HTTP/2 by hand
mod framing; // where a body ends
mod hosts; // whom a request is for
mod http2; // what HTTP/2 forbids
mod routes; // paths that lead out of their route
mod syntax; // request lines and fields
mod words; // what a refusal says, and what it does not

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Gateway, Reply, Route, Vendor, soon};

/// A vendor, and a gateway that takes any host and path to it.
struct Open {
    vendor: Vendor,
    gateway: Gateway,
}

async fn open() -> Open {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").with("mode = \"passthrough\"")).await;
    Open { vendor, gateway }
}

impl Open {
    /// Holds that bytes are refused with a status, that nothing which follows is read, and that the vendor hears nothing.
    async fn refuses(&self, status: u16, bytes: impl AsRef<[u8]>) {
        let (bytes, before) = (bytes.as_ref(), self.vendor.heard().len());
        refused_by(&self.gateway, status, bytes).await;
        assert_eq!(self.vendor.heard().len(), before, "passed on: {:?}", String::from_utf8_lossy(bytes));
    }
}

/// Sends bytes and reads until the gateway ends the connection.
async fn talk(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).await.expect("a connection");
    // What is over a limit may be refused, and the connection ended, before all of it was taken.
    let _ = stream.write_all(bytes).await;
    let mut all = Vec::new();
    let read = soon("the connection's end", stream.read_to_end(&mut all)).await;
    assert!(read.is_ok() || !all.is_empty(), "cut without an answer: {read:?}");
    String::from_utf8_lossy(&all).into_owned()
}

async fn refused_by(gateway: &Gateway, status: u16, bytes: &[u8]) {
    let mut all = bytes.to_vec();
    all.extend_from_slice(b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = talk(gateway.address, &all).await;
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let line = answer.lines().next().unwrap_or("");
    assert_eq!(line.split(' ').nth(1), Some(status.to_string().as_str()), "{shown:?}: {answer}");
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "one answer, then nothing: {shown:?}: {answer}");
}
