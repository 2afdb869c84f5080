//! Above a limit bytes pass untouched and nothing is claimed: never an error, never a loss.

use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::support::batches::{detail, failed_servers, reset, stop};
use crate::support::{Call, Gate, Gateway, Reply, Route, Step, Vendor, soon, until};

#[tokio::test]
async fn a_reply_of_200_megabytes_streams_through_and_is_counted_as_unknown() {
    const SIZE: usize = 200 << 20;
    let gate = Gate::default();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {SIZE}\r\n\r\n");
    let piece: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    let mut script = vec![Step::Send(head.into_bytes()), Step::Send(piece.clone()), Step::Wait(gate.clone())];
    script.extend((1..200).map(|_| Step::Send(piece.clone())));
    let vendor = Vendor::scripted(script).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let mut wire = stop(&["a", "b"]).open(gateway.address).await;
    // The head is here while most of the body is not even sent.
    let answer = wire.head().await;
    assert_eq!((answer.status, answer.header("onevelope-outcome").as_str()), (200, "unknown"));
    assert_eq!(answer.header("content-length"), SIZE.to_string());
    gate.open(1);
    let mut got = vec![0; piece.len()];
    for n in 0..200 {
        soon("a piece", wire.stream.read_exact(&mut got)).await.expect("a piece");
        assert!(got == piece, "piece {n} is the vendor's");
    }
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.sum("onevelope_diagnostics_total", &["code=\"body_over_limit\""]), 1.0);
    assert_eq!(metrics.sum("onevelope_requests_total", &["outcome=\"unknown\"", "status=\"200\""]), 1.0);
}

#[tokio::test]
async fn a_reply_over_the_limit_tells_what_is_known_of_the_call() {
    for reply in [detail(&[("a", 0), ("b", 5100)]), detail(&[("a", 0), ("b", 5100)]).chunked(10)] {
        let vendor = Vendor::replying(reply.header("ETag", "\"x\"")).await;
        let direct = stop(&["a", "b"]).send(vendor.address).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent").and("[limits]\nreply_body = 64")).await;
        let answer = stop(&["a", "b"]).send(gateway.address).await;
        assert_eq!((answer.status, &answer.body, answer.whole), (200, &direct.body, true));
        assert_eq!(
            (answer.header("etag").as_str(), answer.header("onevelope-outcome").as_str()),
            ("\"x\"", "unknown")
        );
        let items = "total=2, succeeded=0, accepted=0, failed=0, not_attempted=0, unknown=2";
        assert_eq!(answer.header("onevelope-items"), items);
        assert_eq!(answer.header("onevelope-upstream-status"), "200");
        assert_eq!(answer.header("onevelope-profile"), "\"tencent/async-task\"");
        let metrics = gateway.metrics().await;
        assert_eq!(metrics.sum("onevelope_resource_results_total", &["outcome=\"unknown\""]), 2.0);
    }
}

#[tokio::test]
async fn a_request_over_the_limit_goes_through_whole() {
    let vendor = Vendor::replying(failed_servers(&[("a", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").and("[limits]\nrequest_body = 50")).await;
    for call in [reset(&["a", "b"]), chunked(&reset(&["a", "b"]))] {
        let answer = call.send(gateway.address).await;
        assert_eq!((answer.status, answer.header("onevelope-outcome").as_str()), (400, "unknown"));
        assert_eq!(answer.json()["error"]["code"], "Ecs.0611", "the vendor's own body");
    }
    let heard = vendor.heard();
    assert!(heard.iter().all(|heard| String::from_utf8_lossy(&heard.body).contains("\"id\":\"b\"")));
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.sum("onevelope_diagnostics_total", &["code=\"request_over_limit\""]), 2.0);
    assert_eq!(metrics.sum("onevelope_requests_total", &["outcome=\"unknown\""]), 2.0);
}

/// The same call with a body whose length is not told.
fn chunked(call: &Call) -> Call {
    let body = call.content();
    let mut framed = Vec::new();
    for chunk in body.chunks(20) {
        framed.extend_from_slice(
            format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)).as_bytes(),
        );
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    call.clone().header("Transfer-Encoding", "chunked").body(framed)
}

#[tokio::test]
async fn documents_have_limits_of_their_own() {
    let many: Vec<(String, u32)> = (0..100).map(|n| (format!("id{n}"), 0)).collect();
    let many: Vec<(&str, u32)> = many.iter().map(|(id, code)| (id.as_str(), *code)).collect();
    for (limit, reply) in [
        ("items = 2", detail(&many)),
        ("json_depth = 2", detail(&[("a", 0), ("b", 0)])),
        ("decoded_body = 64", detail(&[("a", 0), ("b", 0)]).coded("gzip")),
    ] {
        let vendor = Vendor::replying(reply).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent").and(&format!("[limits]\n{limit}"))).await;
        let answer = stop(&["a", "b"]).send(gateway.address).await;
        assert_eq!(
            (answer.status, answer.outcomes()),
            (502, vec!["unknown".into(), "unknown".into()]),
            "{limit}"
        );
        assert_eq!(answer.json()["upstream"]["body"], "unparsed", "{limit}");
        let key = limit.split(' ').next().expect("a key");
        let told = answer.json()["diagnostics"][0].clone();
        if key != "decoded_body" {
            assert_eq!(
                told["code"],
                if key == "items" { "body_over_limit" } else { "body_unreadable" },
                "{told}"
            );
            assert!(told["message"].as_str().expect("words").contains(&format!("limits.{key}")), "{told}");
        }
    }
}

/// Whatever makes a result counts: what nobody asked for, what is stated again, and jobs that are only announced.
#[tokio::test]
async fn results_beyond_the_limit_are_none_at_all() {
    let huawei = |count: usize, entry: &str| {
        let list = vec![entry; count].join(",");
        Reply::json(format!(r#"{{"error":{{"code":"Ecs.0611","message":"no"}},"internalError":[{list}]}}"#))
    };
    let failed = r#"{"id":"a","error_code":"Ecs.0614"}"#;
    for (reply, fits) in [
        (huawei(8, failed), true),
        (huawei(10, failed), false),
        (huawei(10, r#"{"id":"x","error_code":"Ecs.0614"}"#), false),
        (huawei(1_000_000, "{}"), false),
    ] {
        let vendor = Vendor::replying(reply.status("400 Bad Request").header("X-Request-Id", "7ca1")).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei").and("[limits]\nitems = 10")).await;
        let answer = reset(&["a", "b"]).send(gateway.address).await;
        assert!(answer.body.len() < 8 << 20, "{} bytes", answer.body.len());
        let envelope = answer.json();
        if fits {
            assert_eq!(
                (answer.outcomes().len(), answer.diagnostics()),
                (9, vec!["duplicate_item".to_owned()])
            );
            continue;
        }
        assert_eq!((answer.status, answer.outcomes()), (502, vec!["unknown".into(), "unknown".into()]));
        assert_eq!(
            (&envelope["results"][0]["id"], &envelope["results"][1]["id"]),
            (&"a".into(), &"b".into())
        );
        assert_eq!(answer.diagnostics(), ["body_over_limit"]);
        let told = envelope["diagnostics"][0]["message"].as_str().expect("words");
        assert!(told.contains("limits.items"), "{told}");
        let metrics = gateway.metrics().await;
        assert_eq!(metrics.sum("onevelope_resource_results_total", &["outcome=\"unknown\""]), 2.0);
    }
}

#[tokio::test]
async fn an_envelope_over_the_limit_claims_nothing_and_its_raw_is_cut() {
    let ids: Vec<String> = (0..200).map(|n| format!("server-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let say = |length: usize| {
        let entry = |id: &&str| {
            format!(r#"{{"id":"{id}","error_code":"Ecs.0614","error_message":"{}"}}"#, "x\\n".repeat(length))
        };
        let list: Vec<String> = ids.iter().map(entry).collect();
        let list = list.join(",");
        Reply::json(format!(r#"{{"error":{{"code":"Ecs.0611"}},"internalError":[{list}]}}"#))
            .status("400 Bad Request")
    };
    let most = 64 << 10;
    for (length, whole) in [(1, true), (30, true), (500, false)] {
        let reply = say(length);
        let sent = reply.body_len();
        let vendor = Vendor::replying(reply).await;
        let gateway =
            Gateway::before(&vendor, Route::of("huawei").and("[limits]\nenvelope = \"64 KiB\"")).await;
        let answer = reset(&ids).send(gateway.address).await;
        let envelope = answer.json();
        assert!(answer.body.len() <= most, "{length}: {} bytes", answer.body.len());
        assert_eq!(answer.outcomes(), vec![if whole { "failed" } else { "unknown" }; 200], "{length}");
        let raw = &envelope["raw"];
        assert_eq!((&raw["truncated"], &raw["bytes"]), (&(length > 1).into(), &sent.into()), "{length}");
        assert_eq!(raw["encoding"], if length > 1 { "text" } else { "json" }, "{length}");
        if !whole {
            assert_eq!(answer.diagnostics(), ["body_over_limit"]);
            assert!(
                envelope["diagnostics"][0]["message"].as_str().expect("words").contains("limits.envelope")
            );
        }
    }
}

#[tokio::test]
async fn where_not_even_the_asked_items_fit_the_vendors_bytes_go_back() {
    let ids: Vec<String> = (0..1000).map(|n| format!("server-{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let vendor = Vendor::replying(failed_servers(&[("server-1", "Ecs.0614")])).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").and("[limits]\nenvelope = \"64 KiB\"")).await;
    let answer = reset(&ids).send(gateway.address).await;
    assert_eq!((answer.status, answer.header("onevelope-outcome").as_str()), (400, "unknown"));
    assert_eq!(answer.json()["error"]["code"], "Ecs.0611", "the vendor's own body");
    assert!(answer.header("onevelope-items").contains("unknown=1000"));
}

#[tokio::test]
async fn bodies_that_do_not_fit_into_memory_together_pass_unread() {
    let gate = Gate::default();
    let held = gate.clone();
    let padded = |id: &str| detail(&[(id, 0)]).padded(60 << 10);
    let vendor = Vendor::answering(None, move |heard| {
        if !heard.line().contains("=held&") {
            return padded("free").script();
        }
        let bytes = padded("held").bytes();
        let (front, rest) = bytes.split_at(50 << 10);
        vec![Step::Send(front.to_vec()), Step::Wait(held.clone()), Step::Send(rest.to_vec())]
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("tencent").and("[limits]\nmemory = \"400 KiB\"")).await;
    let free = async || stop(&["free"]).send(gateway.address).await;
    assert_eq!(free().await.outcomes(), ["accepted"]);
    let mut wires = Vec::new();
    for _ in 0..8 {
        wires.push(stop(&["held"]).open(gateway.address).await);
    }
    until("memory to be taken", async || {
        let answer = free().await;
        assert!(answer.whole);
        answer.json()["detail"].is_object() && answer.header("onevelope-outcome") == "unknown"
    })
    .await;
    gate.open(8);
    for wire in &mut wires {
        assert!(wire.answer().await.whole);
    }
    assert_eq!(free().await.outcomes(), ["accepted"], "memory is given back");
}

#[tokio::test]
async fn a_vendor_gets_no_more_calls_at_once_than_allowed() {
    let gate = Gate::default();
    let held = gate.clone();
    let vendor = Vendor::answering(None, move |heard| {
        if !heard.line().contains("=first&") {
            return detail(&[("a", 0)]).script();
        }
        let bytes = detail(&[("first", 0)]).bytes();
        let (front, rest) = bytes.split_at(bytes.len() - 5);
        vec![Step::Send(front.to_vec()), Step::Wait(held.clone()), Step::Send(rest.to_vec())]
    })
    .await;
    let route = Route::of("tencent").upstream("max_concurrent = 1\nqueue_timeout = \"300ms\"");
    let gateway = Gateway::before(&vendor, route).await;
    let mut first = stop(&["first"]).open(gateway.address).await;
    vendor.got(1).await;
    let busy = stop(&["a"]).send(gateway.address).await;
    // Nothing was sent, so all of it may be repeated.
    assert_eq!((busy.status, busy.outcomes()), (503, vec!["not_attempted".into()]));
    assert_eq!(busy.json()["results"][0]["evidence"], "gateway");
    assert_eq!(busy.header("retry-after"), "1");
    assert_eq!(vendor.heard().len(), 1);
    gate.open(1);
    assert_eq!(first.answer().await.outcomes(), ["accepted"]);
    assert_eq!(stop(&["a"]).send(gateway.address).await.outcomes(), ["accepted"]);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_and_the_admin_port_stays_open() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").and("[limits]\nconnections = 1")).await;
    let call = Call::new("GET", "/x").header("Host", "x");
    let mut first = call.open(gateway.address).await;
    first.answer().await;
    let mut second = call.open(gateway.address).await;
    let early = tokio::time::timeout(Duration::from_millis(300), second.head()).await;
    assert!(early.is_err(), "the only place is taken");
    assert_eq!(gateway.ask("/readyz").await.status, 200);
    drop(first);
    assert_eq!(second.answer().await.status, 200);
}
