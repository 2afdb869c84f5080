//! Request lines and fields: RFC 9112 sections 2.2, 3 and 5.

use super::{Open, open, talk};

fn get(line: &str, fields: &str) -> Vec<u8> {
    format!("{line}\r\nHost: x\r\n{fields}\r\n").into_bytes()
}

#[tokio::test]
async fn a_method_is_a_short_token() {
    let open = open().await;
    for method in ["GE T", "GET/", "GE\u{e4}T", "(GET)", "G,T", "\"GET\""] {
        open.refuses(400, &get(&format!("{method} /x HTTP/1.1"), "")).await;
    }
    for length in [33, 64 << 10] {
        open.refuses(400, &get(&format!("{} /x HTTP/1.1", "A".repeat(length)), "")).await;
    }
    let Open { vendor, gateway } = open;
    let answer = talk(gateway.address, &get("M-SEARCH /x HTTP/1.1", "Connection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(vendor.only().line(), "M-SEARCH /x HTTP/1.1");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let open = open().await;
    open.refuses(414, &get(&format!("GET /{} HTTP/1.1", "a".repeat(66_000)), "")).await;
    open.refuses(431, &get("GET /x HTTP/1.1", &format!("X-A: {}\r\n", "a".repeat(256 << 10)))).await;
    open.refuses(431, &get("GET /x HTTP/1.1", &"X-A: 1\r\n".repeat(101))).await;
}

#[tokio::test]
async fn a_target_is_in_origin_form_or_absolute_form() {
    let open = open().await;
    for target in [
        "x.example",
        "x.example:443",
        "*",
        "x",
        "?a=1",
        "ftp://x/y",
        "http:///y",
        "http:/y",
        "/a b",
        "/a\tb",
        "/a\\b",
        "/..\\b",
        "/x?a=\\b",
        "/\u{e4}",
        "/x?a=\u{4e2d}",
        "/a\u{1}b",
        "/a\u{7f}b",
        "/a<b",
        "/a>b",
        "/a`b",
        "",
    ] {
        open.refuses(400, &get(&format!("GET {target} HTTP/1.1"), "")).await;
    }
    open.refuses(400, b"GET /\xe4 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    open.refuses(400, b"GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n").await;
    open.refuses(400, b"GET  /x HTTP/1.1\r\nHost: x\r\n\r\n").await;
    open.refuses(400, b"GET /x  HTTP/1.1\r\nHost: x\r\n\r\n").await;
    open.refuses(400, b"GET /x\r\nHost: x\r\n\r\n").await;
    open.refuses(400, b"GET /x HTTP/1.2\r\nHost: x\r\n\r\n").await;
    open.refuses(400, b"GET /x http/1.1\r\nHost: x\r\n\r\n").await;
}

/// hyper's target ends there, so neither route nor vendor read what follows.
#[tokio::test]
async fn a_fragment_is_read_by_nobody() {
    let Open { vendor, gateway } = open().await;
    talk(gateway.address, &get("GET /a#/../b?c HTTP/1.1", "Connection: close\r\n")).await;
    assert_eq!(vendor.only().line(), "GET /a HTTP/1.1");
}

#[tokio::test]
async fn a_field_is_one_line_with_a_name() {
    let open = open().await;
    for fields in [
        "X-A : 1\r\n",
        " X-A: 1\r\n",
        "X-A: 1\r\n folded\r\n",
        "X-A: 1\r\n\tfolded\r\n",
        "X A: 1\r\n",
        "X-A\r\n",
        ": 1\r\n",
        "X-\u{e4}: 1\r\n",
        "X-A: a\rb\r\n",
        "X-A: a\0b\r\n",
        "X-A: a\u{1}b\r\n",
        "X-A: a\u{7f}b\r\n",
    ] {
        open.refuses(400, &get("GET /x HTTP/1.1", fields)).await;
    }
    open.refuses(400, b"GET /x HTTP/1.1\r\n Host: x\r\n\r\n").await;
}
