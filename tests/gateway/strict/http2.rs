//! What HTTP/2 forbids: RFC 9113 sections 8.1 to 8.3.

use super::frames::{End, Field, Frames};
use super::{Open, open};

/// A request's pseudo-header fields, with some fields more.
fn request<'f>(more: &[Field<'f>]) -> Vec<Field<'f>> {
    let mut fields: Vec<Field<'_>> =
        vec![(":method", b"POST"), (":scheme", b"http"), (":authority", b"x.example"), (":path", b"/a")];
    fields.extend(more);
    fields
}

/// Sends a request without body on a connection of its own; what became of it, and how many requests the vendor got.
async fn ask(open: &Open, fields: &[Field<'_>]) -> (End, usize) {
    let before = open.vendor.heard().len();
    let mut frames = Frames::open(&open.gateway).await;
    frames.fields(fields, true).await;
    let end = frames.end().await;
    (end, open.vendor.heard().len() - before)
}

#[tokio::test]
async fn a_request_by_hand_is_served() {
    let open = open().await;
    assert_eq!(ask(&open, &request(&[("x-a", b"1"), ("te", b"trailers")])).await, (End::Status(200), 1));
}

/// Section 8.2.2.
#[tokio::test]
async fn fields_of_a_connection_are_refused() {
    let open = open().await;
    for (name, value) in [
        ("connection", "close"),
        ("connection", "x-a"),
        ("transfer-encoding", "chunked"),
        ("te", "gzip"),
        ("te", "trailers, deflate"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("upgrade", "h2c"),
    ] {
        assert_eq!(
            ask(&open, &request(&[(name, value.as_bytes())])).await,
            (End::Reset, 0),
            "{name}: {value}"
        );
    }
}

/// Sections 8.2 and 8.2.1: nothing that would end a line or a name behind us.
#[tokio::test]
async fn names_and_values_hold_no_other_field() {
    let open = open().await;
    let bad: [Field<'_>; 10] = [
        ("X-Upper", b"1"),
        ("x a", b"1"),
        ("x:a", b"1"),
        ("x\r\ny", b"1"),
        ("x\0", b"1"),
        ("", b"1"),
        ("x-a", b"1\r\nx-b: 2"),
        ("x-a", b"1\nx"),
        ("x-a", b"1\rx"),
        ("x-a", b"1\0x"),
    ];
    for field in bad {
        assert_eq!(ask(&open, &request(&[field])).await, (End::Reset, 0), "{field:?}");
    }
}

/// Section 8.3.
#[tokio::test]
async fn pseudo_fields_come_first_once_and_whole() {
    let open = open().await;
    let (method, scheme): (Field<'_>, Field<'_>) = ((":method", b"GET"), (":scheme", b"http"));
    let (authority, path): (Field<'_>, Field<'_>) = ((":authority", b"x"), (":path", b"/a"));
    let bad: [&[Field<'_>]; 12] = [
        &[scheme, authority, path],
        &[method, authority, path],
        &[method, scheme, authority],
        &[method, scheme, authority, (":path", b"")],
        &[method, scheme, authority, path, path],
        &[method, method, scheme, authority, path],
        &[method, scheme, authority, authority, path],
        &[method, scheme, authority, ("x-a", b"1"), path],
        &[method, scheme, authority, path, (":status", b"200")],
        &[method, scheme, authority, path, (":foo", b"1")],
        &[method, scheme, authority, path, (":protocol", b"websocket")],
        &[(":method", b"GE T"), scheme, authority, path],
    ];
    for fields in bad {
        assert_eq!(ask(&open, fields).await, (End::Reset, 0), "{fields:?}");
    }
}

/// Section 8.3.1.
#[tokio::test]
async fn an_authority_names_one_host() {
    let open = open().await;
    let with = |authority: &'static [u8], more: &[Field<'static>]| {
        let mut fields: Vec<Field<'_>> = vec![(":method", b"GET"), (":scheme", b"http"), (":path", b"/a")];
        if !authority.is_empty() {
            fields.push((":authority", authority));
        }
        fields.extend(more);
        fields
    };
    for fields in [
        with(b"", &[]),
        with(b"u@x", &[]),
        with(b"x:99999", &[]),
        with(b"x:", &[]),
        with(b"x,y", &[]),
        with(b"a", &[("host", b"b")]),
        with(b"a", &[("host", b"a"), ("host", b"a")]),
        with(b"", &[("host", b"a"), ("host", b"b")]),
        with(b"", &[("host", b"u@a")]),
        with(b"a:8080", &[("host", b"a")]),
    ] {
        assert_eq!(ask(&open, &fields).await, (End::Status(400), 0), "{fields:?}");
    }
    // These are not even an authority to h2.
    for authority in [&b"x y"[..], b"x/y", b"x%41", b"[::1"] {
        let fields =
            [(":method", &b"GET"[..]), (":scheme", b"http"), (":path", b"/a"), (":authority", authority)];
        assert_eq!(ask(&open, &fields).await, (End::Reset, 0), "{authority:?}");
    }
    for fields in
        [with(b"a", &[("host", b"A")]), with(b"", &[("host", b"a")]), with(b"a:80", &[("host", b"a")])]
    {
        assert_eq!(ask(&open, &fields).await, (End::Status(200), 1), "{fields:?}");
    }
}

#[tokio::test]
async fn targets_are_held_to_the_same_as_in_http_1() {
    let open = open().await;
    let with = |method: &'static [u8], scheme: &'static [u8], path: &'static [u8]| {
        [(":method", method), (":scheme", scheme), (":authority", &b"x"[..]), (":path", path)]
    };
    for (method, scheme, path, end) in [
        (&b"GET"[..], &b"http"[..], &b"/a\\b"[..], End::Status(400)),
        (b"GET", b"http", "/\u{e4}".as_bytes(), End::Status(400)),
        (b"GET", b"http", b"*", End::Status(400)),
        (b"GET", b"ftp", b"/a", End::Status(400)),
        (b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", b"http", b"/a", End::Status(400)),
        (b"GET", b"http", b"/a b", End::Reset),
        (b"GET", b"http", b"a", End::Reset),
        (b"GET", b"http", b"/\xe4", End::Reset),
        (b"GET", b"http", b"/a\r\nx", End::Reset),
        (b"GET", b"http", b"http://y/a", End::Reset),
    ] {
        assert_eq!(
            ask(&open, &with(method, scheme, path)).await,
            (end, 0),
            "{:?}",
            String::from_utf8_lossy(path)
        );
    }
}

/// Section 8.1.1: a length that is not the body's.
#[tokio::test]
async fn a_length_is_the_bodys() {
    let open = open().await;
    for (lengths, body) in
        [(&["3"][..], "ab"), (&["1"], "ab"), (&["+2"], "ab"), (&["1", "2"], "ab"), (&["2,2"], "ab")]
    {
        let mut frames = Frames::open(&open.gateway).await;
        let lengths: Vec<_> = lengths.iter().map(|length| ("content-length", length.as_bytes())).collect();
        frames.fields(&request(&lengths), false).await;
        frames.data(body.as_bytes(), true).await;
        assert_eq!(frames.end().await, End::Reset, "{lengths:?}");
        assert!(open.vendor.heard().is_empty(), "{lengths:?}");
    }
    let twice: [Field<'_>; 2] = [("content-length", b"0"), ("content-length", b"0")];
    assert_eq!(ask(&open, &request(&twice)).await, (End::Status(400), 0));
}

/// Section 8.1: trailers hold no pseudo-header fields; nothing of trailers goes further, whatever they hold.
#[tokio::test]
async fn trailers_change_nothing() {
    let bad: [&[Field<'_>]; 4] = [
        &[(":path", b"/b")],
        &[(":method", b"DELETE"), ("x-a", b"1")],
        &[("x-a", b"1")],
        &[("content-length", b"9")],
    ];
    for trailers in bad {
        let Open { vendor, gateway } = open().await;
        let mut frames = Frames::open(&gateway).await;
        frames.fields(&request(&[]), false).await;
        frames.data(b"ab", false).await;
        frames.fields(trailers, true).await;
        frames.end().await;
        for heard in vendor.heard() {
            assert_eq!(
                (heard.line(), heard.header("x-a")),
                ("POST /a HTTP/1.1", String::new()),
                "{trailers:?}"
            );
            assert_eq!(heard.body, b"2\r\nab\r\n0\r\n\r\n", "{trailers:?}");
        }
    }
    // Trailers that do not end the stream are no trailers.
    let Open { vendor, gateway } = open().await;
    let mut frames = Frames::open(&gateway).await;
    frames.fields(&request(&[]), false).await;
    frames.fields(&[("x-a", b"1")], false).await;
    assert_eq!((frames.end().await, vendor.heard().len()), (End::Reset, 0));
}
