//! What is sent: the envelope, the vendor's bytes with our headers, or nothing of ours; and what callers may ask for.

use crate::support::batches::{detail, failed_servers, reset, stop};
use crate::support::{Answer, Call, Gateway, Reply, Route, Vendor, coded};

/// Everything of an answer but its framing, which each hop makes anew.
fn essence(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    assert!(answer.whole);
    let framing = ["date", "connection", "transfer-encoding", "content-length"];
    let ours = |name: &str| framing.contains(&name) || name.starts_with("onevelope-");
    let headers = answer.headers.iter().filter(|(name, _)| !ours(name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned())).collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

#[tokio::test]
async fn observe_and_passthrough_send_what_a_direct_call_gets() {
    let odd = "{\"code\":0, \"detail\" : {\"a\":{\"code\":0,\"requestId\":12345678901234567890}} }\n";
    let replies = [
        detail(&[("a", 0), ("b", 5100)]),
        detail(&[("a", 0)]).chunked(7),
        detail(&[("a", 0)]).coded("gzip").header("ETag", "\"z\""),
        Reply::json(odd).header("Retry-After", "9"),
        Reply::json("{\"code\":0,").status("500 Oh"),
        Reply::new("200 OK", "<html>").header("Content-Type", "text/html").until_close(),
        Reply::new("204 No Content", ""),
    ];
    for reply in replies {
        let vendor = Vendor::replying(reply.clone()).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
        let direct = stop(&["a", "b"]).send(vendor.address).await;
        for mode in ["observe", "passthrough"] {
            let answer = stop(&["a", "b"]).header("Onevelope-Mode", mode).send(gateway.address).await;
            assert_eq!(essence(&answer), essence(&direct), "{mode}: {reply:?}");
            assert_eq!(answer.has("onevelope-outcome"), mode == "observe");
        }
    }
}

#[tokio::test]
async fn the_header_switches_the_mode_unless_the_route_is_pinned() {
    let vendor = Vendor::replying(detail(&[("a", 0)])).await;
    let open = Gateway::before(&vendor, Route::of("tencent").with("mode = \"observe\"")).await;
    let pinned = Gateway::before(&vendor, Route::of("tencent").with("mode = \"observe\"\npin = true")).await;
    let asked = stop(&["a"]).header("Onevelope-Mode", "envelope");
    assert_eq!(asked.send(open.address).await.outcomes(), ["accepted"]);
    let answer = asked.send(pinned.address).await;
    assert_eq!((answer.json()["detail"]["a"]["code"].clone(), answer.status), (0.into(), 200));
    // A word that is no mode changes nothing.
    let answer = stop(&["a"]).header("Onevelope-Mode", "canonical").send(open.address).await;
    assert_eq!(answer.header("onevelope-outcome"), "accepted");
    assert!(answer.json()["detail"].is_object());
}

#[tokio::test]
async fn our_words_never_reach_the_vendor() {
    let vendor = Vendor::replying(failed_servers(&[("s1", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let call = reset(&["s1"]).header("Onevelope-Mode", "envelope").header("Onevelope-Request-Id", "mine");
    let answer =
        call.header("Prefer", "return=minimal, respond-async;x=1, odata.x").send(gateway.address).await;
    assert_eq!(answer.status, 404);
    let heard = vendor.only();
    assert!(!heard.head.to_lowercase().contains("onevelope-"), "{}", heard.head);
    assert!(!heard.header("Prefer").contains("minimal"), "{}", heard.header("Prefer"));
    assert!(heard.header("Prefer").contains("odata.x"), "a vendor's own preference goes on");
    reset(&["s1"]).header("Prefer", "handling=strict").send(gateway.address).await;
    assert_eq!(vendor.heard()[1].header("Prefer"), "", "ours alone leaves no header behind");
}

#[tokio::test]
async fn strict_handling_forbids_inference_and_repair() {
    let vendor = Vendor::replying(failed_servers(&[("s2", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer = reset(&["s1", "s2"]).header("Prefer", "handling=strict").send(gateway.address).await;
    assert_eq!(answer.outcomes(), ["unknown", "failed"]);
    assert_eq!(answer.header("preference-applied"), "handling=strict");
    assert_eq!(answer.json()["results"][0]["error"]["advice"], "reconcile");

    let vendor = Vendor::replying(Reply::json("{\"internalError\":[],}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer = reset(&["s1"]).header("Prefer", "handling=strict").send(gateway.address).await;
    let envelope = answer.json();
    assert_eq!(
        (answer.outcomes(), &envelope["upstream"]["body"]),
        (vec!["unknown".into()], &"unparsed".into())
    );
}

#[tokio::test]
async fn minimal_answers_leave_out_what_succeeded_but_count_it() {
    let vendor = Vendor::replying(failed_servers(&[("s2", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer = reset(&["s1", "s2", "s3"]).header("Prefer", "return=minimal").send(gateway.address).await;
    let envelope = answer.json();
    assert_eq!(answer.header("preference-applied"), "return=minimal");
    assert_eq!((&envelope["summary"]["total"], &envelope["summary"]["succeeded"]), (&3.into(), &2.into()));
    assert_eq!(envelope["results"].as_array().expect("results").len(), 1);
    assert_eq!((&envelope["results"][0]["id"], &envelope["results"][0]["index"]), (&"s2".into(), &1.into()));
}

#[tokio::test]
async fn the_media_type_is_ours_where_it_is_asked_for_by_name() {
    let vendor = Vendor::replying(failed_servers(&[])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    for (accept, expected) in [
        ("application/vnd.onevelope.batch+json", "application/vnd.onevelope.batch+json"),
        ("text/html, application/vnd.onevelope.batch+json;q=0.9", "application/vnd.onevelope.batch+json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
    ] {
        let answer = reset(&["s1"]).header("Accept", accept).send(gateway.address).await;
        assert_eq!(answer.header("content-type"), expected, "{accept}");
    }
    assert_eq!(
        vendor.heard()[0].header("Accept"),
        "application/vnd.onevelope.batch+json",
        "Accept is forwarded as sent"
    );
}

#[tokio::test]
async fn every_coding_a_vendor_may_use_is_read_and_never_claimed_for_our_body() {
    let reply = detail(&[("a", 0), ("b", 5100)]);
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let vendor = Vendor::replying(reply.clone().coded(coding)).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
        let answer = stop(&["a", "b"]).header("Accept-Encoding", coding).send(gateway.address).await;
        assert_eq!(answer.outcomes(), ["accepted", "failed"], "{coding}");
        assert!(!answer.has("content-encoding"), "{coding}");
        assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{coding}");
        assert_eq!(vendor.only().header("Accept-Encoding"), coding);
    }
}

#[tokio::test]
async fn codings_may_be_stacked_and_those_we_cannot_undo_are_not_offered() {
    let plain = b"{\"code\":0,\"detail\":{\"a\":{\"code\":0,\"requestId\":\"t\"}}}";
    let twice = coded("gzip", &coded("deflate", plain));
    let vendor = Vendor::replying(Reply::json(twice).header("Content-Encoding", "deflate, gzip")).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let answer =
        stop(&["a"]).header("Accept-Encoding", "gzip;q=0.5, compress, deflate").send(gateway.address).await;
    assert_eq!(answer.outcomes(), ["accepted"]);
    assert_eq!(vendor.only().header("Accept-Encoding"), "gzip;q=0.5, deflate");
}

#[tokio::test]
async fn chunks_change_nothing() {
    let reply = detail(&[("a", 0), ("b", 5100), ("c", 0)]);
    for size in [1, 3, 64, 1 << 16] {
        let vendor = Vendor::replying(reply.clone().chunked(size)).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
        assert_eq!(
            stop(&["a", "b", "c"]).send(gateway.address).await.outcomes(),
            ["accepted", "failed", "accepted"]
        );
    }
}

#[tokio::test]
async fn calls_nobody_knows_pass_in_every_mode_and_carry_no_verdict() {
    let vendor = Vendor::replying(Reply::json("{\"servers\":[]}").header("ETag", "\"x\"")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer =
        Call::new("GET", "/v1/p/cloudservers/detail").header("Host", "x").send(gateway.address).await;
    assert_eq!((answer.text().as_str(), answer.header("etag").as_str()), ("{\"servers\":[]}", "\"x\""));
    assert!(!answer.has("onevelope-outcome") && !answer.has("vary"));
}

#[tokio::test]
async fn grpc_is_known_by_its_path_and_passes_as_it_is() {
    let (asks, says) = (b"\0\0\0\0\x03\x0a\x01a", b"\0\0\0\0\x02\x0a\0");
    let reply = Reply::new("200 OK", says.to_vec()).header("Content-Type", "application/grpc");
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, Route::of("gcp").with("mode = \"envelope\"")).await;
    let call = |path| Call::new("POST", path).header("Host", "x").header("Content-Type", "application/grpc");
    let answer = call("/google.pubsub.v1.Subscriber/Acknowledge").body(asks).send(gateway.address).await;
    assert_eq!(answer.header("onevelope-outcome"), "unknown");
    assert_eq!((answer.status, &*answer.body), (200, &says[..]), "not rewritten, whatever the route's mode");
    let answer = call("/google.pubsub.v1.Subscriber/GetSubscription").body(asks).send(gateway.address).await;
    assert!(!answer.has("onevelope-outcome") && *answer.body == says[..]);
}
