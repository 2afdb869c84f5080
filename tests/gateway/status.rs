//! The status line tells the truth: `docs/envelope.md` section 5, in its three settings.

use crate::support::batches::{detail, failed_servers, reset, start, stop};
use crate::support::{Answer, Call, Gateway, Reply, Route, Vendor};

/// What Huawei's front end says to too many calls.
fn throttled() -> Reply {
    let body = r#"{"error_code":"APIGW.0308","error_msg":"The throttling threshold has been reached"}"#;
    Reply::json(body).status("429 Too Many Requests").header("Retry-After", "3")
}

async fn ask(route: Route, reply: Reply, call: Call) -> Answer {
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, route).await;
    call.send(gateway.address).await
}

async fn huawei(reply: Reply, ids: &[&str]) -> Answer {
    ask(Route::of("huawei"), reply, reset(ids)).await
}

#[tokio::test]
async fn strict_gives_each_outcome_its_own_status() {
    let done = Reply::json(r#"{"response":[{"id":"a"},{"id":"b"}]}"#);
    assert_eq!(huawei(done, &["a", "b"]).await.status, 200);
    let accepted = ask(Route::of("huawei"), Reply::json(r#"{"job_id":"j"}"#), start(&["a"])).await;
    assert_eq!(accepted.status, 202);
    assert_eq!(huawei(failed_servers(&[("a", "Ecs.0614")]), &["a", "b"]).await.status, 207);
    // One category's status, whatever the vendor's was.
    assert_eq!(
        huawei(failed_servers(&[("a", "Ecs.0614"), ("b", "Ecs.0614")]), &["a", "b"]).await.status,
        404
    );
    // Different callers' faults: 422.
    assert_eq!(
        huawei(failed_servers(&[("a", "Ecs.0614"), ("b", "Ecs.0005")]), &["a", "b"]).await.status,
        422
    );
    // May have come after work: nobody may take it for a refusal.
    let broken = Reply::json(r#"{"error":{"code":"Ecs.0000","message":"internal"}}"#)
        .status("500 Internal Server Error");
    let answer = huawei(broken, &["a", "b"]).await;
    assert_eq!((answer.status, answer.header("onevelope-outcome").as_str()), (502, "unknown"));
}

#[tokio::test]
async fn retry_after_comes_back_only_where_everything_was_throttled() {
    let answer = huawei(throttled(), &["a", "b"]).await;
    assert_eq!((answer.status, answer.header("retry-after").as_str()), (429, "3"));
    assert_eq!(answer.json()["results"][0]["error"]["retry_after_ms"], 3000);

    let partial = failed_servers(&[("a", "Ecs.0614")]).header("Retry-After", "3");
    let answer = huawei(partial, &["a", "b"]).await;
    assert_eq!((answer.status, answer.has("retry-after")), (207, false));

    // All failed, but not for the moment only.
    let refused = failed_servers(&[("a", "Brand.New"), ("b", "Brand.New")]).header("Retry-After", "3");
    let answer = huawei(refused, &["a", "b"]).await;
    assert_eq!((answer.header("onevelope-outcome").as_str(), answer.has("retry-after")), ("failed", false));

    let unknown = Reply::new("503 Service Unavailable", "").header("Retry-After", "3");
    let answer = huawei(unknown, &["a", "b"]).await;
    assert_eq!((answer.header("onevelope-outcome").as_str(), answer.has("retry-after")), ("unknown", false));
    assert!(!matches!(answer.status, 429 | 503), "{}: an invitation to repeat", answer.status);
}

#[tokio::test]
async fn throttling_is_a_refusal_whatever_its_status() {
    let reply = Reply::json(r#"{"error":{"code":"Common.0024","message":"exceeds flow over limit"}}"#)
        .status("202 Accepted");
    let answer = huawei(reply, &["a", "b"]).await;
    assert_eq!((answer.status, answer.outcomes()), (429, vec!["failed".into(), "failed".into()]));
}

#[tokio::test]
async fn multi_answers_207_to_everything_with_items() {
    let multi = || Route::of("huawei").with("status = \"multi\"");
    for (reply, outcome) in [
        (Reply::json(r#"{"response":[{"id":"a"}]}"#), "succeeded"),
        (failed_servers(&[("a", "Ecs.0614")]), "failed"),
        (throttled(), "failed"),
        (Reply::new("502 Bad Gateway", "<html>"), "unknown"),
    ] {
        let answer = ask(multi(), reply, reset(&["a"])).await;
        assert_eq!((answer.status, answer.header("onevelope-outcome").as_str()), (207, outcome));
        assert!(!answer.has("retry-after"), "207 is no refusal");
    }
}

#[tokio::test]
async fn vendor_keeps_the_vendors_status_and_tells_the_truth_in_the_header() {
    let vendors = |name: &str| Route::of(name).with("status = \"vendor\"");
    let answer = ask(vendors("tencent"), detail(&[("a", 5100), ("b", 0)]), stop(&["a", "b"])).await;
    assert_eq!((answer.status, answer.header("onevelope-outcome").as_str()), (200, "partial"));
    let answer = ask(vendors("huawei"), failed_servers(&[("a", "Ecs.0614")]), reset(&["a", "b"])).await;
    assert_eq!((answer.status, answer.header("onevelope-outcome").as_str()), (400, "partial"));
    assert!(!answer.has("retry-after"));
    // A 204 may not have the body that an envelope is.
    let answer = ask(vendors("huawei"), Reply::new("204 No Content", ""), reset(&["a"])).await;
    assert_eq!((answer.status, answer.outcomes().len()), (200, 1));
}

#[tokio::test]
async fn the_vendors_status_is_always_told() {
    for status in ["200 OK", "400 Bad Request", "500 Internal Server Error"] {
        let answer = huawei(failed_servers(&[("a", "Ecs.0614")]).status(status), &["a", "b"]).await;
        assert_eq!((answer.status, answer.header("onevelope-upstream-status").as_str()), (207, &status[..3]));
        assert_eq!(answer.json()["upstream"]["status"].to_string(), status[..3]);
    }
}
