//! Vendors that answer late, not wholly, or not at all. What may have been done is unknown; what was never delivered failed.

use std::time::Duration;

use tokio::net::TcpListener;

use crate::support::batches::{detail, failed_servers, reset, stop};
use crate::support::{Answer, Call, Gate, Gateway, Reply, Route, Step, Vendor, until};

/// Every item with this outcome, category, origin and advice, and how it is known.
fn assert_all(answer: &Answer, outcome: &str, evidence: &str, category: &str, advice: &str) {
    let envelope = answer.json();
    for result in envelope["results"].as_array().expect("results") {
        assert_eq!((&result["outcome"], &result["evidence"]), (&outcome.into(), &evidence.into()));
        let error = &result["error"];
        assert_eq!((&error["category"], &error["advice"]), (&category.into(), &advice.into()));
        assert_eq!(error["origin"], "network");
    }
    assert!(envelope["upstream"].get("status").is_none(), "there was no reply");
    assert!(!answer.has("onevelope-upstream-status"));
    assert_eq!(answer.header("onevelope-outcome"), outcome);
}

#[tokio::test]
async fn no_head_in_time_leaves_every_item_unknown() {
    let vendor = Vendor::scripted(vec![Step::Silence]).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent").upstream("head_timeout = \"200ms\"")).await;
    let answer = stop(&["a", "b"]).send(gateway.address).await;
    assert_eq!((answer.status, answer.has("retry-after")), (504, false));
    assert_all(&answer, "unknown", "gateway", "timeout", "reconcile");
    assert_eq!(vendor.heard().len(), 1, "never sent again");
}

#[tokio::test]
async fn a_connection_lost_after_sending_leaves_every_item_unknown() {
    for ending in [Step::Reset, Step::Close] {
        let vendor = Vendor::scripted(vec![ending]).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
        let answer = reset(&["a", "b"]).send(gateway.address).await;
        assert_eq!((answer.status, answer.has("retry-after")), (502, false));
        assert_all(&answer, "unknown", "gateway", "bad_response", "reconcile");
        assert_eq!(answer.diagnostics(), ["upstream_lost"]);
        assert_eq!(vendor.heard().len(), 1, "never sent again");
    }
}

#[tokio::test]
async fn a_kept_connection_that_dies_under_a_batch_is_no_reason_to_send_it_twice() {
    let vendor = Vendor::answering(None, |heard| match heard.line().contains("=first&") {
        true => detail(&[("first", 0)]).script(),
        false => vec![Step::Close],
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    assert_eq!(stop(&["first"]).send(gateway.address).await.outcomes(), ["accepted"]);
    assert_eq!(stop(&["second"]).send(gateway.address).await.outcomes(), ["unknown"]);
    assert_eq!((vendor.heard().len(), vendor.connections()), (2, 1));
}

#[tokio::test]
async fn a_body_that_falls_silent_is_truncated() {
    let mut bytes = failed_servers(&[("a", "Ecs.0614")]).bytes();
    bytes.truncate(bytes.len() - 4);
    let vendor = Vendor::scripted(vec![Step::Send(bytes), Step::Silence]).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").upstream("body_timeout = \"200ms\"")).await;
    let answer = reset(&["a", "b"]).send(gateway.address).await;
    assert_eq!((answer.status, answer.outcomes()), (502, vec!["unknown".into(), "unknown".into()]));
    assert_eq!(answer.json()["upstream"]["body"], "truncated");
}

#[tokio::test]
async fn a_silent_body_that_is_only_passed_on_is_cut() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello".to_vec();
    let vendor = Vendor::scripted(vec![Step::Send(bytes), Step::Silence]).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").upstream("body_timeout = \"200ms\"")).await;
    let answer = Call::new("GET", "/object").header("Host", "x").send(gateway.address).await;
    assert_eq!((answer.text().as_str(), answer.whole), ("hello", false));
}

#[tokio::test]
async fn a_body_that_dribbles_is_waited_for() {
    let whole = detail(&[("a", 0)]).bytes();
    // Longer than the timeout in all, never in one piece.
    let mut script = Vec::new();
    for piece in whole.chunks(whole.len().div_ceil(4)) {
        script.extend([Step::Send(piece.to_vec()), Step::Pause(Duration::from_millis(400))]);
    }
    let vendor = Vendor::scripted(script).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent").upstream("body_timeout = \"1s\"")).await;
    assert_eq!(stop(&["a"]).send(gateway.address).await.outcomes(), ["accepted"]);
}

#[tokio::test]
async fn a_long_upload_is_not_counted_as_waiting_for_the_head() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let route = Route::of("huawei").with("mode = \"passthrough\"").upstream("head_timeout = \"500ms\"");
    let gateway = Gateway::before(&vendor, route).await;
    let call = Call::new("PUT", "/object").header("Host", "x").header("Content-Length", "8");
    let mut wire = call.open(gateway.address).await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        wire.write(b"x").await;
    }
    assert_eq!(wire.answer().await.status, 200, "the wait begins with the last request byte");
}

/// An address where nobody listens.
async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn a_refused_connection_fails_every_item_and_may_be_repeated() {
    let gateway = Gateway::start(&Route::of("tencent").to_url(&nowhere().await)).await;
    let answer = stop(&["a", "b"]).send(gateway.address).await;
    assert_eq!(answer.status, 502);
    assert_all(&answer, "failed", "gateway", "unreachable", "retry");
    assert_eq!(answer.json()["summary"]["retryable"], 2);
    assert_eq!(answer.diagnostics(), Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_that_is_never_accepted_fails_every_item() {
    // A full backlog: the kernel drops further attempts.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
    let listener = socket.listen(1).expect("a listener");
    let address = listener.local_addr().expect("an address");
    let mut waiting = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(100), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(stream);
    }
    let route = Route::of("tencent").upstream("connect_timeout = \"200ms\"");
    let gateway = Gateway::start(&route.to_url(&format!("http://{address}"))).await;
    let answer = stop(&["a"]).send(gateway.address).await;
    assert_eq!(answer.status, 502);
    assert_all(&answer, "failed", "gateway", "unreachable", "retry");
}

#[tokio::test]
async fn calls_that_are_only_passed_on_get_a_problem_that_names_the_side() {
    let call = Call::new("GET", "/x").header("Host", "x");
    let gateway = Gateway::start(&Route::of("tencent").to_url(&nowhere().await)).await;
    let answer = call.send(gateway.address).await;
    assert_eq!((answer.status, &answer.json()["type"]), (502, &"urn:onevelope:unreachable".into()));

    let vendor = Vendor::scripted(vec![Step::Silence]).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent").upstream("head_timeout = \"200ms\"")).await;
    let answer = call.send(gateway.address).await;
    assert_eq!((answer.status, &answer.json()["type"]), (504, &"urn:onevelope:timeout".into()));
}

#[tokio::test]
async fn a_caller_that_goes_away_frees_the_vendors_connection() {
    let vendor = Vendor::answering(None, |heard| match heard.line().contains("/slow ") {
        true => vec![Step::Silence],
        false => Reply::json("{}").script(),
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("tencent").upstream("max_concurrent = 1")).await;
    let wire = Call::new("GET", "/slow").header("Host", "x").open(gateway.address).await;
    vendor.got(1).await;
    drop(wire);
    // The only place at the vendor is free again, although the vendor never answered.
    assert_eq!(Call::new("GET", "/x").header("Host", "x").send(gateway.address).await.status, 200);
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.sum("onevelope_requests_total", &["outcome=\"abandoned\"", "status=\"499\""]), 1.0);
}

#[tokio::test]
async fn a_batch_whose_caller_goes_away_is_judged_and_counted_all_the_same() {
    let gate = Gate::default();
    let script = [vec![Step::Wait(gate.clone())], detail(&[("a", 0), ("b", 5100)]).script()].concat();
    let vendor = Vendor::scripted(script).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let wire = stop(&["a", "b"]).open(gateway.address).await;
    vendor.got(1).await;
    drop(wire);
    gate.open(1);
    let counted = async |outcome| gateway.metrics().await.sum("onevelope_resource_results_total", &[outcome]);
    until("the verdicts to be counted", async || counted("outcome=\"accepted\"").await == 1.0).await;
    assert_eq!(counted("outcome=\"failed\"").await, 1.0);
}
