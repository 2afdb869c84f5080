//! Which route a request takes, and what of its address the vendor sees.

use http::header;

use crate::support::{Call, Gateway, Reply, Route, Vendor};

async fn vendor() -> Vendor {
    Vendor::replying(Reply::json("{}")).await
}

/// `[routes.<name>]` and an upstream of its own at a vendor.
fn table(name: &str, lines: &str, vendor: &Vendor) -> String {
    format!(
        "[routes.{name}]\nupstream = \"{name}\"\n{lines}\n[upstreams.{name}]\nurl = \"{}\"\n",
        vendor.url()
    )
}

#[tokio::test]
async fn a_host_that_a_route_names_is_forwarded_as_the_client_sent_it() {
    let vendor = vendor().await;
    let gateway =
        Gateway::before(&vendor, Route::of("tencent").with("host = \"{service}.tencentcloudapi.com\"")).await;
    for host in ["cvm.tencentcloudapi.com", "cvm.tencentcloudapi.com:443", "CVM.TencentCloudAPI.com"] {
        Call::new("GET", "/").header("Host", host).send(gateway.address).await;
        assert_eq!(vendor.heard().last().expect("heard").header("Host"), host);
    }
}

#[tokio::test]
async fn any_other_host_becomes_the_upstreams() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, Route::of("tencent")).await;
    Call::new("GET", "/").header("Host", "gateway.internal:8080").send(gateway.address).await;
    assert_eq!(vendor.only().header("Host"), vendor.address.to_string());
}

#[tokio::test]
async fn a_host_that_another_route_names_survives_a_route_without_host() {
    let (named, by_path) = (vendor().await, vendor().await);
    let text = table("named", "host = \"ecs.{region}.myhuaweicloud.com\"\nprefix = \"/v9\"", &named)
        + &table("path", "prefix = \"/p\"", &by_path);
    let gateway = Gateway::start(&text).await;
    Call::new("GET", "/p/x").header("Host", "ecs.eu-west-0.myhuaweicloud.com").send(gateway.address).await;
    assert_eq!(by_path.only().header("Host"), "ecs.eu-west-0.myhuaweicloud.com");
}

#[tokio::test]
async fn an_absolute_form_target_names_the_host_as_the_host_header_does() {
    let vendor = vendor().await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").with("host = \"ecs.{region}.myhuaweicloud.com\"")).await;
    let target = "http://ecs.cn-north-4.myhuaweicloud.com/v1/a%20b?x=%2F";
    let answer = Call::new("GET", target)
        .header("Host", "ecs.cn-north-4.myhuaweicloud.com")
        .send(gateway.address)
        .await;
    assert_eq!(answer.status, 200);
    let heard = vendor.only();
    assert_eq!(heard.line(), "GET /v1/a%20b?x=%2F HTTP/1.1");
    assert_eq!(heard.header("Host"), "ecs.cn-north-4.myhuaweicloud.com");
}

#[tokio::test]
async fn a_prefix_is_stripped_and_the_rest_stays_as_it_is() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, Route::of("huawei").with("prefix = \"/huawei\"")).await;
    let cases = [
        ("/huawei/v1//x%2Fy?a=%20", "/v1//x%2Fy?a=%20"),
        ("/huawei", "/"),
        ("/huawei?a=1", "/?a=1"),
        ("/huawei/huawei/x", "/huawei/x"),
    ];
    for (sent, got) in cases {
        Call::new("GET", sent).header("Host", "x").send(gateway.address).await;
        assert_eq!(vendor.heard().last().expect("heard").line(), format!("GET {got} HTTP/1.1"));
    }
    // A prefix ends at a segment's end.
    assert_eq!(Call::new("GET", "/huaweix").header("Host", "x").send(gateway.address).await.status, 404);
    assert_eq!(vendor.heard().len(), cases.len());
}

#[tokio::test]
async fn the_upstreams_own_path_stands_before_the_requests() {
    let vendor = vendor().await;
    let gateway = Gateway::start(&Route::of("huawei").to_url(&format!("{}/base/", vendor.url()))).await;
    Call::new("GET", "/x?y=1").header("Host", "x").send(gateway.address).await;
    assert_eq!(vendor.only().line(), "GET /base/x?y=1 HTTP/1.1");
}

#[tokio::test]
async fn the_most_specific_host_wins_then_the_longest_prefix() {
    let vendors = [vendor().await, vendor().await, vendor().await, vendor().await];
    let text = table("a", "", &vendors[0])
        + &table("b", "host = \"{service}.myhuaweicloud.com\"", &vendors[1])
        + &table("c", "host = \"ecs.myhuaweicloud.com\"", &vendors[2])
        + &table("d", "host = \"{service}.myhuaweicloud.com\"\nprefix = \"/v2\"", &vendors[3]);
    let gateway = Gateway::start(&text).await;
    let cases = [
        ("elsewhere.org", "/", 0),
        ("evs.myhuaweicloud.com", "/v3/v2", 1),
        ("ecs.myhuaweicloud.com", "/v2/x", 2),
        ("evs.myhuaweicloud.com", "/v2/x", 3),
        // One capture is one label.
        ("a.b.myhuaweicloud.com", "/", 0),
    ];
    for (host, path, expected) in cases {
        let before: Vec<usize> = vendors.iter().map(|vendor| vendor.heard().len()).collect();
        Call::new("GET", path).header("Host", host).send(gateway.address).await;
        let after: Vec<usize> = vendors.iter().map(|vendor| vendor.heard().len()).collect();
        let reached: Vec<usize> = (0..4).filter(|&n| after[n] > before[n]).collect();
        assert_eq!(reached, [expected], "{host}{path}");
    }
}

#[tokio::test]
async fn a_listeners_route_takes_only_what_came_in_there() {
    let (left, right) = (vendor().await, vendor().await);
    let text = table("left", "listener = \"left\"", &left)
        + &table("right", "listener = \"right\"", &right)
        + "[listen.left]\naddress = \"127.0.0.1:0\"\n[listen.right]\naddress = \"127.0.0.1:0\"\n"
        + "[listen.other]\naddress = \"127.0.0.1:0\"\n";
    let gateway = Gateway::start(&text).await;
    Call::new("GET", "/x").header("Host", "x").send(gateway.listener("right")).await;
    assert_eq!((left.heard().len(), right.heard().len()), (0, 1));
    assert_eq!(Call::new("GET", "/x").header("Host", "x").send(gateway.listener("other")).await.status, 404);
}

#[tokio::test]
async fn hosts_without_route_get_a_404_that_says_how_to_mend_it() {
    let vendor = vendor().await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").with("host = \"ecs.{region}.myhuaweicloud.com\"")).await;
    let answer = Call::new("GET", "/x").header("Host", "evil.example").send(gateway.address).await;
    assert_eq!((answer.status, answer.header("content-type").as_str()), (404, "application/problem+json"));
    let problem = answer.json();
    assert_eq!(problem["title"], "no route for evil.example");
    assert!(problem["detail"].as_str().expect("detail").contains("[routes.<name>]"), "{problem}");
    assert_eq!(problem["request_id"], answer.header("onevelope-request-id"));
    // An absolute target is no way around: the proxy is not open.
    let answer =
        Call::new("GET", "http://evil.example/x").header("Host", "evil.example").send(gateway.address).await;
    assert_eq!(answer.status, 404);
    assert_eq!(vendor.heard().len(), 0);
}

#[tokio::test]
async fn connect_gets_a_clear_405() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let answer =
        Call::new("CONNECT", "ecs.a.myhuaweicloud.com:443").header("Host", "x").send(gateway.address).await;
    assert_eq!(answer.status, 405);
    assert!(answer.json()["title"].as_str().expect("title").starts_with("CONNECT is not served"));
    assert_eq!(vendor.connections(), 0);
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_served_and_its_authority_is_the_host() {
    let vendor = vendor().await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").with("host = \"ecs.{region}.myhuaweicloud.com\"")).await;
    let call =
        Call::new("POST", "/v1/x?y=%2F").header("Host", "ecs.eu-west-0.myhuaweicloud.com").header("X-A", "1");
    let answer = call.body("{\"a\":1}").send_h2c(gateway.address).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
    let heard = vendor.only();
    assert_eq!(heard.line(), "POST /v1/x?y=%2F HTTP/1.1");
    assert_eq!(
        (heard.header("Host"), heard.header("X-A")),
        ("ecs.eu-west-0.myhuaweicloud.com".into(), "1".into())
    );
    assert_eq!(heard.header(header::CONTENT_LENGTH.as_str()), "7");
    assert_eq!(heard.body, b"{\"a\":1}");
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let vendor = vendor().await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let call = Call::new("GET", "/1").header("Host", "x");
    let mut wire = call.open(gateway.address).await;
    for n in 1..=3 {
        assert_eq!(wire.answer().await.status, 200);
        wire.write(&Call::new("GET", &format!("/{}", n + 1)).header("Host", "x").bytes()).await;
    }
    vendor.got(4).await;
    assert_eq!(vendor.connections(), 1, "the vendor's connection is kept, too");
}
