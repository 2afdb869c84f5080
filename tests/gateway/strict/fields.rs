//! Fields that are between two neighbours, and what they ask for.

use serde_json::json;

use super::{Open, open, talk};
use crate::support::{Call, Gateway, Reply, Route, Step, Vendor};

/// RFC 9110 section 10.1.1.
#[tokio::test]
async fn an_expectation_is_100_continue_or_is_refused() {
    let Open { vendor, gateway } = open().await;
    let call = Call::new("PUT", "/x").header("Host", "x").body("a");
    for expected in ["200-ok", "100-continue, x", "x=\"y\"", ""] {
        let answer = call.clone().header("Expect", expected).send(gateway.address).await;
        assert_eq!(
            (answer.status, answer.json()["type"].as_str()),
            (417, Some("urn:onevelope:expectation_failed"))
        );
    }
    let twice = call.clone().header("Expect", "100-continue").header("Expect", "x");
    assert_eq!(twice.send(gateway.address).await.status, 417);
    assert_eq!(vendor.connections(), 0);
    let mut wire = call.header("Expect", "100-Continue").open(gateway.address).await;
    assert_eq!((wire.head().await.status, wire.answer().await.status), (100, 200));
    assert_eq!(vendor.only().header("Expect"), "");
}

/// RFC 9110 section 7.8: nobody behind is asked, so nobody can begin to speak another protocol.
#[tokio::test]
async fn an_upgrade_is_never_asked_for() {
    let Open { vendor, gateway } = open().await;
    for fields in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ] {
        let bytes = format!("GET /x HTTP/1.1\r\nHost: x\r\n{fields}Connection: close\r\n\r\n");
        let answer = talk(gateway.address, bytes.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let heard = vendor.heard().pop().expect("heard");
        for name in ["Upgrade", "HTTP2-Settings", "Connection"] {
            assert_eq!(heard.header(name), "", "{fields:?}");
        }
    }
}

/// RFC 9110 section 6.5.1: trailers are dropped, never merged. What comes behind a body has been judged by nobody.
#[tokio::test]
async fn trailers_go_no_further() {
    let Open { vendor, gateway } = open().await;
    for announced in ["", "Trailer: X-Sum, X-Auth-Token\r\nTE: trailers\r\nConnection: TE\r\n"] {
        let head = format!(
            "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n{announced}\r\n"
        );
        let body = "1\r\na\r\n0\r\nX-Sum: 1\r\nX-Auth-Token: t\r\nContent-Length: 9\r\n\r\n";
        let answer = talk(gateway.address, format!("{head}{body}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let heard = vendor.heard().pop().expect("heard");
        for name in ["X-Sum", "X-Auth-Token", "Content-Length", "Trailer", "TE"] {
            assert_eq!(heard.header(name), "", "{name}");
        }
        assert_eq!(heard.body, b"1\r\na\r\n0\r\n\r\n");
    }
}

/// What a server behind a CGI-like interface cannot tell from the field that is judged here.
#[tokio::test]
async fn a_field_that_passes_for_another_is_refused() {
    let Open { vendor, gateway } = open().await;
    for name in
        ["X_TC_Action", "x-amz_target", "Content_Length", "TRANSFER_ENCODING", "X_Http_Method_Override"]
    {
        let answer =
            Call::new("POST", "/x").header("Host", "x").header(name, "1").send(gateway.address).await;
        assert_eq!(answer.status, 400, "{name}");
    }
    assert_eq!(vendor.connections(), 0);
    let answer = Call::new("GET", "/x").header("Host", "x").header("My_Own", "1").send(gateway.address).await;
    assert_eq!((answer.status, vendor.only().header("my_own")), (200, "1".to_owned()));
}

/// A reply to HEAD has no body, so no verdicts: what it says is passed on, and nothing is claimed.
#[tokio::test]
async fn head_is_never_a_batch() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".to_vec();
    let vendor = Vendor::answering(None, move |heard| match heard.line().starts_with("HEAD") {
        true => vec![Step::Send(head.clone())],
        false => Reply::json(json!({ "RequestId": "r" }).to_string()).script(),
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("alibaba")).await;
    let target =
        "/?Action=StopInstances&Version=2014-05-26&RegionId=cn-hangzhou&InstanceId.1=i-1&InstanceId.2=i-2";
    let call = |method| Call::new(method, target).header("Host", "ecs.cn-hangzhou.aliyuncs.com");
    let known = call("GET").send(gateway.address).await;
    assert!(known.has("onevelope-profile"), "the same by GET is one: {}", known.text());
    let answer = call("HEAD").send(gateway.address).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, "1234".to_owned()));
    assert!(!answer.has("onevelope-outcome") && !answer.has("onevelope-profile"));
}
