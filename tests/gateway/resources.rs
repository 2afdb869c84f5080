//! Which resources fail: bounded rows, exact sums, and first failures that `increase()` can see.

use crate::support::batches::{failed_servers, reset};
use crate::support::{Call, Gateway, Metrics, Reply, Route, Vendor};

const FAILURES: &str = "onevelope_resource_failures_total";

async fn gateway(reply: Reply, tables: &str) -> (Vendor, Gateway) {
    let vendor = Vendor::replying(reply).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").and(tables)).await;
    (vendor, gateway)
}

/// One scrape, by a scraper with a name of its own.
async fn scrape(gateway: &Gateway, scraper: &str) -> Metrics {
    let call =
        Call::new("GET", "/metrics/resources").header("Host", "localhost").header("User-Agent", scraper);
    Metrics::parse(&call.send(gateway.admin_address).await.text())
}

/// `counted = Σ failures (with _overflow) + evicted + held`, within one scrape.
fn assert_balanced(metrics: &Metrics) {
    let sum = |name| metrics.sum(name, &["vendor=\"huawei\""]);
    let parts = sum(FAILURES)
        + sum("onevelope_resource_failures_evicted_total")
        + sum("onevelope_resource_failures_held");
    assert_eq!(sum("onevelope_resource_failures_counted_total"), parts);
}

#[tokio::test]
async fn a_new_row_is_0_for_two_scrapes_and_then_its_value() {
    let (_vendor, gateway) = gateway(failed_servers(&[("s1", "Ecs.0614")]), "").await;
    for _ in 0..3 {
        reset(&["s1", "s2"]).send(gateway.address).await;
    }
    let row = [
        "vendor=\"huawei\"",
        "service=\"ecs\"",
        "resource_type=\"server\"",
        "resource=\"s1\"",
        "category=\"not_found\"",
    ];
    for expected in [0.0, 0.0, 3.0, 3.0] {
        let metrics = scrape(&gateway, "prometheus").await;
        assert!(metrics.has(FAILURES, &row), "the row is there from its first failure on");
        assert_eq!(metrics.sum(FAILURES, &row), expected);
        assert_balanced(&metrics);
    }
    assert!(
        !scrape(&gateway, "prometheus").await.has(FAILURES, &["resource=\"s2\""]),
        "what went well has no row"
    );
}

#[tokio::test]
async fn a_full_table_sends_further_resources_to_one_row_and_loses_none() {
    let ids: Vec<String> = (0..20).map(|n| format!("s{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let failed: Vec<(&str, &str)> = ids.iter().map(|id| (*id, "Ecs.0614")).collect();
    let (_vendor, gateway) = gateway(failed_servers(&failed), "[metrics.resources]\nmax_series = 5").await;
    for round in 1..=4 {
        reset(&ids).send(gateway.address).await;
        let metrics = scrape(&gateway, "prometheus").await;
        assert_balanced(&metrics);
        assert_eq!(metrics.sum("onevelope_resource_failures_counted_total", &[]), f64::from(round * 20));
        assert!(metrics.sum("onevelope_resource_series", &[]) <= 5.0);
        assert_eq!(metrics.sum("onevelope_resource_series_limit", &[]), 5.0);
    }
    let metrics = scrape(&gateway, "prometheus").await;
    let overflow = ["resource=\"_overflow\"", "category=\"not_found\"", "service=\"ecs\""];
    assert_eq!(metrics.sum(FAILURES, &overflow), 60.0, "fifteen of twenty, four times");
    assert_eq!(metrics.sum(FAILURES, &[]), 80.0);
}

#[tokio::test]
async fn ids_are_escaped_and_cut() {
    let (odd, long) = ("a\"b\\c\nd".to_owned(), "x".repeat(5000));
    let (_vendor, gateway) = gateway(failed_servers(&[(&odd, "Ecs.0614"), (&long, "Ecs.0614")]), "").await;
    reset(&[&odd, &long]).send(gateway.address).await;
    let text = gateway.ask("/metrics/resources").await.text();
    assert!(text.contains(r#"resource="a\"b\\c\nd""#), "{text}");
    assert!(text.lines().all(|line| line.len() < 600), "{text}");
    Metrics::parse(&text);
}

#[tokio::test]
async fn resources_never_stand_on_the_core_page() {
    let (_vendor, gateway) = gateway(failed_servers(&[("s1", "Ecs.0614")]), "").await;
    reset(&["s1"]).send(gateway.address).await;
    let core = gateway.ask("/metrics").await.text();
    assert!(!core.contains(FAILURES) && !core.contains("resource=\""));
}

#[tokio::test]
async fn both_pages_speak_openmetrics_to_who_asks_for_it() {
    let (_vendor, gateway) = gateway(failed_servers(&[("s1", "Ecs.0614")]), "").await;
    reset(&["s1"]).send(gateway.address).await;
    for path in ["/metrics", "/metrics/resources"] {
        let call = Call::new("GET", path).header("Host", "localhost");
        let open =
            call.clone().header("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
        let open = open.send(gateway.admin_address).await;
        assert!(
            open.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"),
            "{path}"
        );
        assert!(open.text().ends_with("# EOF\n"), "{path}");
        let classic = call.send(gateway.admin_address).await;
        assert!(classic.header("content-type").starts_with("text/plain; version=0.0.4"), "{path}");
        assert!(!classic.text().contains("# EOF"), "{path}");
    }
}
