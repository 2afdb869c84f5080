//! The vendor's bytes inside the envelope: `docs/envelope.md` section 8.

use serde_json::Value;

use crate::support::batches::{detail, failed_servers, reset, stop};
use crate::support::{Answer, Call, Gateway, Reply, Route, Step, Vendor};

async fn ask(raw: &str, reply: Reply) -> Answer {
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, Route::of("tencent").with(&format!("raw = {raw:?}"))).await;
    stop(&["a", "b"]).send(gateway.address).await
}

fn good() -> Reply {
    detail(&[("a", 0), ("b", 0)])
}

fn bad() -> Reply {
    detail(&[("a", 0), ("b", 5100)])
}

#[tokio::test]
async fn the_policy_says_when_the_vendors_body_is_shown() {
    let unreadable = || Reply::new("200 OK", "<html>maintenance</html>").header("Content-Type", "text/html");
    for (raw, reply, shown) in [
        ("never", good(), false),
        ("never", bad(), false),
        ("never", unreadable(), false),
        ("on_failure", good(), false),
        ("on_failure", bad(), true),
        ("on_failure", unreadable(), true),
        ("always", good(), true),
    ] {
        let told = format!("{raw} {reply:?}");
        assert_eq!(ask(raw, reply).await.json()["raw"].is_object(), shown, "{told}");
    }
}

#[tokio::test]
async fn json_is_spliced_in_byte_for_byte() {
    let body = r#"{"detail" : {"b":{"code":5100,"n":12345678901234567890.10,"e":[ ],"z":1,"a":2}, "a":{"code":0,"requestId":"t"}},"code":5400}"#;
    let answer = ask("on_failure", Reply::json(body)).await;
    assert!(answer.text().contains(&format!("\"encoding\":\"json\",\"body\":{body},")), "{}", answer.text());
    let raw = &answer.json()["raw"];
    assert_eq!(
        (&raw["status"], &raw["bytes"], &raw["truncated"]),
        (&200.into(), &body.len().into(), &false.into())
    );
    assert_eq!(raw["media_type"], "application/json");
}

#[tokio::test]
async fn text_is_a_string_and_other_bytes_are_base64() {
    let answer =
        ask("always", Reply::new("200 OK", "<html>\"ü\"</html>").header("Content-Type", "text/html")).await;
    let raw = &answer.json()["raw"];
    assert_eq!((&raw["encoding"], &raw["body"]), (&"text".into(), &"<html>\"ü\"</html>".into()));

    let answer =
        ask("always", Reply::new("200 OK", vec![0xff, 0x00, 0xfe]).header("Content-Type", "image/png")).await;
    let raw = &answer.json()["raw"];
    assert_eq!(
        (&raw["encoding"], &raw["body"], &raw["bytes"]),
        (&"base64".into(), &"/wD+".into(), &3.into())
    );
}

#[tokio::test]
async fn repaired_json_is_shown_as_the_text_it_was() {
    let body =
        r#"{"code":5400,"detail":{"a":{"code":0,"requestId":"t":,} "b":{"code":5100,"message":"no"}}}"#;
    let raw = ask("on_failure", Reply::json(body)).await.json()["raw"].clone();
    assert_eq!((&raw["encoding"], &raw["body"]), (&"text".into(), &Value::from(body)));
}

#[tokio::test]
async fn a_coded_body_is_shown_decoded() {
    let raw = ask("on_failure", bad().coded("gzip")).await.json()["raw"].clone();
    assert_eq!(raw["encoding"], "json");
    assert_eq!(raw["body"]["code"], 5400);
}

#[tokio::test]
async fn fragments_are_copied_where_the_route_asks_for_them() {
    let body =
        r#"{"internalError":[{"id":"s1","error_code":"Ecs.0614","n":9007199254740993,"e":[ ],"z":1,"a":2}]}"#;
    let vendor = Vendor::replying(Reply::json(body)).await;
    let with = Gateway::before(&vendor, Route::of("huawei").with("data = true\nraw = \"never\"")).await;
    let answer = reset(&["s1"]).send(with.address).await;
    let fragment = r#""data":{"id":"s1","error_code":"Ecs.0614","n":9007199254740993,"e":[ ],"z":1,"a":2}"#;
    assert!(answer.text().contains(fragment), "{}", answer.text());

    let vendor = Vendor::replying(failed_servers(&[("s1", "Ecs.0614")])).await;
    let without = Gateway::before(&vendor, Route::of("huawei").with("raw = \"never\"")).await;
    assert!(!reset(&["s1"]).send(without.address).await.text().contains("\"data\""));
}

/// A reply of 1 MiB that nobody can read comes whole, whatever it is made of and however it was framed.
#[tokio::test]
async fn an_unreadable_reply_is_shown_whole() {
    use base64::Engine;
    let text: Vec<u8> = (0..1 << 20).map(|n: u32| b'a' + (n % 23) as u8).collect();
    let bytes: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    for (encoding, body) in [("text", text), ("base64", bytes)] {
        let whole = || Reply::new("200 OK", body.clone()).header("Content-Type", "application/json");
        for reply in [whole(), whole().chunked(10_000), whole().coded("gzip")] {
            let raw = ask("on_failure", reply).await.json()["raw"].clone();
            let shown = raw["body"].as_str().expect("a string");
            let shown = match encoding {
                "text" => shown.as_bytes().to_vec(),
                _ => base64::engine::general_purpose::STANDARD.decode(shown).expect("base64"),
            };
            assert!(shown == body, "{encoding}: {} of {} bytes", shown.len(), body.len());
            assert_eq!((&raw["encoding"], &raw["truncated"]), (&encoding.into(), &false.into()));
            assert_eq!(raw["bytes"], body.len());
        }
    }
}

/// What came of a reply that was cut is all there.
#[tokio::test]
async fn what_came_of_a_cut_reply_is_shown_whole() {
    let text: Vec<u8> = (0..1 << 20).map(|n: u32| b'a' + (n % 23) as u8).collect();
    for framing in [Reply::new("200 OK", text.clone()).claiming(2 << 20)] {
        let bytes = framing.header("Content-Type", "application/json").bytes();
        let vendor = Vendor::scripted(vec![Step::Send(bytes), Step::Close]).await;
        let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
        let raw = stop(&["a", "b"]).send(gateway.address).await.json()["raw"].clone();
        assert_eq!(raw["bytes"], text.len());
        assert_eq!(raw["truncated"], true);
        assert!(raw["body"].as_str().expect("text").as_bytes() == text);
    }
}

/// What strict readers refuse is a string: the envelope parses whatever the vendor sent.
#[tokio::test]
async fn json_that_strict_readers_refuse_is_shown_as_text() {
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for odd in [r#"{"k":1,"k":2}"#, r#""\ud83d""#, "1e999", &nested] {
        let body = format!(
            r#"{{"internalError":[{{"id":"a","error_code":"\ud800","error_message":"x\udc00\ud83d\ude00","odd":{odd}}}]}}"#
        );
        let vendor = Vendor::replying(Reply::json(body.clone()).status("400 Bad Request")).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei").with("data = true")).await;
        let answer = reset(&["a", "b"]).send(gateway.address).await;
        let envelope = answer.json();
        let (raw, failed) = (&envelope["raw"], &envelope["results"][0]);
        assert_eq!((&raw["encoding"], &raw["body"]), (&"text".into(), &Value::from(body.clone())));
        assert_eq!(failed["data"], body[18..body.len() - 2], "{odd}");
        assert_eq!(failed["error"]["vendor_code"], "\u{fffd}");
        assert_eq!(failed["error"]["message"], "x\u{fffd}\u{1f600}");
        // What the summary cannot show, the wire must not hold either: half a pair outside the strings we made.
        assert!(!answer.text().contains(r#""vendor_code":"\ud800""#));
    }
}

/// A declared secret never shows, whatever shape its reply comes in.
#[tokio::test]
async fn declared_secrets_never_show() {
    let ask = Call::new("POST", "/")
        .header("Host", "secretsmanager.us-east-1.amazonaws.com")
        .header("X-Amz-Target", "secretsmanager.BatchGetSecretValue")
        .header("Content-Type", "application/x-amz-json-1.1")
        .body(r#"{"SecretIdList":["db","mail"]}"#);
    let body = |tail: &str| {
        format!(
            r#"{{"SecretValues":[{{"ARN":"arn:aws:secretsmanager:us-east-1:1:secret:db-AbCdEf","Name":"db","SecretString":"TOPSECRET","SecretString":"TOPSECRET"{tail}}}],"Errors":[]}}"#
        )
    };
    let gbk = [body("").as_bytes(), b"\xd6\xd0"].concat();
    let replies = [
        (Reply::json(body("")), true),
        (Reply::json(body(r#","n":1,,"m":2"#)), false),
        (Reply::json(gbk), false),
        (Reply::new("200 OK", body("").replace("db-", "\u{fc}-")).header("Content-Type", "text/html"), true),
        (Reply::json(body("")).header("Content-Encoding", "compress"), false),
        (Reply::json(format!("{}<", body(""))), false),
        (Reply::json(format!("[{}]", body(""))), false),
        (Reply::json(body("")).claiming(9999), false),
    ];
    for (reply, shown) in replies {
        let vendor = Vendor::scripted(vec![Step::Send(reply.bytes()), Step::Close]).await;
        let route = Route::of("aws").with("raw = \"always\"\ndata = true");
        let gateway = Gateway::before(&vendor, route).await;
        let answer = ask.send(gateway.address).await;
        let told = format!("{reply:?}\n{}", answer.text());
        assert!(!answer.text().contains("TOPSECRET"), "{told}");
        let envelope = answer.json();
        assert_eq!(envelope["raw"].is_object(), shown, "{told}");
        let coded = envelope["raw"]["encoding"] == "base64";
        assert!(!coded, "{told}");
    }
}
