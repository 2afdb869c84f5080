//! Clients that take their time: each wait has a limit, which runs whether or not anybody asks for bytes, and cuts nobody else.

use std::net::SocketAddr;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::batches::{detail, stop};
use crate::support::{Answer, Call, Gate, Gateway, Reply, Route, Script, Step, Vendor, soon, until};

fn get(path: &str) -> Call {
    Call::new("GET", path).header("Host", "x")
}

async fn cuts(gateway: &Gateway, limit: &str) -> f64 {
    gateway.metrics().await.sum("onevelope_timeouts_total", &[&format!("kind=\"{limit}\"")])
}

/// Waits for the other side to end the connection.
async fn cut(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset says so, too.
    let _ = soon("the end", stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
}

/// A reply of so many MiB.
fn large(size: usize) -> Script {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size << 20);
    let mut script = vec![Step::Send(head.into_bytes())];
    script.extend((0..size).map(|_| Step::Send(vec![b'x'; 1 << 20])));
    script
}

/// A vendor with a reply larger than all buffers on the way at `/large`, and a small one elsewhere.
async fn vendor() -> Vendor {
    Vendor::answering(None, |heard| match heard.line().contains("/large") {
        true => large(64),
        false => Reply::json("{}").script(),
    })
    .await
}

/// A client whose kernel takes little for it.
async fn narrow(to: SocketAddr, buffer: u32) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(buffer).expect("a small buffer");
    socket.connect(to).await.expect("a connection")
}

#[tokio::test]
async fn whoever_says_nothing_or_no_whole_head_shuts_nobody_out() {
    let vendor = vendor().await;
    let limits = "[limits]\nconnections = 5\nheader_timeout = \"300ms\"";
    let gateway = Gateway::before(&vendor, Route::of("huawei").and(limits)).await;
    let mut silent = Vec::new();
    for said in ["", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /x HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = TcpStream::connect(gateway.address).await.expect("a connection");
        stream.write_all(said.as_bytes()).await.expect("sent");
        silent.push(stream);
    }
    let (mut reads, mut writes) =
        TcpStream::connect(gateway.address).await.expect("a connection").into_split();
    let drip = tokio::spawn(async move {
        // A byte now and then, for as long as it is taken.
        while writes.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(get("/x").send(gateway.address).await.status, 200, "a place becomes free");
    for mut stream in silent {
        let mut rest = Vec::new();
        let _ = soon("the end", stream.read_to_end(&mut rest)).await;
        assert!(!rest.starts_with(b"HTTP"), "nothing was asked");
    }
    let _ = soon("the end", reads.read_to_end(&mut Vec::new())).await;
    soon("the end", drip).await.expect("no panic");
    assert_eq!(cuts(&gateway, "header_timeout").await, 5.0);
}

#[tokio::test]
async fn a_connection_without_a_request_is_kept_for_a_while() {
    let vendor = vendor().await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").and("[limits]\nidle_timeout = \"300ms\"")).await;
    let mut wire = get("/x").open(gateway.address).await;
    assert_eq!(wire.answer().await.status, 200);
    wire.write(&get("/x").bytes()).await;
    assert_eq!(wire.answer().await.status, 200, "it is kept");
    cut(wire.stream.get_mut()).await;

    let stream = TcpStream::connect(gateway.address).await.expect("a connection");
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.expect("a handshake");
    let connection = tokio::spawn(connection);
    let answer = soon("an answer", sender.send_request(get("/x").for_h2())).await.expect("an answer");
    drop(answer);
    soon("the end", connection).await.expect("no panic").expect("said goodbye to");
    assert_eq!(cuts(&gateway, "idle_timeout").await, 2.0);
}

#[tokio::test]
async fn a_body_that_falls_silent_or_drips_is_not_waited_for() {
    let vendor = vendor().await;
    let gateway =
        Gateway::before(&vendor, Route::of("tencent").and("[limits]\nbody_idle_timeout = \"300ms\"")).await;
    let held = Call::new("POST", "/?Action=StopInstances").header("Host", "x");
    let passed = Call::new("PUT", "/object").header("Host", "x");
    for (count, call) in [held, passed].into_iter().enumerate() {
        let call = call.header("Content-Length", "1000").header("Content-Type", "application/json");
        let mut silent = call.open(gateway.address).await;
        let answer = silent.answer().await;
        assert_eq!(answer.status, 408);
        cut(silent.stream.get_mut()).await;

        let (read, mut writes) = {
            let wire = call.open(gateway.address).await;
            wire.stream.into_inner().into_split()
        };
        let drip = tokio::spawn(async move {
            while writes.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let mut read = tokio::io::BufReader::new(read);
        let answer = soon("an answer", Answer::read(&mut read, false)).await.expect("an answer");
        assert_eq!(answer.status, 408, "it never was silent");
        drop(read);
        drip.abort();
        assert_eq!(cuts(&gateway, "body_idle_timeout").await, (count as f64 + 1.0) * 2.0);
    }
    let metrics = gateway.metrics().await;
    assert_eq!(
        metrics.sum("onevelope_upstream_attempts_total", &["result=\"lost\""]),
        0.0,
        "no vendor's fault"
    );
}

#[tokio::test]
async fn callers_that_do_not_read_give_their_places_back() {
    let vendor = vendor().await;
    let route = Route::of("huawei").upstream("max_concurrent = 2").and("[limits]\nwrite_timeout = \"300ms\"");
    let gateway = Gateway::before(&vendor, route).await;
    let mut stalled = Vec::new();
    for _ in 0..2 {
        let mut stream = narrow(gateway.address, 16 << 10).await;
        stream.write_all(&get("/large").bytes()).await.expect("sent");
        stalled.push(stream);
    }
    vendor.got(2).await;
    assert_eq!(get("/x").send(gateway.address).await.status, 200, "the vendor is there for others");
    until("both to be counted", async || cuts(&gateway, "write_timeout").await == 2.0).await;
}

#[tokio::test]
async fn a_caller_that_reads_slowly_reads_it_all() {
    let vendor = Vendor::scripted(large(8)).await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").and("[limits]\nwrite_timeout = \"1200ms\"")).await;
    let mut stream = narrow(gateway.address, 64 << 10).await;
    stream.write_all(&get("/large").bytes()).await.expect("sent");
    let (mut piece, mut got) = (vec![0; 16 << 10], 0);
    // Three times the limit, and less in each than a kernel likes to take at once.
    for _ in 0..90 {
        got += soon("a piece", stream.read(&mut piece)).await.expect("not cut");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    while got < 8 << 20 {
        let read = soon("a piece", stream.read(&mut piece)).await.expect("not cut");
        assert!(read > 0, "ended after {got} bytes");
        got += read;
    }
    assert_eq!(cuts(&gateway, "write_timeout").await, 0.0);
}

#[tokio::test]
async fn an_answer_whose_window_never_opens_is_reset_and_no_other() {
    let vendor = vendor().await;
    let route = Route::of("huawei").upstream("max_concurrent = 2").and("[limits]\nwrite_timeout = \"300ms\"");
    let gateway = Gateway::before(&vendor, route).await;
    let stream = TcpStream::connect(gateway.address).await.expect("a connection");
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(1 << 10).initial_connection_window_size(1 << 20);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(connection);
    let mut stalled = Vec::new();
    for _ in 0..2 {
        let answer = soon("a head", sender.send_request(get("/large").for_h2())).await.expect("a head");
        stalled.push(answer.into_body());
    }
    until("both to be counted", async || cuts(&gateway, "write_timeout").await == 2.0).await;
    let answer =
        soon("an answer", sender.send_request(get("/x").for_h2())).await.expect("the same connection");
    assert_eq!(answer.status(), 200);
    for body in stalled {
        use http_body_util::BodyExt;
        assert!(soon("the end", body.collect()).await.is_err(), "reset, not ended");
    }
}

#[tokio::test]
async fn a_caller_that_closes_its_sending_side_gets_its_answer() {
    let gate = Gate::default();
    let script = [vec![Step::Wait(gate.clone())], detail(&[("a", 0)]).script()].concat();
    let vendor = Vendor::scripted(script).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    for (count, call) in [get("/object"), stop(&["a"]), get("/x").body("{}")].into_iter().enumerate() {
        let mut wire = call.open(gateway.address).await;
        wire.stream.get_mut().shutdown().await.expect("half-closed");
        vendor.got(count + 1).await;
        gate.open(1);
        let answer = wire.answer().await;
        assert!(matches!(answer.status, 200 | 202) && answer.whole, "{}", answer.status);
        cut(wire.stream.get_mut()).await;
    }
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.sum("onevelope_requests_total", &["outcome=\"abandoned\""]), 0.0);
}
