//! SIGTERM: readiness turns false, what is under way is finished, nobody new gets in, and it ends in time.

use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::batches::{detail, stop};
use crate::support::{Answer, Call, Gate, Gateway, Reply, Route, Script, Step, Vendor, soon, until};

/// Answers when told.
fn held(gate: &Gate) -> Script {
    [vec![Step::Wait(gate.clone())], detail(&[("a", 0)]).script()].concat()
}

async fn refused(gateway: &Gateway) -> bool {
    TcpStream::connect(gateway.address).await.is_err()
}

#[tokio::test]
async fn what_is_under_way_is_finished_and_nobody_new_gets_in() {
    let gate = Gate::default();
    let vendor = Vendor::scripted(held(&gate)).await;
    let mut gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    assert_eq!(gateway.ask("/readyz").await.status, 200);
    let mut wire = stop(&["a"]).open(gateway.address).await;
    vendor.got(1).await;

    gateway.stop();
    until("the port to be closed", || refused(&gateway)).await;
    let ready = gateway.ask("/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (503, "draining\n"));
    assert_eq!(gateway.ask("/livez").await.status, 200, "draining is not dead");

    gate.open(1);
    let answer = wire.answer().await;
    assert_eq!(answer.outcomes(), ["accepted"]);
    assert_eq!(answer.header("connection"), "close");
    gateway.ended().await;
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let mut gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let mut idle = Call::new("GET", "/x").header("Host", "x").open(gateway.address).await;
    assert_eq!(idle.answer().await.status, 200);
    gateway.stop();
    gateway.ended().await;
    assert!(soon("the end", Answer::read_head(&mut idle.stream)).await.is_none());
}

#[tokio::test]
async fn the_last_counts_can_still_be_scraped_while_it_drains() {
    let gate = Gate::default();
    let vendor = Vendor::scripted(held(&gate)).await;
    let mut gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let mut first = stop(&["a"]).open(gateway.address).await;
    let mut second = stop(&["a"]).open(gateway.address).await;
    vendor.got(2).await;
    gateway.stop();
    until("the port to be closed", || refused(&gateway)).await;
    // Which of the two goes on is the vendor's choice.
    gate.open(1);
    tokio::select! {
        _ = first.answer() => {}
        _ = second.answer() => {}
    }
    assert_eq!(gateway.metrics().await.sum("onevelope_requests_total", &["outcome=\"accepted\""]), 1.0);
    gate.open(1);
    gateway.ended().await;
}

#[tokio::test]
async fn the_deadline_ends_what_does_not_end_by_itself() {
    let vendor = Vendor::scripted(vec![Step::Silence]).await;
    let mut gateway =
        Gateway::before(&vendor, Route::of("tencent").and("[drain]\ndeadline = \"200ms\"")).await;
    let mut wire = stop(&["a"]).open(gateway.address).await;
    vendor.got(1).await;
    gateway.stop();
    gateway.ended().await;
    assert!(soon("the end", Answer::read_head(&mut wire.stream)).await.is_none(), "cut, not left hanging");
}

#[tokio::test]
async fn a_delay_goes_on_serving_so_that_load_balancers_notice_first() {
    let vendor = Vendor::replying(detail(&[("a", 0)])).await;
    let mut gateway = Gateway::before(&vendor, Route::of("tencent").and("[drain]\ndelay = \"500ms\"")).await;
    gateway.stop();
    until("readiness to be false", async || gateway.ask("/readyz").await.status == 503).await;
    assert_eq!(stop(&["a"]).send(gateway.address).await.outcomes(), ["accepted"]);
    gateway.ended().await;
    assert!(refused(&gateway).await);
}

#[tokio::test]
async fn http2_connections_finish_what_is_under_way_and_take_nothing_new() {
    let gate = Gate::default();
    let held = gate.clone();
    let vendor = Vendor::answering(None, move |heard| match heard.line().contains("StopInstances") {
        true => [vec![Step::Wait(held.clone())], detail(&[("a", 0)]).script()].concat(),
        false => Reply::json("{}").script(),
    })
    .await;
    let mut gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let stream = TcpStream::connect(gateway.address).await.expect("a connection");
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.expect("a handshake");
    tokio::spawn(connection);
    let under_way = tokio::spawn(sender.send_request(stop(&["a"]).for_h2()));
    vendor.got(1).await;
    gateway.stop();
    let other = Call::new("GET", "/x").header("Host", "x").for_h2();
    until("new calls to be turned away", async || sender.send_request(other.clone()).await.is_err()).await;
    gate.open(1);
    assert_eq!(soon("the answer", under_way).await.expect("no panic").expect("an answer").status(), 202);
    gateway.ended().await;
}

#[tokio::test]
async fn a_batch_whose_caller_went_away_is_judged_before_the_end() {
    let gate = Gate::default();
    let vendor = Vendor::scripted(held(&gate)).await;
    let mut gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let wire = stop(&["a"]).open(gateway.address).await;
    vendor.got(1).await;
    let observer = gateway.admin.observer.clone();
    drop(wire);
    // With its connection over, only the batch itself is left to wait for.
    gateway.stop();
    until("the port to be closed", || refused(&gateway)).await;
    gate.open(1);
    gateway.ended().await;
    let total: u64 = observer.by_vendor().iter().map(|(_, counts)| counts.iter().sum::<u64>()).sum();
    assert_eq!(total, 1, "its verdict is known");
}
