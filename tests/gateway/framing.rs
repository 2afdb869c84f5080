//! Replies that two parties could read differently, and replies in codings: nothing is lost and called whole.

use crate::support::batches::{detail, failed_servers, reset, stop};
use crate::support::{Answer, Call, Gateway, Reply, Route, Step, Vendor, coded};

/// A vendor's bytes, as they stand.
async fn saying(bytes: impl Into<Vec<u8>>) -> Vendor {
    Vendor::scripted(vec![Step::Send(bytes.into()), Step::Close]).await
}

async fn passed(vendor: &Vendor, method: &str) -> Answer {
    let gateway = Gateway::before(vendor, Route::of("huawei")).await;
    Call::new(method, "/x").header("Host", "x").send(gateway.address).await
}

async fn judged(reply: &Reply) -> Answer {
    let vendor = Vendor::replying(reply.clone()).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    stop(&["a", "b"]).send(gateway.address).await
}

#[tokio::test]
async fn of_two_framings_the_chunks_win_and_no_byte_is_lost() {
    for (length, whole) in [("11", true), ("3", false), ("12", false), ("x", false)] {
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        );
        let answer = passed(&saying(text.clone()).await, "GET").await;
        assert_eq!((answer.text().as_str(), answer.whole), ("hello world", whole), "{length}");
        let cut = saying(&text.as_bytes()[..text.len() - 5]).await;
        assert!(!passed(&cut, "GET").await.whole, "without its last chunk it is a part");
    }
}

#[tokio::test]
async fn a_batch_reply_whose_two_framings_differ_is_never_clean() {
    let reply = detail(&[("a", 0), ("b", 0)]);
    let length = reply.body_len();
    let alike = reply.clone().header("Content-Length", &length.to_string()).chunked(7);
    assert_eq!(judged(&alike).await.outcomes(), ["accepted", "accepted"]);
    for length in [length - 1, length + 1] {
        let reply = reply.clone().header("Content-Length", &length.to_string()).chunked(7);
        let vendor = Vendor::replying(reply).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
        let answer = stop(&["a", "b"]).send(gateway.address).await;
        assert_eq!((answer.status, answer.outcomes()), (502, vec!["unknown".into(); 2]));
        assert_eq!(answer.json()["upstream"]["body"], "truncated");
        let observed = stop(&["a", "b"]).header("Onevelope-Mode", "observe").send(gateway.address).await;
        assert!(!observed.whole, "what is cut for us is cut for the caller");
    }
}

/// Huawei's list of failures with nothing in it: silence would make the asked items good.
#[tokio::test]
async fn a_reply_that_ends_with_its_connection_proves_only_what_shows_its_end() {
    let ask = async |body: &str, coding: Option<&str>| {
        let reply = Reply::json(body).until_close();
        let vendor = Vendor::replying(coding.map_or(reply.clone(), |coding| reply.coded(coding))).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
        let observed = stop(&["a"]).header("Onevelope-Mode", "observe").send(gateway.address).await;
        assert!(observed.whole, "{body}: bytes pass as they came");
        stop(&["a"]).send(gateway.address).await
    };
    let good = r#"{"code":0,"message":"","detail":{"a":{"code":0,"requestId":"t"}}}"#;
    assert_eq!(ask(good, None).await.outcomes(), ["accepted"]);
    assert_eq!(ask(good, Some("gzip")).await.outcomes(), ["accepted"]);
    for body in ["", " ", &good[..good.len() - 1], &format!("{good},")] {
        let answer = ask(body, None).await;
        assert_eq!(
            (answer.outcomes(), answer.json()["upstream"]["body"].clone()),
            (vec!["unknown".into()], "truncated".into()),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_length_said_twice_alike_is_one() {
    for lines in ["Content-Length: 2, 2", "Content-Length: 2\r\nContent-Length: 2"] {
        let answer = passed(&saying(format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\nok")).await, "GET").await;
        assert_eq!(
            (answer.text().as_str(), answer.header("content-length").as_str()),
            ("ok", "2"),
            "{lines}"
        );
    }
}

/// In every mode, also over HTTP/2, which could carry them.
#[tokio::test]
async fn trailers_and_what_belongs_to_the_vendors_connection_end_here() {
    let body = String::from_utf8(failed_servers(&[("s1", "Ecs.0614")]).bytes()).expect("text");
    let body = body.split("\r\n\r\n").nth(1).expect("a body");
    let text = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: X-Hop\r\nConnection: x-other\r\nX-Hop: 1\r\nX-Other: 1\r\nKeep-Alive: timeout=1\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTrailer: X-Late\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\nX-Late: 1\r\nOnevelope-Outcome: succeeded\r\n\r\n",
        body.len()
    );
    for mode in ["envelope", "observe", "passthrough"] {
        let vendor = saying(text.clone()).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei").with(&format!("mode = {mode:?}"))).await;
        for answer in
            [reset(&["s1"]).send(gateway.address).await, reset(&["s1"]).send_h2c(gateway.address).await]
        {
            assert!(answer.whole && !answer.body.is_empty(), "{mode}");
            for name in
                ["x-hop", "x-other", "keep-alive", "proxy-authenticate", "upgrade", "trailer", "x-late"]
            {
                assert!(!answer.has(name), "{mode}: {name}");
            }
            let outcome = if mode == "passthrough" { "" } else { "failed" };
            assert_eq!(answer.header("onevelope-outcome"), outcome, "{mode}");
        }
    }
}

#[tokio::test]
async fn a_reply_to_head_tells_the_length_that_a_body_would_have() {
    let vendor = saying("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: \"x\"\r\n\r\n").await;
    let answer = passed(&vendor, "HEAD").await;
    assert_eq!((answer.header("content-length").as_str(), answer.header("etag").as_str()), ("1234", "\"x\""));
}

#[tokio::test]
async fn a_framing_that_cannot_be_undone_is_no_reply() {
    let heads = [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: gzip",
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: -1",
        "Content-Length: +2",
    ];
    for head in heads {
        let bytes = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        assert_eq!(passed(&saying(bytes.clone()).await, "GET").await.status, 502, "{head}");
        let vendor = saying(bytes).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
        let answer = stop(&["a"]).send(gateway.address).await;
        assert_eq!(
            (answer.status, answer.outcomes()),
            (502, vec!["unknown".into()]),
            "{head}: it may have acted"
        );
    }
}

#[tokio::test]
async fn a_switch_of_protocols_that_nobody_asked_for_is_no_reply() {
    let text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    assert_eq!(passed(&saying(text).await, "GET").await.status, 502);
}

#[tokio::test]
async fn news_before_the_reply_is_skipped_and_ends_with_the_heads_clock() {
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(20);
    let answer =
        passed(&saying(format!("{early}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")).await, "GET").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    let endless = vec![Step::Send(early.into_bytes()), Step::Silence];
    let vendor = Vendor::scripted(endless).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").upstream("head_timeout = \"200ms\"")).await;
    assert_eq!(Call::new("GET", "/x").header("Host", "x").send(gateway.address).await.status, 504);
}

#[tokio::test]
async fn bodies_where_none_may_be_are_left_out_and_cost_the_connection() {
    for (method, status) in [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")] {
        let bytes = format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nHTTP");
        let vendor = Vendor::scripted(vec![Step::Send(bytes.into_bytes())]).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
        for turn in 1..=2 {
            let answer = Call::new(method, "/x").header("Host", "x").send(gateway.address).await;
            assert_eq!(answer.status.to_string(), status[..3], "{method} {status} {turn}");
            assert!(answer.body.is_empty());
        }
        assert_eq!(vendor.connections(), 2, "{method} {status}: stray bytes are no next reply");
    }
}

#[tokio::test]
async fn a_reply_to_head_and_an_unchanged_one_are_no_batch() {
    let vendor = Vendor::replying(Reply::new("304 Not Modified", "").header("ETag", "\"x\"")).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    let answer = stop(&["a"]).send(gateway.address).await;
    assert_eq!((answer.status, answer.header("etag").as_str()), (304, "\"x\""));
}

#[tokio::test]
async fn codings_are_undone_in_any_spelling_and_number() {
    let json = detail(&[("a", 0), ("b", 5100)]);
    let body = json.clone().bytes();
    let body = &body[body.windows(4).position(|four| four == b"\r\n\r\n").expect("a body") + 4..];
    let twice = coded("gzip", &coded("br", body));
    let frames = [coded("zstd", &body[..20]), coded("zstd", &body[20..])].concat();
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2][..], &coded("zstd", body)].concat();
    let reply = |body: Vec<u8>| Reply::json(body);
    let cases = [
        ("x-gzip", reply(coded("gzip", body)).header("Content-Encoding", "x-gzip")),
        ("a list", reply(twice.clone()).header("Content-Encoding", "br, gzip")),
        ("two lines", reply(twice).header("Content-Encoding", "br").header("Content-Encoding", "gzip")),
        ("two zstd frames", reply(frames).header("Content-Encoding", "zstd")),
        ("a zstd frame to skip", reply(skippable).header("Content-Encoding", "zstd")),
        ("identity", reply(body.to_vec()).header("Content-Encoding", "identity")),
    ];
    for (name, reply) in cases {
        assert_eq!(judged(&reply).await.outcomes(), ["accepted", "failed"], "{name}");
    }
}

#[tokio::test]
async fn what_follows_a_coded_body_makes_it_unreadable() {
    let body =
        r#"{"code":0,"detail":{"a":{"code":0,"requestId":"1"},"b":{"code":0,"requestId":"2"}}}"#.as_bytes();
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let reply =
            Reply::json([coded(coding, body), b"more".to_vec()].concat()).header("Content-Encoding", coding);
        let answer = judged(&reply).await;
        assert_eq!(
            (answer.outcomes(), answer.diagnostics()),
            (vec!["unknown".into(); 2], vec!["coding_unreadable".into()]),
            "{coding}"
        );
    }
    let empty = judged(&Reply::json("").header("Content-Encoding", "gzip")).await;
    assert_eq!(
        (empty.outcomes(), empty.json()["upstream"]["body"].clone()),
        (vec!["unknown".into(); 2], "absent".into())
    );
}

#[tokio::test]
async fn a_refusal_keeps_when_to_come_back_also_where_nobody_is_named() {
    let reply =
        Reply::json(r#"{"error_code":"APIGW.0308","error_msg":"throttled"}"#).status("429 Too Many Requests");
    let vendor = Vendor::replying(reply.header("Retry-After", "7")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    for ids in [&["s1"][..], &[]] {
        let answer = reset(ids).send(gateway.address).await;
        assert_eq!((answer.status, answer.header("retry-after").as_str()), (429, "7"), "{ids:?}");
    }
}

#[tokio::test]
async fn a_vendor_does_not_speak_for_the_gateway() {
    let reply =
        Reply::json("{}").header("Onevelope-Outcome", "succeeded").header("Onevelope-Request-Id", "x");
    let answer = passed(&Vendor::replying(reply.clone()).await, "GET").await;
    assert!(!answer.has("onevelope-outcome") && !answer.has("onevelope-request-id"));
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").with("mode = \"passthrough\"")).await;
    assert!(!reset(&["a"]).send(gateway.address).await.has("onevelope-outcome"));
}

#[tokio::test]
async fn failures_below_http_are_told_in_words_for_people() {
    let gateway = Gateway::start(&Route::of("huawei").to_url("http://127.0.0.1:1")).await;
    let any = Call::new("GET", "/x").header("Host", "x").send(gateway.address).await.text();
    let batch = reset(&["a"]).send(gateway.address).await.text();
    let lost = passed(&Vendor::scripted(vec![Step::Reset]).await, "POST").await.text();
    for text in [any, batch, lost] {
        assert!(!text.contains("os error") && !text.contains("hyper"), "{text}");
    }
}

#[tokio::test]
async fn checksums_of_the_vendors_bytes_do_not_stand_beside_ours() {
    let reply = failed_servers(&[("s1", "Ecs.0614")]);
    let names =
        ["x-oss-hash-crc64ecma", "x-cos-hash-crc64ecma", "x-goog-hash", "x-ms-content-crc64", "content-md5"];
    let reply = names.iter().fold(reply, |reply, name| reply.header(name, "1"));
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer = reset(&["s1"]).send(gateway.address).await;
    for name in names {
        assert!(!answer.has(name), "{name}");
    }
    let observed = reset(&["s1"]).header("Onevelope-Mode", "observe").send(gateway.address).await;
    assert!(names.iter().all(|name| observed.has(name)), "beside the vendor's own bytes they are true");
}
