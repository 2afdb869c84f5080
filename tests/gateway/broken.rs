//! Replies as bad as they come. Nobody is told of a success that was not stated, nothing is lost, nothing falls over.

use crate::support::batches::{detail, reset, stop};
use crate::support::{Answer, Gateway, Reply, Route, Script, Vendor, coded};

async fn tencent(script: Script) -> Answer {
    let vendor = Vendor::scripted(script).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    stop(&["a", "b"]).send(gateway.address).await
}

async fn huawei(reply: Reply, ids: &[&str]) -> Answer {
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    reset(ids).send(gateway.address).await
}

/// Both items unknown, 502, and never an invitation to repeat.
fn assert_unreadable(answer: &Answer, state: &str, code: &str) {
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(answer.outcomes(), ["unknown", "unknown"]);
    let envelope = answer.json();
    assert_eq!(envelope["upstream"]["body"], state);
    assert_eq!(envelope["results"][0]["error"]["advice"], "reconcile");
    assert_eq!(answer.diagnostics(), [code]);
    assert!(!answer.has("retry-after"));
}

#[tokio::test]
async fn the_vendors_own_sample_with_its_slips_gives_both_task_ids() {
    let page = include_bytes!("../profiles/tencent/async-task/sample-of-the-page/reply.http");
    let at = page.windows(2).position(|pair| pair == b"\n\n" || pair == b"\n{").expect("a body");
    let body = String::from_utf8_lossy(&page[at..]).trim().to_owned();
    let vendor = Vendor::replying(Reply::json(body)).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let answer = stop(&["qcvm6a456b0d8f01d4b2b1f5073d3fb8ccc0"]).send(gateway.address).await;
    let envelope = answer.json();
    assert_eq!(
        (answer.status, answer.diagnostics()),
        (202, vec!["json_repaired".into(), "duplicate_item".into()])
    );
    assert_eq!(envelope["upstream"]["body"], "repaired");
    let tasks: Vec<_> =
        envelope["results"].as_array().expect("results").iter().map(|r| &r["task"]["id"]).collect();
    assert_eq!(tasks, ["1231231231231", "1231231231232"]);
    assert_eq!(
        (&envelope["results"][1]["occurrence"], &envelope["summary"]["total"]),
        (&1.into(), &1.into())
    );
}

#[tokio::test]
async fn an_empty_body_where_one_is_documented_says_nothing() {
    let answer = tencent(Reply::json("").script()).await;
    assert_eq!((answer.status, answer.outcomes()), (502, vec!["unknown".into(), "unknown".into()]));
    assert_eq!(answer.json()["upstream"]["body"], "absent");
}

#[tokio::test]
async fn html_of_a_front_end_is_no_verdict_but_is_shown() {
    let page = Reply::new("200 OK", "<html><body>502 Bad Gateway</body>").header("Content-Type", "text/html");
    let answer = tencent(page.script()).await;
    assert_eq!((answer.status, answer.outcomes()), (502, vec!["unknown".into(), "unknown".into()]));
    assert!(answer.json()["raw"]["body"].as_str().expect("raw").starts_with("<html>"));
}

#[tokio::test]
async fn a_body_that_the_connection_cut_is_truncated_however_it_was_framed() {
    let reply = detail(&[("a", 0), ("b", 0)]);
    assert_unreadable(&tencent(reply.cut(2)).await, "truncated", "body_truncated");
    assert_unreadable(&tencent(reply.clone().chunked(16).cut(9)).await, "truncated", "body_truncated");
    let answer = tencent(reply.clone().coded("gzip").cut(5)).await;
    assert_unreadable(&answer, "truncated", "body_truncated");
    // What came is kept for whoever must look.
    let raw = tencent(reply.cut(2)).await.json()["raw"].clone();
    assert_eq!((&raw["truncated"], &raw["encoding"]), (&true.into(), &"text".into()));
    // Even when what is there would do as JSON: its end was not seen.
    let whole = reply.clone().claiming(reply.body_len() + 10);
    assert_unreadable(&tencent(whole.script()).await, "truncated", "body_truncated");
}

#[tokio::test]
async fn a_body_that_ends_too_early_in_itself_is_truncated_too() {
    let reply =
        Reply::json("{\"code\":0,\"detail\":{\"a\":{\"code\":0,\"requestId\":\"t1\"},\"b\":{\"code\":0");
    assert_unreadable(&tencent(reply.script()).await, "truncated", "body_truncated");
}

#[tokio::test]
async fn nesting_and_bombs_end_at_their_limits() {
    let deep = format!("{{\"code\":0,\"detail\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert_unreadable(&tencent(Reply::json(deep).script()).await, "unparsed", "body_unreadable");
    // 32 MiB of nothing in 32 KiB: far less than the limit in bytes, far more than the ratio.
    let bomb = coded("gzip", &vec![b' '; 32 << 20]);
    let reply = Reply::json(bomb.clone()).header("Content-Encoding", "gzip");
    assert_unreadable(&tencent(reply.script()).await, "unparsed", "coding_unreadable");
    let reply = Reply::json(coded("gzip", &bomb)).header("Content-Encoding", "gzip, gzip");
    assert_unreadable(&tencent(reply.script()).await, "unparsed", "coding_unreadable");
}

#[tokio::test]
async fn a_coding_that_is_not_what_it_says_is_unreadable() {
    let reply = detail(&[("a", 0), ("b", 0)]).header("Content-Encoding", "gzip");
    assert_unreadable(&tencent(reply.script()).await, "unparsed", "coding_unreadable");
    let reply = detail(&[("a", 0), ("b", 0)]).header("Content-Encoding", "compress");
    assert_unreadable(&tencent(reply.script()).await, "unparsed", "coding_unreadable");
}

#[tokio::test]
async fn a_charset_that_is_not_what_it_says_costs_a_character_not_the_verdicts() {
    let mut body = b"{\"code\":5400,\"message\":\"".to_vec();
    body.extend_from_slice(&[0xb2, 0xbf, 0xb7, 0xd6]); // GBK
    body.extend_from_slice(b"\",\"detail\":{\"a\":{\"code\":0,\"requestId\":\"t\"},\"b\":{\"code\":5100}}}");
    let labelled = Reply::new("200 OK", body.clone()).header("Content-Type", "text/html; charset=gbk");
    let answer = tencent(labelled.script()).await;
    assert_eq!(answer.json()["error"]["message"], "部分");
    let wrong = Reply::new("200 OK", body).header("Content-Type", "application/json; charset=utf-8");
    let answer = tencent(wrong.script()).await;
    assert_eq!(answer.outcomes(), ["accepted", "failed"]);
    assert!(answer.diagnostics().contains(&"charset_replaced".to_owned()), "{:?}", answer.diagnostics());
}

#[tokio::test]
async fn an_id_in_both_lists_failed_and_the_success_follows() {
    let reply = Reply::json(
        r#"{"response":[{"id":"a"},{"id":"b"}],"internalError":[{"id":"b","error_code":"Ecs.0614"}]}"#,
    );
    let answer = huawei(reply, &["a", "b"]).await;
    assert_eq!(
        (answer.status, answer.outcomes()),
        (207, vec!["succeeded".into(), "failed".into(), "succeeded".into()])
    );
    let envelope = answer.json();
    assert_eq!(
        (&envelope["results"][2]["id"], &envelope["results"][2]["occurrence"]),
        (&"b".into(), &1.into())
    );
    assert_eq!(envelope["summary"]["total"], 2);
    assert!(answer.diagnostics().contains(&"duplicate_item".to_owned()));
}

#[tokio::test]
async fn of_two_statements_about_one_id_the_worse_counts() {
    let (failed, unsaid, taken) = (r#"{"code":5100}"#, r#"{"code":""}"#, r#"{"code":0,"requestId":"t"}"#);
    for (first, second, counts) in [
        (failed, unsaid, "failed"),
        (unsaid, failed, "failed"),
        (taken, unsaid, "unknown"),
        (unsaid, taken, "unknown"),
        (taken, failed, "failed"),
    ] {
        let body = format!(r#"{{"code":5400,"detail":{{"a":{first},"a":{second},"b":{taken}}}}}"#);
        let answer = tencent(Reply::json(body.as_str()).script()).await;
        assert_eq!((answer.outcomes().len(), answer.outcomes()[0].as_str()), (3, counts), "{body}");
        assert!(answer.diagnostics().contains(&"duplicate_item".to_owned()));
    }
}

#[tokio::test]
async fn codes_that_contradict_their_entries_are_told() {
    let hidden = r#"{"code":0,"message":"","detail":{"a":{"code":0,"requestId":"t"},"b":{"code":5100,"message":"no"}}}"#;
    let answer = tencent(Reply::json(hidden).script()).await;
    assert_eq!((answer.status, answer.outcomes()), (207, vec!["accepted".into(), "failed".into()]));
    assert!(answer.diagnostics().contains(&"batch_item_mismatch".to_owned()), "{:?}", answer.diagnostics());

    let unexplained = r#"{"code":5400,"message":"","detail":{"a":{"code":0,"requestId":"t"},"b":{"code":0,"requestId":"u"}}}"#;
    let answer = tencent(Reply::json(unexplained).script()).await;
    assert_eq!((answer.status, answer.outcomes()), (207, vec!["accepted".into(), "accepted".into()]));
    assert!(answer.diagnostics().contains(&"batch_item_mismatch".to_owned()), "{:?}", answer.diagnostics());
}

#[tokio::test]
async fn an_id_asked_twice_has_one_verdict_at_its_first_place() {
    let vendor = Vendor::replying(detail(&[("a", 0), ("b", 0)])).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let envelope = stop(&["a", "b", "a"]).send(gateway.address).await.json();
    let places: Vec<_> =
        envelope["results"].as_array().expect("results").iter().map(|r| (&r["index"], &r["id"])).collect();
    assert_eq!(places, [(&0.into(), &"a".into()), (&1.into(), &"b".into())]);
}

#[tokio::test]
async fn a_reply_that_is_no_http_leaves_everything_unknown() {
    let vendor =
        Vendor::scripted(vec![crate::support::Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec())]).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let answer = stop(&["a"]).send(gateway.address).await;
    assert_eq!((answer.status, answer.outcomes()), (502, vec!["unknown".into()]));
}
