//! Too many calls, and vendors that need a rest: what is not sent is said, and nothing of it looks as if it might have happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::batches::{detail, failed_servers, reset, start, stop};
use crate::support::{Call, Gate, Gateway, Reply, Route, Step, Vendor, until};

/// A vendor that keeps its first caller waiting until the gate opens.
async fn waiting() -> (Vendor, Gate) {
    let gate = Gate::default();
    let held = gate.clone();
    let vendor = Vendor::answering(None, move |heard| match heard.line().contains("=first&") {
        true => [vec![Step::Wait(held.clone())], detail(&[("first", 0)]).script()].concat(),
        false => detail(&[("a", 0)]).script(),
    })
    .await;
    (vendor, gate)
}

#[tokio::test]
async fn beyond_the_queue_and_the_calls_in_flight_nothing_is_sent() {
    let cases = [
        ("max_concurrent = 1\nmax_queued = 0", "", "queue_full"),
        ("max_concurrent = 1\nqueue_timeout = \"50ms\"", "", "queue_timeout"),
        ("", "[limits]\nin_flight = 1", "in_flight"),
    ];
    for (upstream, rest, reason) in cases {
        let (vendor, gate) = waiting().await;
        let gateway = Gateway::before(&vendor, Route::of("tencent").upstream(upstream).and(rest)).await;
        let mut first = stop(&["first"]).open(gateway.address).await;
        vendor.got(1).await;
        let answer = stop(&["a", "b"]).send(gateway.address).await;
        assert_eq!((answer.status, answer.outcomes()), (503, vec!["not_attempted".into(); 2]), "{reason}");
        assert_eq!((&*answer.header("retry-after"), &*answer.header("onevelope-outcome")), ("1", "failed"));
        let error = &answer.json()["results"][1]["error"];
        assert_eq!((&error["category"], &error["origin"]), (&"unavailable".into(), &"gateway".into()));
        assert_eq!(answer.json()["results"][1]["evidence"], "gateway");
        // What nobody recognises is told in the gateway's own words.
        let other = Call::new("GET", "/x").header("Host", "x").send(gateway.address).await;
        assert_eq!((other.status, &*other.header("retry-after")), (503, "1"), "{reason}");
        assert_eq!(gateway.ask("/readyz").await.status, 200, "the operator's port is exempt");
        let shed = gateway.metrics().await.sum("onevelope_shed_total", &[&format!("reason=\"{reason}\"")]);
        assert_eq!((shed, vendor.heard().len()), (2.0, 1), "{reason}");
        gate.open(1);
        assert_eq!(first.answer().await.outcomes(), ["accepted"]);
        assert_eq!(
            stop(&["a"]).send(gateway.address).await.outcomes(),
            ["accepted"],
            "places are given back"
        );
    }
}

/// A vendor that answers 200 or 400 with failures of its own inside, until it is well.
async fn ailing(reply: Reply) -> (Vendor, Arc<AtomicBool>) {
    let well = Arc::new(AtomicBool::new(false));
    let now = Arc::clone(&well);
    let vendor = Vendor::answering(None, move |heard| {
        match (now.load(Ordering::SeqCst), heard.line().contains("reset")) {
            (false, true) => reply.script(),
            (true, true) => Reply::json("{\"response\":[{\"id\":\"s1\"},{\"id\":\"s2\"}]}").script(),
            (_, false) => Reply::json("{\"job_id\":\"j\"}").script(),
        }
    })
    .await;
    (vendor, well)
}

const QUICK: &str = "[breaker]\ncalls = 3\nopen = \"200ms\"";

#[tokio::test]
async fn a_vendor_whose_verdicts_say_that_it_fails_inside_is_given_a_rest() {
    let (vendor, well) = ailing(failed_servers(&[("s1", "Ecs.0002"), ("s2", "Ecs.0002")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").and(QUICK)).await;
    let ask = async || reset(&["s1", "s2"]).send(gateway.address).await;
    for _ in 0..3 {
        assert_eq!(ask().await.outcomes(), ["failed", "failed"]);
    }
    let tripped = ask().await;
    assert_eq!((tripped.status, tripped.outcomes()), (503, vec!["not_attempted".into(); 2]));
    assert_eq!((&*tripped.header("retry-after"), vendor.heard().len()), ("1", 3), "nothing was sent");
    let stands = async || gateway.metrics().await.sum("onevelope_breaker_state", &["action=\"\""]);
    assert_eq!(stands().await, 2.0);
    let any = Call::new("GET", "/v1/servers").header("Host", "x").send(gateway.address).await;
    assert_eq!(any.status, 503, "the whole upstream rests");
    well.store(true, Ordering::SeqCst);
    until("a probe to find it well", async || ask().await.outcomes() == ["succeeded", "succeeded"]).await;
    assert_eq!(stands().await, 0.0);
    assert_eq!(ask().await.outcomes(), ["succeeded", "succeeded"]);
}

#[tokio::test]
async fn a_callers_own_mistakes_do_not_trip_it() {
    let (vendor, _) = ailing(failed_servers(&[("s1", "Ecs.0614"), ("s2", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").and(QUICK)).await;
    for _ in 0..6 {
        assert_eq!(reset(&["s1", "s2"]).send(gateway.address).await.outcomes(), ["failed", "failed"]);
    }
    assert_eq!(vendor.heard().len(), 6);
}

#[tokio::test]
async fn per_action_the_others_go_on() {
    let (vendor, _) = ailing(failed_servers(&[("s1", "Ecs.0002"), ("s2", "Ecs.0002")])).await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").and(&format!("{QUICK}\nper = \"action\""))).await;
    for outcome in ["failed", "failed", "failed", "not_attempted"] {
        assert_eq!(reset(&["s1", "s2"]).send(gateway.address).await.outcomes(), [outcome, outcome]);
    }
    assert_eq!(start(&["s1"]).send(gateway.address).await.outcomes(), ["accepted"]);
    let metrics = gateway.metrics().await;
    let action = reset(&["s1"]).send(gateway.address).await.json()["operation"]["action"].to_string();
    assert_eq!(metrics.sum("onevelope_breaker_state", &[&format!("action={action}")]), 2.0);
}

#[tokio::test]
async fn statuses_and_lost_connections_trip_it_for_what_nobody_recognises() {
    let lost: fn() -> Vec<Step> = || vec![Step::Close];
    let refused: fn() -> Vec<Step> = || Reply::json("{}").status("503 Busy").script();
    for script in [lost, refused] {
        let vendor = Vendor::answering(None, move |_| script()).await;
        let gateway =
            Gateway::before(&vendor, Route::of("huawei").and("[breaker]\ncalls = 3\nopen = \"60s\"")).await;
        for _ in 0..3 {
            Call::new("POST", "/x").header("Host", "x").body("x").send(gateway.address).await;
        }
        let answer = Call::new("GET", "/x").header("Host", "x").send(gateway.address).await;
        assert_eq!((answer.status, &answer.json()["type"]), (503, &"urn:onevelope:shed".into()));
        let wait: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&wait), "{wait}");
    }
}
