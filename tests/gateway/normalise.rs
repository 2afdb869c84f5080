//! A recognised batch is answered with the envelope, and every header tells the truth about the new body.

use serde_json::json;

use crate::support::batches::{detail, failed_servers, reset, start, stop};
use crate::support::{Gateway, Reply, Route, Vendor};

#[tokio::test]
async fn huawei_names_its_failures_and_the_rest_is_inferred() {
    let vendor = Vendor::replying(failed_servers(&[("s2", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").upstream("host = \"as_sent\"")).await;
    let answer = reset(&["s1", "s2", "s3"]).send(gateway.address).await;
    assert_eq!((answer.status, answer.header("content-type").as_str()), (207, "application/json"));
    let envelope = answer.json();
    assert_eq!(envelope["outcome"], "partial");
    assert_eq!(
        envelope["results"],
        json!([
            { "index": 0, "id": "s1", "outcome": "succeeded", "evidence": "inferred" },
            { "index": 1, "id": "s2", "outcome": "failed", "evidence": "reported",
              "error": { "category": "not_found", "origin": "vendor", "vendor_code": "Ecs.0614", "message": "no",
                         "advice": "do_not_retry" } },
            { "index": 2, "id": "s3", "outcome": "succeeded", "evidence": "inferred" },
        ])
    );
    assert_eq!(envelope["operation"]["action"], "BatchResetServersPassword");
    assert_eq!(envelope["operation"]["region"], "eu-west-0");
    assert_eq!(envelope["upstream"]["request_id"], "7ca1f9d2");
    assert_eq!(envelope["id"], answer.header("onevelope-request-id"));
    assert!(!answer.text().contains("Not-To-Be-Echoed"), "nothing of the request but ids");
}

#[tokio::test]
async fn tencent_hands_out_one_task_for_each() {
    let vendor = Vendor::replying(detail(&[("a", 0), ("b", 5100), ("c", 0)])).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let answer = stop(&["a", "b", "c"]).send(gateway.address).await;
    assert_eq!(
        (answer.status, answer.outcomes()),
        (207, vec!["accepted".into(), "failed".into(), "accepted".into()])
    );
    let envelope = answer.json();
    assert_eq!(envelope["results"][2]["task"], json!({ "id": "task-c", "state": "pending" }));
    assert_eq!(envelope["results"][1]["error"]["vendor_code"], "5100");
    assert_eq!(envelope["error"]["vendor_code"], "5400");
    let expected = json!({ "total": 3, "succeeded": 0, "accepted": 2, "failed": 1, "not_attempted": 0, "unknown": 0,
                           "retryable": 0, "inferred": 0 });
    let mut summary = envelope["summary"].clone();
    summary["retryable"] = 0.into();
    assert_eq!(summary, expected);
}

#[tokio::test]
async fn an_sdk_that_names_the_gateway_as_host_is_recognised_by_the_upstreams() {
    let vendor = Vendor::replying(Reply::json("{\"job_id\":\"j1\"}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let call = start(&["s1"]).header("X-Sdk-Date", "20240611T080000Z");
    assert_eq!(call.send(gateway.address).await.outcomes(), ["accepted"]);
}

#[tokio::test]
async fn every_answer_carries_the_five_headers() {
    let vendor = Vendor::replying(detail(&[("a", 0), ("b", 5100), ("c", 0)])).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    for mode in ["envelope", "observe"] {
        let answer = stop(&["a", "b", "c"]).header("Onevelope-Mode", mode).send(gateway.address).await;
        assert_eq!(answer.header("onevelope-outcome"), "partial", "{mode}");
        let items = "total=3, succeeded=0, accepted=2, failed=1, not_attempted=0, unknown=0";
        assert_eq!(answer.header("onevelope-items"), items, "{mode}");
        assert_eq!(answer.header("onevelope-upstream-status"), "200", "{mode}");
        assert_eq!(answer.header("onevelope-profile"), "\"tencent/async-task\"", "{mode}");
        assert_eq!(answer.header("onevelope-request-id").len(), 26, "{mode}: a ULID");
    }
}

/// Headers that describe the vendor's bytes.
const DESCRIPTIONS: [(&str, &str); 13] = [
    ("ETag", "\"v1\""),
    ("Content-MD5", "rL0Y20zC+Fzt72VPzMSk2A=="),
    ("Digest", "sha-256=abc"),
    ("Content-Digest", "sha-256=:abc=:"),
    ("Repr-Digest", "sha-256=:abc=:"),
    ("x-amz-crc32", "123"),
    ("x-amz-checksum-sha256", "abc="),
    ("x-amz-checksum-crc32c", "abc="),
    ("Accept-Ranges", "bytes"),
    ("Last-Modified", "Tue, 11 Jun 2024 08:00:00 GMT"),
    ("Signature", "sig1=:abc=:"),
    ("Signature-Input", "sig1=(\"content-digest\")"),
    ("Content-Language", "zh-CN"),
];

fn described(reply: Reply) -> Reply {
    DESCRIPTIONS.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
}

#[tokio::test]
async fn what_described_the_vendors_bytes_is_gone_from_ours() {
    let bodies = [
        failed_servers(&[("s2", "Ecs.0614")]),
        Reply::new("502 Bad Gateway", "<html>no</html>"),
        Reply::json("{"),
    ];
    for reply in bodies {
        let vendor =
            Vendor::replying(described(reply).header("X-Kept", "1").header("Set-Cookie", "a=1")).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
        let answer = reset(&["s1", "s2"]).send(gateway.address).await;
        for (name, _) in DESCRIPTIONS {
            assert!(!answer.has(name), "{name} at {}", answer.status);
        }
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert_eq!(answer.header("vary"), "Accept, Onevelope-Mode, Prefer");
        assert_eq!((answer.header("x-kept"), answer.header("set-cookie")), ("1".into(), "a=1".into()));
    }
}

#[tokio::test]
async fn what_describes_the_vendors_bytes_stays_where_they_are_sent() {
    let vendor = Vendor::replying(described(failed_servers(&[("s2", "Ecs.0614")]))).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").with("mode = \"observe\"")).await;
    let answer = reset(&["s1", "s2"]).send(gateway.address).await;
    for (name, value) in DESCRIPTIONS {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn what_the_vendor_varies_by_stays_beside_ours() {
    let vendor = Vendor::replying(failed_servers(&[]).header("Vary", "Origin")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    assert_eq!(
        reset(&["s1"]).send(gateway.address).await.header("vary"),
        "Origin, Accept, Onevelope-Mode, Prefer"
    );
}

#[tokio::test]
async fn one_task_for_all_can_be_followed_by_link() {
    let vendor = Vendor::replying(Reply::json("{\"job_id\":\"ff80-1\"}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer = start(&["s1", "s2"]).send(gateway.address).await;
    assert_eq!((answer.status, answer.outcomes()), (202, vec!["accepted".into(), "accepted".into()]));
    assert_eq!(answer.header("link"), "</v1/0605768a/jobs/ff80-1>; rel=\"monitor\"");
    assert_eq!(
        answer.json()["task"],
        json!({ "id": "ff80-1", "state": "pending", "monitor": "/v1/0605768a/jobs/ff80-1" })
    );
}

#[tokio::test]
async fn the_link_leads_through_the_routes_prefix() {
    let vendor = Vendor::replying(Reply::json("{\"job_id\":\"ff80-1\"}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").with("prefix = \"/huawei\"")).await;
    let answer = start(&["s1"]).at("/huawei/v1/0605768a/cloudservers/action").send(gateway.address).await;
    assert_eq!(answer.header("link"), "</huawei/v1/0605768a/jobs/ff80-1>; rel=\"monitor\"");
}

#[tokio::test]
async fn http2_callers_get_the_same_envelope() {
    let vendor = Vendor::replying(failed_servers(&[("s2", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer = reset(&["s1", "s2"]).send_h2c(gateway.address).await;
    assert_eq!((answer.status, answer.outcomes()), (207, vec!["succeeded".into(), "failed".into()]));
}

#[tokio::test]
async fn a_proxy_route_without_vendor_recognises_each_by_its_own_words() {
    let vendor = Vendor::answering(None, |heard| match heard.line().contains("StopInstances") {
        true => detail(&[("a", 0), ("b", 5100)]).script(),
        false => failed_servers(&[("b", "Ecs.0614")]).script(),
    })
    .await;
    let text = format!(
        "[routes.any]\nupstream = \"u\"\n[upstreams.u]\nhost = \"as_sent\"\nurl = {:?}\n",
        vendor.url()
    );
    let gateway = Gateway::start(&text).await;
    // As a client behind `http_proxy` sends it.
    let target =
        "http://cvm.api.qcloud.com/v2/index.php?Action=StopInstances&instanceIds.0=a&instanceIds.1=b";
    let answer = stop(&[]).at(target).send(gateway.address).await;
    assert_eq!(answer.header("onevelope-profile"), "\"tencent/async-task\"");
    assert_eq!(answer.outcomes(), ["accepted", "failed"]);
    let answer = reset(&["a", "b"]).send(gateway.address).await;
    assert_eq!(answer.header("onevelope-profile"), "\"huawei/ecs-batch\"");
    assert_eq!(answer.outcomes(), ["succeeded", "failed"]);
}
