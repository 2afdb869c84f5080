//! Paths that lead out of their route, or to another, as servers before or behind may read them.

use super::refused_by;
use crate::support::{Call, Gateway, Reply, Vendor};

async fn vendor() -> Vendor {
    Vendor::replying(Reply::json("{}")).await
}

#[tokio::test]
async fn a_path_stays_within_its_prefix_however_it_is_read() {
    let vendor = vendor().await;
    let url = vendor.url();
    let gateway = Gateway::start(&format!(
        "[routes.a]\nprefix = \"/huawei\"\nupstream = \"u\"\n[routes.b]\nprefix = \"/aws\"\nupstream = \"u\"\n\
         [routes.c]\nupstream = \"u\"\n[upstreams.u]\nurl = \"{url}\"\n"
    ))
    .await;
    for path in [
        "/huawei/../aws/x",
        "/huawei/%2e%2e/aws/x",
        "/huawei/.%2E/aws/x",
        "/huawei/%252e%252e/aws/x",
        "/huawei/..;/aws/x",
        "/huawei/..;a=b/aws/x",
        "/huawei/..%3b/aws/x",
        "/huawei/%2f../aws/x",
        "/huawei/..%2faws/x",
        "/huawei/..%5caws/x",
        "/huawei/a/../../aws/x",
        "/huawei/a%2f../../aws",
        "/huawei//../aws/x",
        "/huawei/..",
        "/huawei/..%00/aws/x",
        "/huawei/%c0%ae%c0%ae/aws/x",
        "/huawei/../huawei/x",
        "/huawei/%25252525252e%25252525252e/x",
        // What we take for anything, and others for a route of ours.
        "//huawei/x",
        "/./aws/x",
        "/%68uawei/x",
        "/huawei;a/x",
        "/x/../aws/y",
        "/x/..%2faws/y",
    ] {
        refused_by(&gateway, 400, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
    }
    assert_eq!(vendor.connections(), 0);
    for (path, got) in [
        ("/huawei/v1/a..b/..c/d..", "/v1/a..b/..c/d.."),
        ("/huawei/v1//a%2Fb/%E4%B8%AD;x=1", "/v1//a%2Fb/%E4%B8%AD;x=1"),
        ("/huawei/a/../b?c=/../../d", "/a/../b?c=/../../d"),
        ("/huawei/.well-known/x", "/.well-known/x"),
        ("/other//a/%2e%2e/b", "/other//a/%2e%2e/b"),
    ] {
        assert_eq!(
            Call::new("GET", path).header("Host", "x").send(gateway.address).await.status,
            200,
            "{path}"
        );
        assert_eq!(vendor.heard().last().expect("heard").line(), format!("GET {got} HTTP/1.1"));
    }
}

#[tokio::test]
async fn a_path_stays_below_its_upstreams_own() {
    let vendor = vendor().await;
    let gateway = Gateway::start(&format!(
        "[routes.r]\nupstream = \"u\"\n[upstreams.u]\nurl = \"{}/base\"\n",
        vendor.url()
    ))
    .await;
    for path in ["/../admin", "/%2e%2e/admin", "/a/..;/..;/admin"] {
        refused_by(&gateway, 400, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
    }
    assert_eq!(vendor.connections(), 0);
    assert_eq!(Call::new("GET", "/a/../b").header("Host", "x").send(gateway.address).await.status, 200);
    assert_eq!(vendor.only().line(), "GET /base/a/../b HTTP/1.1");
}

/// Where no prefix decides, a path is the vendor's own affair: keys of objects are what they are.
#[tokio::test]
async fn keys_of_objects_pass_as_they_are() {
    let vendor = vendor().await;
    let gateway = Gateway::start(&format!(
        "[routes.r]\nhost = \"{{bucket}}.s3.example\"\nupstream = \"u\"\n[upstreams.u]\nurl = \"{}\"\n",
        vendor.url()
    ))
    .await;
    for path in
        ["/a//b/../c", "//../x", "/%2e%2e/%2e%2e/etc", "/..;/x", "/a%252e%25252e", "/a..b/...", "/%2F..%2F"]
    {
        let answer = Call::new("PUT", path).header("Host", "b.s3.example").send(gateway.address).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(vendor.heard().last().expect("heard").line(), format!("PUT {path} HTTP/1.1"));
    }
}
