//! Requests, from bytes to what is asked.

use http::{HeaderMap, HeaderValue, Method};
use onevelope::decode::Bounds;
use onevelope::profile::{ProfileSet, load};
use onevelope::request::{Head, Scope, view};

use crate::measure::{Named, Shape, alone, black_box, linear};
use crate::shapes::{counted, many};

fn check(set: &ProfileSet, name: &str, head: &Head<'_>, shape: &dyn Fn(usize) -> Vec<u8>) {
    let scope = Scope { vendor: None, profile: None };
    linear(name, 64, shape, |body| drop(black_box(view(set, &scope, head, body, Bounds::default()))));
}

#[test]
fn any_body_is_looked_through_in_linear_work() {
    let _alone = alone();
    let set = load(None).expect("the profiles of the binary");
    let post = |media_type: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(media_type));
        headers
    };
    let form = post("application/x-www-form-urlencoded");
    let json = post("application/json");
    let xml = post("application/xml");
    let parts = post("multipart/mixed; boundary=b");
    let lines = post("application/x-ndjson");
    let shapes: &[(&str, &HeaderMap, Shape<'_>)] = &[
        ("form pairs", &form, &many("Action=StopInstances&a=%41", "&a=", "")),
        (
            "form ids",
            &form,
            &counted("Action=StopInstances&Version=2014-05-26", |n| format!("&InstanceId.{n}=i-{n}"), ""),
        ),
        (
            "form names in two cases",
            &form,
            &counted("Action=StopInstances", |n| format!("&aB{n}=&Ab{n}="), ""),
        ),
        ("json ids", &json, &counted("{\"InstanceIds\":[\"\"", |n| format!(",\"i-{n}\""), "]}")),
        (
            "json servers",
            &json,
            &counted("{\"os-stop\":{\"servers\":[{}", |n| format!(",{{\"id\":\"i-{n}\"}}"), "]}}"),
        ),
        ("json names", &json, &counted("{\"a\":0", |n| format!(",\"aB{n}\":0,\"Ab{n}\":0"), "}")),
        (
            "xml keys",
            &xml,
            &counted("<Delete>", |n| format!("<Object><Key>k{n}</Key></Object>"), "</Delete>"),
        ),
        (
            "parts",
            &parts,
            &many("", "--b\r\nContent-Type: application/http\r\n\r\nDELETE /a HTTP/1.1\r\n\r\n\r\n", "--b--"),
        ),
        ("lines", &lines, &counted("", |n| format!("{{\"delete\":{{\"_id\":\"{n}\"}}}}\n"), "")),
    ];
    for (name, headers, shape) in shapes {
        for (host, path) in [
            ("ecs.tencentcloudapi.com", "/"),
            ("127.0.0.1", "/v2.1/p/cloudservers/action"),
            ("127.0.0.1", "/_bulk"),
        ] {
            let head = Head { method: &Method::POST, host: Some(host), path, query: "delete", headers };
            check(&set, &format!("{name} to {host}{path}"), &head, *shape);
        }
    }
}

#[test]
fn a_query_string_of_any_spelling_is_read_in_linear_work() {
    let _alone = alone();
    let set = load(None).expect("the profiles of the binary");
    let headers = HeaderMap::new();
    let scope = Scope { vendor: None, profile: None };
    let shapes: &[Named<'_>] = &[
        ("escapes", &many("Action=StopInstances&a=", "%41", "")),
        ("pairs", &many("Action=StopInstances&a=%41", "&a=", "")),
        ("names", &counted("Action=StopInstances", |n| format!("&aB{n}=%41"), "")),
    ];
    for (name, shape) in shapes {
        linear(&format!("query {name}"), 64, *shape, |query| {
            let query = std::str::from_utf8(query).expect("text");
            let head = Head {
                method: &Method::GET,
                host: Some("ecs.aliyuncs.com"),
                path: "/",
                query,
                headers: &headers,
            };
            drop(black_box(view(&set, &scope, &head, &[], Bounds::default())))
        });
    }
    for (name, shape) in
        [("segments", many("", "/%41", "")), ("slashes", many("/", "/", "")), ("dots", many("", "/..", ""))]
    {
        linear(&format!("path {name}"), 64, &shape, |path| {
            let path = std::str::from_utf8(path).expect("text");
            let head = Head {
                method: &Method::POST,
                host: Some("ecs.aliyuncs.com"),
                path,
                query: "",
                headers: &headers,
            };
            drop(black_box(view(&set, &scope, &head, &[], Bounds::default())))
        });
    }
}
