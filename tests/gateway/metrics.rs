//! Every verdict is counted once, exactly, under names and labels that no caller can make up.

use crate::support::batches::{detail, failed_servers, reset, start, stop};
use crate::support::{Answer, Call, Gateway, Metrics, Reply, Route, Step, Vendor};

const RESULTS: &str = "onevelope_resource_results_total";
const REQUESTS: &str = "onevelope_requests_total";

/// What the counters of an outcome moved by is what the envelope's summary says.
fn assert_moved(before: &Metrics, after: &Metrics, answer: &Answer, times: u32) {
    let items = answer.header("onevelope-items");
    for part in items.split(", ").filter(|part| !part.starts_with("total=")) {
        let (outcome, count) = part.split_once('=').expect("name=count");
        let label = format!("outcome={outcome:?}");
        let moved = after.sum(RESULTS, &[&label]) - before.sum(RESULTS, &[&label]);
        assert_eq!(moved, count.parse::<f64>().expect("a count") * f64::from(times), "{outcome} of {items}");
    }
}

#[tokio::test]
async fn verdicts_move_the_counters_by_what_the_summary_says() {
    let replies = [
        failed_servers(&[("b", "Ecs.0614"), ("nobody-asked", "Ecs.0005")]),
        failed_servers(&[]),
        Reply::json(
            r#"{"response":[{"id":"a"},{"id":"b"}],"internalError":[{"id":"b","error_code":"Ecs.0614"}]}"#,
        ),
        Reply::json(r#"{"error_code":"APIGW.0308","error_msg":"throttled"}"#).status("429 Too Many Requests"),
        Reply::new("502 Bad Gateway", "<html>"),
        Reply::json(""),
    ];
    for reply in replies {
        let vendor = Vendor::replying(reply).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
        let before = gateway.metrics().await;
        let answer = reset(&["a", "b", "c", "a"]).send(gateway.address).await;
        let observed =
            reset(&["a", "b", "c", "a"]).header("Onevelope-Mode", "observe").send(gateway.address).await;
        assert_eq!(answer.header("onevelope-items"), observed.header("onevelope-items"));
        assert_moved(&before, &gateway.metrics().await, &answer, 2);
    }
}

#[tokio::test]
async fn a_verdict_is_counted_under_what_it_says() {
    let vendor = Vendor::replying(failed_servers(&[("b", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    reset(&["a", "b"]).send(gateway.address).await;
    let metrics = gateway.metrics().await;
    let action = ["vendor=\"huawei\"", "service=\"ecs\"", "action=\"BatchResetServersPassword\""];
    let sum = |labels: &[&str]| metrics.sum(RESULTS, &[&action, labels].concat());
    assert_eq!(sum(&["outcome=\"failed\"", "category=\"not_found\"", "evidence=\"reported\""]), 1.0);
    assert_eq!(sum(&["outcome=\"succeeded\"", "category=\"none\"", "evidence=\"inferred\""]), 1.0);
    assert_eq!(sum(&[]), 2.0);
}

#[tokio::test]
async fn rows_are_there_before_anything_happened() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let metrics = gateway.metrics().await;
    let action = "action=\"BatchResetServersPassword\"";
    for outcome in ["succeeded", "accepted", "failed", "not_attempted", "unknown"] {
        assert!(metrics.has(RESULTS, &[action, &format!("outcome={outcome:?}")]), "{outcome}");
    }
    for code in onevelope::envelope::DIAGNOSTIC_CODES {
        assert!(metrics.has("onevelope_diagnostics_total", &[&format!("code={code:?}")]), "{code}");
    }
    assert!(metrics.has("onevelope_upstream_attempts_total", &["upstream=\"u\"", "result=\"replied\""]));
    assert_eq!((metrics.moved(RESULTS), metrics.moved("onevelope_diagnostics_total")), (vec![], vec![]));
    // Another vendor's actions cannot be reached here.
    assert!(!metrics.has(RESULTS, &["vendor=\"tencent\""]));
    assert_eq!(metrics.sum("onevelope_build_info", &[]), 1.0);
    assert_eq!(metrics.sum("onevelope_config_last_reload_successful", &[]), 1.0);
}

#[tokio::test]
async fn requests_are_counted_by_what_became_of_them() {
    let vendor = Vendor::answering(None, |heard| match heard.line().contains("index.php") {
        true => detail(&[("a", 0), ("b", 5100)]).script(),
        false => Reply::new("404 Not Found", "").script(),
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    for mode in ["envelope", "observe", "passthrough"] {
        stop(&["a", "b"]).header("Onevelope-Mode", mode).send(gateway.address).await;
    }
    Call::new("GET", "/unknown").header("Host", "x").send(gateway.address).await;
    let metrics = gateway.metrics().await;
    let sum = |mode, outcome, status| {
        metrics.sum(REQUESTS, &["route=\"r\"", "vendor=\"tencent\"", mode, outcome, status])
    };
    assert_eq!(sum("mode=\"envelope\"", "outcome=\"partial\"", "status=\"207\""), 1.0);
    assert_eq!(sum("mode=\"observe\"", "outcome=\"partial\"", "status=\"200\""), 1.0);
    assert_eq!(sum("mode=\"passthrough\"", "outcome=\"passthrough\"", "status=\"200\""), 1.0);
    assert_eq!(sum("mode=\"envelope\"", "outcome=\"passthrough\"", "status=\"404\""), 1.0);
    assert_eq!(metrics.sum(REQUESTS, &[]), 4.0);
    assert_eq!(metrics.sum("onevelope_request_duration_seconds_count", &["route=\"r\""]), 4.0);
    // Passthrough does not look: two batches were judged, not three.
    assert_eq!(metrics.sum(RESULTS, &[]), 4.0);
    assert_eq!(
        metrics.sum("onevelope_normalize_duration_seconds_count", &["profile=\"tencent/async-task\""]),
        2.0
    );
}

#[tokio::test]
async fn calls_to_vendors_are_counted_by_how_they_ended() {
    let vendor = Vendor::answering(None, |heard| match heard.line() {
        line if line.contains("/lost") => vec![Step::Close],
        line if line.contains("/silent") => vec![Step::Silence],
        _ => Reply::json("{}").script(),
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("tencent").upstream("head_timeout = \"200ms\"")).await;
    for path in ["/ok", "/lost", "/silent"] {
        Call::new("GET", path).header("Host", "x").send(gateway.address).await;
    }
    let metrics = gateway.metrics().await;
    for result in ["replied", "lost", "timeout"] {
        let label = format!("result={result:?}");
        assert_eq!(
            metrics.sum("onevelope_upstream_attempts_total", &["upstream=\"u\"", &label]),
            1.0,
            "{result}"
        );
    }
    assert_eq!(metrics.sum("onevelope_upstream_duration_seconds_count", &["upstream=\"u\""]), 3.0);
    assert_eq!(metrics.sum(REQUESTS, &["outcome=\"error\"", "status=\"502\""]), 1.0);
    assert_eq!(metrics.sum(REQUESTS, &["outcome=\"error\"", "status=\"504\""]), 1.0);
}

#[tokio::test]
async fn codes_the_table_does_not_know_are_counted_and_never_become_labels() {
    let vendor = Vendor::replying(failed_servers(&[("i-secret-id", "Brand.New")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer = reset(&["i-secret-id"]).header("Authorization", "s3cret").send(gateway.address).await;
    assert_eq!(answer.json()["results"][0]["error"]["vendor_code"], "Brand.New", "verbatim in the envelope");
    let text = gateway.ask("/metrics").await.text();
    let metrics = Metrics::parse(&text);
    let labels = ["vendor=\"huawei\"", "profile=\"huawei/ecs-batch\""];
    assert_eq!(metrics.sum("onevelope_unmapped_codes_total", &labels), 1.0);
    assert_eq!(metrics.sum("onevelope_diagnostics_total", &["code=\"unmapped_code\""]), 1.0);
    for word in ["Brand.New", "i-secret-id", "s3cret", "0605768a", "os-reset"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[tokio::test]
async fn hosts_that_callers_make_up_do_not_become_labels_without_end() {
    let vendor = Vendor::replying(detail(&[("a", 0)])).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    for n in 0..300 {
        let call = stop(&["a"]).without("Host").header("Host", &format!("made-up-{n}.api.qcloud.com"));
        assert_eq!(call.send(gateway.address).await.outcomes(), ["accepted"]);
    }
    let text = gateway.ask("/metrics").await.text();
    let counted = |line: &&str| line.contains("made-up-") && line.ends_with(" 1");
    let made_up = text.lines().filter(counted).count();
    assert!(made_up < 300, "{made_up} rows");
    assert_eq!(Metrics::parse(&text).sum(RESULTS, &[]), 300.0, "and none is lost");
}

#[tokio::test]
async fn what_was_only_tried_out_is_no_result() {
    let vendor = Vendor::replying(Reply::json("{\"job_id\":\"j\"}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let call = reset(&["a"]).body(r#"{"new_password":"x","servers":[{"id":"a"}],"dry_run":true}"#);
    let answer = call.send(gateway.address).await;
    assert_eq!(answer.json()["operation"]["dry_run"], true);
    let metrics = gateway.metrics().await;
    assert_eq!((metrics.moved(RESULTS), metrics.sum(REQUESTS, &[])), (vec![], 1.0));
    // An action that knows no such flag is executed, whatever the caller adds.
    let call = start(&["a"]).body(r#"{"os-start":{"servers":[{"id":"a"}]},"dry_run":true}"#);
    assert_eq!(call.send(gateway.address).await.json()["operation"]["dry_run"], serde_json::Value::Null);
}
