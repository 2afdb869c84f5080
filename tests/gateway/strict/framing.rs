//! Where a body ends: RFC 9112 sections 6 and 7.

use super::{Open, open, talk};

fn post(fields: &str, body: &str) -> Vec<u8> {
    format!("POST /x HTTP/1.1\r\nHost: x\r\n{fields}\r\n{body}").into_bytes()
}

const CHUNKS: &str = "1\r\na\r\n0\r\n\r\n";

#[tokio::test]
async fn a_transfer_coding_is_chunked_alone() {
    let open = open().await;
    for codings in [
        "chunked, chunked",
        "gzip, chunked",
        ",chunked",
        "identity, chunked",
        "chunked, gzip",
        "gzip",
        "identity",
        "xchunked",
        "\"chunked\"",
        "chunked;q=1",
        "x,\tchunked",
    ] {
        open.refuses(400, &post(&format!("Transfer-Encoding: {codings}\r\n"), CHUNKS)).await;
    }
    let lines = [("gzip", "chunked"), ("chunked", "chunked"), ("chunked", "identity"), ("", "chunked")];
    for (first, second) in lines {
        let fields = format!("Transfer-Encoding: {first}\r\nTransfer-Encoding: {second}\r\n");
        open.refuses(400, &post(&fields, CHUNKS)).await;
    }
}

#[tokio::test]
async fn chunked_in_any_case_is_taken_and_framed_anew() {
    let Open { vendor, gateway } = open().await;
    let fields = "Transfer-Encoding: \t Chunked \r\nConnection: close\r\n";
    // An extension of a chunk, an escape in nobody's rules, stays here.
    let answer = talk(gateway.address, &post(fields, "1;x=\"y\"\r\na\r\n2\r\nbc\r\n0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let heard = vendor.only();
    assert_eq!(heard.header("Transfer-Encoding"), "chunked");
    assert!(!String::from_utf8_lossy(&heard.body).contains("x="), "{:?}", heard.body);
}

#[tokio::test]
async fn http_1_0_has_no_transfer_coding() {
    let open = open().await;
    open.refuses(
        400,
        b"POST /x HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    )
    .await;
}

/// Section 6.3: a server may refuse both together, or take the coding alone and end the connection. hyper does the latter.
#[tokio::test]
async fn of_a_length_beside_chunks_nothing_is_passed_on_and_nothing_after_it_is_read() {
    let hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 9999\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n",
    ] {
        let Open { vendor, gateway } = open().await;
        let answer = talk(gateway.address, &post(fields, &format!("{CHUNKS}{hidden}"))).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields:?}: {answer}");
        let heard = vendor.only();
        assert_eq!(heard.header("Content-Length"), "", "{fields:?}");
        assert_eq!(heard.body, CHUNKS.as_bytes(), "{fields:?}");
    }
}

#[tokio::test]
async fn a_length_is_one_number() {
    let open = open().await;
    for lengths in
        ["+1", "-1", "1, 2", "1, 1", "1,", "0x1", "1 1", "1.0", "", "18446744073709551616", "\u{661}"]
    {
        open.refuses(400, &post(&format!("Content-Length: {lengths}\r\n"), "a")).await;
    }
    open.refuses(400, &post("Content-Length: 1\r\nContent-Length: 2\r\n", "a")).await;
    let Open { vendor, gateway } = open;
    // The same twice says one thing (RFC 9110 section 8.6); it is said once from here on.
    let twice = post("Content-Length: 1\r\nContent-Length: 1\r\nConnection: close\r\n", "a");
    assert!(talk(gateway.address, &twice).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(vendor.only().header("Content-Length"), "1");
}

/// A body that breaks off gets no reply that could be taken for one, and what stands behind it is never a request.
#[tokio::test]
async fn broken_chunks_never_hide_a_request() {
    let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
    for chunks in [
        "1\na\r\n",
        "1\r\na\n",
        "1\r\nab\r\n",
        "zz\r\na\r\n",
        "-1\r\na\r\n",
        "0x1\r\na\r\n",
        "1 1\r\na\r\n",
        "1;x\ny\r\na\r\n",
        "ffffffffffffffff1\r\na\r\n",
        "\r\n1\r\na\r\n",
    ] {
        let Open { vendor, gateway } = open().await;
        let bytes = post("Transfer-Encoding: chunked\r\n", &format!("{chunks}{hidden}"));
        let answer = talk_or_cut(gateway.address, &bytes).await;
        assert!(!answer.contains("HTTP/1.1 2"), "{chunks:?}: {answer}");
        assert!(vendor.heard().iter().all(|heard| !heard.head.contains("hidden")), "{chunks:?}");
    }
}

/// Sends bytes and reads to the end, whether or not anything is said.
async fn talk_or_cut(to: std::net::SocketAddr, bytes: &[u8]) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(to).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut all = Vec::new();
    let _ = crate::support::soon("the connection's end", stream.read_to_end(&mut all)).await;
    String::from_utf8_lossy(&all).into_owned()
}
