//! What a refusal says: how to mend it, and nothing of what the request held.

use crate::support::{Call, Gateway, Reply, Route, Vendor};

#[tokio::test]
async fn a_refusal_shows_no_path_query_or_field() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").with("host = \"known.example\"\nprefix = \"/p\"")).await;
    let calls = [
        (404, Call::new("GET", "/bot123:SECRET/x?token=SECRET").header("Host", "other.example")),
        (404, Call::new("GET", "/SECRET?token=SECRET").header("Host", "known.example")),
        (400, Call::new("GET", "/p/../SECRET?token=SECRET").header("Host", "known.example")),
        (400, Call::new("GET", "/p/SECRET\\").header("Host", "known.example")),
        (400, Call::new("GET", "/p/x").header("Host", "SECRET:SECRET@known.example")),
        (
            400,
            Call::new("GET", "/p/x")
                .header("Host", "known.example")
                .header("Transfer-Encoding", "SECRET, chunked"),
        ),
        (417, Call::new("GET", "/p/x").header("Host", "known.example").header("Expect", "SECRET")),
    ];
    for (status, call) in calls {
        let answer = call.send(gateway.address).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(!answer.text().contains("SECRET"), "{}", answer.text());
        let problem = answer.json();
        assert!(problem["detail"].as_str().is_some_and(|mend| mend.len() > 20), "{problem}");
        assert!(!problem["request_id"].as_str().expect("an id").is_empty());
    }
    assert_eq!(vendor.connections(), 0);
    let metrics = gateway.ask("/metrics").await.text();
    for (reason, count) in [
        ("no_route", 2),
        ("bad_target", 2),
        ("bad_host", 1),
        ("bad_framing", 1),
        ("expectation_failed", 1),
        ("no_host", 0),
    ] {
        let line = format!("onevelope_refused_total{{reason=\"{reason}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

/// What the operating system says of a connection is for the log: it names addresses and files.
#[tokio::test]
async fn a_vendor_that_cannot_be_reached_is_told_without_the_systems_words() {
    let gateway = Gateway::start(&Route::of("huawei").to_url("http://127.0.0.1:9")).await;
    let passed = Call::new("GET", "/x").header("Host", "x").send(gateway.address).await;
    assert_eq!(
        (passed.status, passed.json()["title"].as_str()),
        (502, Some("u cannot be reached: it refuses connections: nothing listens there"))
    );
    let batch = crate::support::batches::reset(&["a"]).send(gateway.address).await;
    for word in ["os error", "127.0.0.1", "client error", "tcp"] {
        assert!(!passed.text().contains(word) && !batch.text().contains(word), "{word}: {}", batch.text());
    }
}
