//! Whom a request is for: RFC 9112 section 3.2.

use super::{Open, open, refused_by, talk};
use crate::support::{Call, Gateway, Reply, Route, Vendor};

#[tokio::test]
async fn http_1_1_names_one_host() {
    let open = open().await;
    open.refuses(400, b"GET /x HTTP/1.1\r\n\r\n").await;
    open.refuses(400, b"GET /x HTTP/1.1\r\nHost:\r\n\r\n").await;
    open.refuses(400, b"GET http://x/y HTTP/1.1\r\n\r\n").await;
    open.refuses(400, b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").await;
    open.refuses(400, b"GET /x HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nhost: a\r\n\r\n").await;
}

#[tokio::test]
async fn a_host_is_a_name_or_an_address_and_a_port() {
    let open = open().await;
    for host in [
        "a b",
        "u@x",
        "u:p@x",
        "x/y",
        "x,y",
        "x, y",
        "x:",
        "x:0",
        "x:99999",
        "x:abc",
        "x:+80",
        "x:80:80",
        "x..y",
        ".x",
        "x%2ey",
        "x\\y",
        "x?y",
        "x#y",
        "x;y",
        "\"x\"",
        "[::1",
        "[::1]x",
        "[x]",
        "::1",
        "http://x",
        "\u{e4}.example",
    ] {
        open.refuses(400, format!("GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
    }
    open.refuses(400, format!("GET /x HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(300)).as_bytes()).await;
    let Open { vendor, gateway } = open;
    for host in ["x", "x.", "x.example:8080", "127.0.0.1:1", "[::1]", "[::1]:8080", "a_b.example"] {
        assert_eq!(
            Call::new("GET", "/x").header("Host", host).send(gateway.address).await.status,
            200,
            "{host}"
        );
    }
    assert_eq!(vendor.heard().len(), 7);
}

#[tokio::test]
async fn http_1_0_may_name_none() {
    let Open { vendor, gateway } = open().await;
    let answer = talk(gateway.address, b"GET /x HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    assert_eq!(vendor.only().header("Host"), vendor.address.to_string());
}

/// Section 3.2.2 has the target win. Who stands before us and reads `Host` has then let another request through.
#[tokio::test]
async fn a_target_and_a_host_that_disagree_are_refused() {
    let open = open().await;
    let both = |target: &str, host: &str| format!("GET http://{target}/x HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for (target, host) in
        [("a.example", "b.example"), ("a.example:8080", "a.example"), ("a.example", "a.example:443")]
    {
        open.refuses(400, both(target, host).as_bytes()).await;
    }
    for target in
        ["u@a.example", "u:p@a.example", "a.example:", "a.example:0", "a.example:99999", "a..example"]
    {
        open.refuses(400, both(target, "a.example").as_bytes()).await;
    }
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").with("host = \"a.example\"")).await;
    for (target, host) in
        [("a.example", "a.example"), ("A.Example", "a.example"), ("a.example:80", "a.example")]
    {
        let call = Call::new("GET", &format!("http://{target}/x")).header("Host", host);
        assert_eq!(call.send(gateway.address).await.status, 200, "{target}");
        // What the signature covers is the field.
        assert_eq!(vendor.heard().last().expect("heard").header("Host"), host, "{target}");
    }
}

/// What a host captures becomes part of the name that is dialled.
#[tokio::test]
async fn a_host_dials_nobody_but_whom_its_template_names() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let port = vendor.address.port();
    let text = "[routes.r]\nhost = \"{service}.{region}.region.example\"\nupstream = \"u\"\n\
                [upstreams.u]\nurl = \"http://{service}.{region}.region.example\"\n";
    let gateway = Gateway::start(text).await;
    for host in [format!("localhost:{port}.a.region.example"), format!("u@localhost:{port}.a.region.example")]
    {
        refused_by(&gateway, 400, format!("GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
    }
    // A capture is no address either, where one label is the whole host.
    let text = format!(
        "[routes.r]\nhost = \"{{name}}\"\nupstream = \"u\"\n[upstreams.u]\nurl = \"http://{{name}}:{port}\"\n"
    );
    let gateway = Gateway::start(&text).await;
    assert_eq!(Call::new("GET", "/x").header("Host", "[::1]").send(gateway.address).await.status, 404);
    assert_eq!(vendor.connections(), 0);
    assert_eq!(Call::new("GET", "/x").header("Host", "localhost").send(gateway.address).await.status, 200);
}
