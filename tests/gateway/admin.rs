//! The operator's port: what it shows, to whom, and what it never shows.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::support::batches::{detail, failed_servers, reset, stop};
use crate::support::{Answer, Call, Gateway, Reply, Route, Vendor, soon};

async fn before(reply: Reply) -> (Vendor, Gateway) {
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    (vendor, gateway)
}

async fn explain(gateway: &Gateway, body: &Value) -> Answer {
    let call = Call::new("POST", "/api/explain")
        .header("Host", "localhost")
        .header("Content-Type", "application/json");
    call.body(body.to_string()).send(gateway.admin_address).await
}

#[tokio::test]
async fn it_is_read_only_and_says_what_there_is() {
    let (_vendor, gateway) = before(Reply::json("{}")).await;
    let posted =
        Call::new("POST", "/metrics").header("Host", "localhost").body("x").send(gateway.admin_address).await;
    assert_eq!(posted.status, 405);
    let missing = gateway.ask("/nothing").await;
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("/metrics"));
    let profiles = gateway.ask("/api/profiles").await.json();
    let names: Vec<_> =
        profiles.as_array().expect("a list").iter().map(|profile| &profile["profile"]).collect();
    assert!(names.contains(&&"huawei/ecs-batch".into()));
    // The traffic port does not serve it: there it is the vendor's own path.
    let answer = Call::new("GET", "/metrics").header("Host", "x").send(gateway.address).await;
    assert_eq!(answer.text(), "{}");
}

#[tokio::test]
async fn a_loopback_port_answers_to_no_name_that_a_stranger_chose() {
    let (_vendor, gateway) = before(Reply::json("{}")).await;
    let ask = async |host: &str, path| {
        Call::new("GET", path).header("Host", host).send(gateway.admin_address).await
    };
    for host in ["localhost", "localhost:9464", "127.0.0.1:9464", "[::1]:9464"] {
        assert_eq!(ask(host, "/api/config").await.status, 200, "{host}");
    }
    assert_eq!(ask("evil.example", "/api/config").await.status, 421);
    assert_eq!(ask("evil.example", "/").await.status, 421);
    // Probes and scrapes come under a service's name.
    for path in ["/livez", "/readyz", "/metrics", "/metrics/resources"] {
        assert_eq!(ask("onevelope.monitoring.svc", path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn nothing_on_its_page_comes_from_elsewhere_or_can_be_framed() {
    let (_vendor, gateway) = before(Reply::json("{}")).await;
    let page = gateway.ask("/").await;
    assert_eq!((page.status, page.header("x-content-type-options").as_str()), (200, "nosniff"));
    assert!(page.header("content-type").starts_with("text/html"));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!page.text().contains("https://"), "no network but ours");
}

#[tokio::test]
async fn recent_failures_and_batches_tell_verdicts_and_nothing_of_the_request() {
    let (_vendor, gateway) = before(failed_servers(&[("s2", "Ecs.0614")])).await;
    let answer = reset(&["s1", "s2"]).header("Authorization", "s3cret").send(gateway.address).await;
    let failures = gateway.ask("/api/failures").await;
    let failure = &failures.json()["failures"][0];
    assert_eq!(failures.json()["failures"].as_array().expect("a list").len(), 1);
    let told = failure.to_string();
    for word in [
        "huawei",
        "BatchResetServersPassword",
        "s2",
        "Ecs.0614",
        "not_found",
        &answer.header("onevelope-request-id"),
    ] {
        assert!(told.contains(word), "{word}: {told}");
    }
    let batches = gateway.ask("/api/batches").await;
    assert!(batches.json()["batches"][0].to_string().contains("\"partial\""), "{}", batches.text());
    for text in [failures.text(), batches.text()] {
        assert!(!text.contains("Not-To-Be-Echoed") && !text.contains("s3cret"), "{text}");
    }
    let vendors = gateway.ask("/api/vendors").await.json();
    let huawei =
        vendors.as_array().expect("a list").iter().find(|row| row["vendor"] == "huawei").expect("huawei");
    assert_eq!((&huawei["succeeded"], &huawei["failed"]), (&1.into(), &1.into()));
}

#[tokio::test]
async fn recent_lists_are_bounded() {
    let ids: Vec<String> = (0..3000).map(|n| format!("s{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let failed: Vec<(&str, &str)> = ids.iter().map(|id| (*id, "Ecs.0614")).collect();
    let (_vendor, gateway) = before(failed_servers(&failed)).await;
    for _ in 0..3 {
        assert_eq!(reset(&ids).send(gateway.address).await.status, 404);
    }
    let count = async |path| gateway.ask(path).await.json()["failures"].as_array().expect("a list").len();
    assert_eq!(count("/api/failures?limit=2").await, 2);
    assert!(count("/api/failures?limit=1000000").await < 9000);
}

#[tokio::test]
async fn events_arrive_as_they_happen_and_do_not_hold_up_the_end() {
    let vendor = Vendor::replying(detail(&[("a", 0), ("b", 5100)])).await;
    let mut gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let mut wire =
        Call::new("GET", "/api/events").header("Host", "localhost").open(gateway.admin_address).await;
    assert_eq!(wire.head().await.header("content-type"), "text/event-stream");
    let answer = stop(&["a", "b"]).send(gateway.address).await;
    let mut seen = String::new();
    soon("the batch's event", async {
        let whole = |seen: &str, event| seen.split(event).nth(1).is_some_and(|rest| rest.contains("\n\n"));
        while !(whole(&seen, "event: verdict") && whole(&seen, "event: batch")) {
            seen.push(wire.stream.read_u8().await.expect("an open stream") as char);
        }
    })
    .await;
    assert!(seen.contains("\"b\"") && seen.contains("5100"), "{seen}");
    assert!(seen.contains(&answer.header("onevelope-request-id")), "{seen}");
    gateway.stop();
    gateway.ended().await;
}

#[tokio::test]
async fn the_playground_explains_pasted_messages_and_sends_nothing() {
    let (vendor, gateway) = before(Reply::json("{}")).await;
    let request = String::from_utf8(reset(&["s1", "s2"]).bytes()).expect("text");
    let reply = String::from_utf8(failed_servers(&[("s2", "Ecs.0614")]).bytes()).expect("text");
    let told = explain(&gateway, &json!({ "request": request, "reply": reply })).await;
    assert_eq!((told.status, &told.json()["profile"]), (200, &"huawei/ecs-batch".into()));
    assert_eq!(told.json()["envelope"]["outcome"], "partial");
    for wrong in [
        json!({}),
        json!({ "request": "x", "reply": reply }),
        json!({ "request": "GET /x HTTP/1.1\n\n", "reply": "" }),
    ] {
        let told = explain(&gateway, &wrong).await;
        assert_eq!(told.status, 422, "{wrong}");
        assert!(told.json()["error"].is_string(), "{wrong}");
    }
    let huge =
        Call::new("POST", "/api/explain").header("Host", "localhost").header("Content-Length", "9000000");
    assert_eq!(huge.send(gateway.admin_address).await.status, 422, "told before it is sent");
    assert_eq!(vendor.connections(), 0);
}
