//! What the gateway does not look at goes through byte for byte; what belongs to one connection does not.

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::support::batches::reset;
use crate::support::{Answer, Call, Gate, Gateway, Reply, Route, Step, Vendor, soon, until};

/// A route that does not look.
fn passthrough() -> Route {
    Route::of("huawei").with("mode = \"passthrough\"")
}

async fn vendor() -> Vendor {
    Vendor::replying(Reply::json("{}")).await
}

#[tokio::test]
async fn method_path_query_and_body_reach_the_vendor_byte_for_byte() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let target = "/v1//a%2Fb/../%E4%BD%A0;x=1,2/@:!$'()*+~?q=%20+%2B&&=&a=b?c&Sig=Zm9v%3D%3D&A=1";
    let body: Vec<u8> = (0..=255).collect();
    Call::new("PATCH", target).header("Host", "x").body(body.clone()).send(gateway.address).await;
    let heard = vendor.only();
    assert_eq!(heard.line(), format!("PATCH {target} HTTP/1.1"));
    assert_eq!(heard.body, body);
}

#[tokio::test]
async fn headers_that_signatures_cover_reach_the_vendor_unchanged() {
    let vendor = vendor().await;
    let gateway =
        Gateway::before(&vendor, passthrough().with("host = \"ecs.eu-west-0.myhuaweicloud.com\"")).await;
    let signed = [
        ("Host", "ecs.eu-west-0.myhuaweicloud.com"),
        ("User-Agent", "huaweicloud-usdk-python/3.0  (x; y)"),
        ("Accept", "*/*, text/plain;q=0.5"),
        ("Accept-Encoding", "gzip, deflate, zstd-foo"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-Sdk-Date", "20240611T080000Z"),
        ("Authorization", "SDK-HMAC-SHA256 Access=A, SignedHeaders=host;x-sdk-date, Signature=00"),
        ("Prefer", "return=minimal, handling=strict"),
        ("Cookie", "a=b; c=\"d\""),
    ];
    let call = signed.iter().fold(Call::new("POST", "/x"), |call, (name, value)| call.header(name, value));
    call.body("{}").send(gateway.address).await;
    let heard = vendor.only();
    for (name, value) in signed {
        assert_eq!(heard.header(name), value, "{name}");
    }
    assert_eq!(heard.header("Via"), "1.1 onevelope");
}

#[tokio::test]
async fn repeated_headers_keep_their_order() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let call = Call::new("GET", "/")
        .header("Host", "x")
        .header("X-Tag", "b")
        .header("X-Other", "1")
        .header("X-Tag", "a");
    call.header("Via", "1.0 corp").send(gateway.address).await;
    assert_eq!(vendor.only().header("X-Tag"), "b, a");
    assert_eq!(vendor.only().header("Via"), "1.0 corp, 1.1 onevelope");
}

#[tokio::test]
async fn what_belongs_to_one_connection_or_to_us_stays_here() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let hops = [
        ("Connection", "keep-alive, X-Hop"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("Proxy-Authorization", "Basic c2VjcmV0"),
        ("TE", "trailers"),
        ("Trailer", "X-Sum"),
        ("Upgrade", "websocket"),
        ("X-Hop", "1"),
        ("Onevelope-Mode", "passthrough"),
        ("Onevelope-Anything", "1"),
    ];
    let call =
        Call::new("GET", "/").header("Host", "x").header("Authorization", "kept").header("X-Kept", "1");
    hops.iter().fold(call, |call, (name, value)| call.header(name, value)).send(gateway.address).await;
    let heard = vendor.only();
    for (name, _) in hops {
        assert_eq!(heard.header(name), "", "{name}");
    }
    assert_eq!((heard.header("X-Kept"), heard.header("Authorization")), ("1".into(), "kept".into()));
}

/// Who drops such a field and who does not would read two requests.
#[tokio::test]
async fn a_connection_that_names_what_others_read_is_refused() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    for named in [
        "Authorization",
        "host",
        "Content-Type",
        "X-TC-Action",
        "x-amz-target",
        "Onevelope-Mode",
        "close, Cookie",
    ] {
        let answer = Call::new("POST", "/")
            .header("Host", "x")
            .header("Connection", named)
            .send(gateway.address)
            .await;
        assert_eq!(answer.status, 400, "{named}");
    }
    assert!(vendor.heard().is_empty());
}

#[tokio::test]
async fn replies_come_back_untouched_but_for_their_connections_headers() {
    let reply = Reply::new("418 I'm a teapot", vec![0u8, 255, 10, 13])
        .header("Content-Type", "application/x-whatever")
        .header("ETag", "\"abc\"")
        .header("Set-Cookie", "a=1")
        .header("Set-Cookie", "b=2")
        .header("Retry-After", "7")
        .header("Connection", "X-Hop")
        .header("X-Hop", "1")
        .header("Keep-Alive", "timeout=5")
        .header("Proxy-Authenticate", "Basic");
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let answer = Call::new("GET", "/").header("Host", "x").send(gateway.address).await;
    assert_eq!((answer.status, answer.body.as_slice()), (418, &[0u8, 255, 10, 13][..]));
    for (name, value) in
        [("etag", "\"abc\""), ("set-cookie", "a=1, b=2"), ("retry-after", "7"), ("content-length", "4")]
    {
        assert_eq!(answer.header(name), value, "{name}");
    }
    for name in ["x-hop", "keep-alive", "proxy-authenticate", "onevelope-outcome"] {
        assert!(!answer.has(name), "{name}");
    }
}

#[tokio::test]
async fn bodies_flow_before_they_are_whole() {
    let gate = Gate::default();
    let script = vec![
        Step::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        Step::Wait(gate.clone()),
        Step::Send(b"5\r\nhello\r\n".to_vec()),
        Step::Wait(gate.clone()),
        Step::Send(b"0\r\n\r\n".to_vec()),
    ];
    let vendor = Vendor::scripted(script).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let mut wire = Call::new("GET", "/no/batch/we/know").header("Host", "x").open(gateway.address).await;
    // Each is here before the vendor goes on: nothing was held back.
    let mut answer = wire.head().await;
    gate.open(1);
    let mut piece = [0; 10];
    soon("a piece", wire.stream.read_exact(&mut piece)).await.expect("a piece");
    assert_eq!(&piece, b"5\r\nhello\r\n");
    gate.open(1);
    answer.read_body(&mut wire.stream).await;
    assert!(answer.whole);
}

#[tokio::test]
async fn request_bodies_flow_before_they_are_whole() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let call = Call::new("PUT", "/big").header("Host", "x").header("Transfer-Encoding", "chunked");
    let mut wire = call.open(gateway.address).await;
    wire.write(b"3\r\nabc\r\n").await;
    // The vendor sees the request while its body is still on the way.
    until("a connection", async || vendor.connections() == 1).await;
    wire.write(b"2\r\nde\r\n0\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 200);
    assert_eq!(String::from_utf8_lossy(&vendor.only().body), "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
}

#[tokio::test]
async fn expect_continue_is_answered_here() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let call = Call::new("PUT", "/x")
        .header("Host", "x")
        .header("Content-Length", "2")
        .header("Expect", "100-continue");
    let mut wire = call.open(gateway.address).await;
    assert_eq!(wire.head().await.status, 100);
    wire.write(b"{}").await;
    assert_eq!(wire.answer().await.status, 200);
    assert_eq!((vendor.only().header("expect"), vendor.only().body), (String::new(), b"{}".to_vec()));
}

#[tokio::test]
async fn head_and_bodiless_replies_keep_their_shape() {
    let vendor = Vendor::answering(None, |heard| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n".to_vec();
        if heard.line().starts_with("HEAD") {
            vec![Step::Send(head)]
        } else {
            Reply::new("204 No Content", "").script()
        }
    })
    .await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let head = Call::new("HEAD", "/").header("Host", "x").send(gateway.address).await;
    assert_eq!((head.status, head.header("content-length")), (200, "1234".to_owned()));
    let deleted = Call::new("DELETE", "/").header("Host", "x").send(gateway.address).await;
    assert_eq!(
        (deleted.status, deleted.has("content-length"), deleted.has("transfer-encoding")),
        (204, false, false)
    );
}

#[tokio::test]
async fn a_vendor_that_cuts_its_body_is_seen_cutting_it() {
    let vendor = Vendor::scripted(Reply::json("{\"a\":1}").cut(3)).await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let answer = Call::new("GET", "/").header("Host", "x").send(gateway.address).await;
    assert!(!answer.whole, "the caller must not take a part for the whole");
}

#[tokio::test]
async fn a_batch_that_its_caller_cut_is_never_sent() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let whole = reset(&["a", "b"]).bytes();
    let mut wire = TcpStream::connect(gateway.address).await.expect("a connection");
    wire.write_all(&whole[..whole.len() - 5]).await.expect("sent");
    wire.shutdown().await.expect("half closed");
    let answer = soon("an answer", Answer::read(&mut BufReader::new(wire), false)).await;
    assert!(answer.is_none_or(|answer| answer.status == 400), "half a batch is no batch");
    assert_eq!(vendor.connections(), 0);
}

#[tokio::test]
async fn two_hosts_or_two_lengths_are_refused() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let call = Call::new("POST", "/x").header("Host", "a.example");
    let two_hosts = call.clone().header("Host", "b.example").send(gateway.address).await;
    assert_eq!(two_hosts.status, 400);
    let smuggled = call.header("Content-Length", "5").header("Content-Length", "6").body("hello!");
    assert_eq!(smuggled.send(gateway.address).await.status, 400);
    assert_eq!(vendor.heard().len(), 0);
}

#[tokio::test]
async fn nothing_is_smuggled_between_two_framings() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, passthrough()).await;
    let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    let call =
        Call::new("POST", "/x").header("Host", "x").header("Content-Length", &hidden.len().to_string());
    let mut wire = call.header("Transfer-Encoding", "chunked").body(hidden).open(gateway.address).await;
    wire.head().await;
    // Whatever became of the rest, the vendor read no length that disagrees with the chunks.
    let heard = vendor.heard();
    assert!(heard.iter().all(
        |heard| heard.header("content-length").is_empty() || heard.header("transfer-encoding").is_empty()
    ));
    assert!(heard.iter().all(|heard| !String::from_utf8_lossy(&heard.body).contains("/hidden")));
}
