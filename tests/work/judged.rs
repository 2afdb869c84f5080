//! Replies that make the judge look things up: as many entries as items, none where it is expected.

use http::{HeaderMap, HeaderValue, Method};
use onevelope::decode::Bounds;
use onevelope::envelope::Writer;
use onevelope::judge::Trace;
use onevelope::profile::load;
use onevelope::reply::{Incoming, Limits, RawPolicy, Wishes, translate};
use onevelope::request::{Head, Scope, view};

use crate::measure::{alone, linear_from};

/// A batch: where it goes, and what stands for each item in request and reply.
struct Batch {
    name: &'static str,
    vendor: &'static str,
    to: (&'static str, &'static str, &'static str),
    headers: &'static [(&'static str, &'static str)],
    asked: (&'static str, fn(usize) -> String, &'static str),
    told: (&'static str, fn(usize) -> String, &'static str),
    /// Between two items of either.
    between: [&'static str; 2],
}

const AMAZON: &str = "application/x-amz-json-1.1";

#[test]
fn entries_find_their_items_in_linear_work_however_they_name_them() {
    let batches = [
        Batch {
            name: "echoes backwards",
            vendor: "aws",
            to: ("dynamodb.us-east-1.amazonaws.com", "/", ""),
            headers: &[("x-amz-target", "DynamoDB_20120810.BatchWriteItem"), ("content-type", AMAZON)],
            asked: ("{\"RequestItems\":{\"t\":[", |n| put(n), "]}}"),
            told: ("{\"UnprocessedItems\":{\"t\":[", |n| put(9_999_999 - n), "]}}"),
            between: [",", ","],
        },
        Batch {
            name: "tails that are nobody's",
            vendor: "aws",
            to: ("codebuild.us-east-1.amazonaws.com", "/", ""),
            headers: &[("x-amz-target", "CodeBuild_20161006.BatchDeleteBuilds"), ("content-type", AMAZON)],
            asked: ("{\"ids\":[", |n| format!("\"p:{n}\""), "]}"),
            told: ("{\"buildsDeleted\":[", |n| format!("\"arn:aws:codebuild:r:1:build/q:{n}\""), "]}"),
            between: [",", ","],
        },
        Batch {
            name: "tails that are everybody's",
            vendor: "aws",
            to: ("codebuild.us-east-1.amazonaws.com", "/", ""),
            headers: &[("x-amz-target", "CodeBuild_20161006.BatchDeleteBuilds"), ("content-type", AMAZON)],
            asked: ("{\"ids\":[", |n| format!("\"p{n}:1\""), "]}"),
            told: ("{\"buildsDeleted\":[", |n| format!("\"arn:aws:codebuild:r:1:build/q{n}:1\""), "]}"),
            between: [",", ","],
        },
        Batch {
            name: "names in another spelling",
            vendor: "openstack",
            to: ("object-store.example.net", "/v1/AUTH_demo", "bulk-delete"),
            headers: &[("content-type", "text/plain")],
            asked: ("", |n| format!("/c/%61{n}"), "\n"),
            told: (
                "{\"Response Status\":\"400 Bad Request\",\"Number Deleted\":0,\"Number Not Found\":0,\"Errors\":[",
                |n| format!("[\"/c/b{n}\",\"401 Unauthorized\"]"),
                "]}",
            ),
            between: ["\n", ","],
        },
        Batch {
            name: "one id again and again",
            vendor: "aws",
            to: ("codebuild.us-east-1.amazonaws.com", "/", ""),
            headers: &[("x-amz-target", "CodeBuild_20161006.BatchGetBuilds"), ("content-type", AMAZON)],
            asked: ("{\"ids\":[", |n| format!("\"p:{n}\""), "]}"),
            told: ("{\"builds\":[", |_| "{\"id\":\"p:1\"}".to_owned(), "]}"),
            between: [",", ","],
        },
        Batch {
            name: "places without a name beside names",
            vendor: "aws",
            to: ("codebuild.us-east-1.amazonaws.com", "/", ""),
            headers: &[("x-amz-target", "CodeBuild_20161006.BatchDeleteBuilds"), ("content-type", AMAZON)],
            asked: ("{\"ids\":[", |n| format!("\"p:{n}\""), "]}"),
            told: (
                "{\"buildsNotDeleted\":[",
                |n| {
                    if n % 2 == 0 {
                        "{\"statusCode\":\"x\"}".to_owned()
                    } else {
                        format!("{{\"id\":\"p:{n}\",\"statusCode\":\"x\"}}")
                    }
                },
                "]}",
            ),
            between: [",", ","],
        },
    ];
    let _alone = alone();
    let set = load(None).expect("the profiles of the binary");
    for batch in &batches {
        let mut headers = HeaderMap::new();
        for (name, value) in batch.headers {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let (host, path, query) = batch.to;
        let head = Head { method: &Method::POST, host: Some(host), path, query, headers: &headers };
        let scope = Scope { vendor: Some(batch.vendor), profile: None };
        let json = HeaderMap::from_iter([(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )]);
        let limits = Limits {
            decoded_body: 1 << 26,
            ratio: 200,
            bounds: Bounds::default(),
            items: 1 << 22,
            envelope: 1 << 30,
        };
        let shape = |size: usize| {
            let count = size / (batch.asked.1(1000).len() + batch.told.1(1000).len() + 2);
            let list = |(start, one, end): (&str, fn(usize) -> String, &str), between| {
                format!("{start}{}{end}", (0..count).map(one).collect::<Vec<_>>().join(between))
            };
            let ([asked, told], between) = ([batch.asked, batch.told], batch.between);
            format!("{}\0{}", list(asked, between[0]), list(told, between[1])).into_bytes()
        };
        // Comparisons one by one are bounded for a reply; below that bound they grow faster than it does.
        linear_from(128 << 10, batch.name, 64, &shape, |both| {
            let middle = both.iter().position(|b| *b == 0).expect("two bodies");
            let (asked, reply) = (&both[..middle], &both[middle + 1..]);
            let request = view(&set, &scope, &head, asked, Bounds::default()).expect("a batch");
            let incoming = Incoming { status: 200, headers: &json, body: reply, cut: false };
            let wishes = Wishes { strict: false, data: false, raw: RawPolicy::Never };
            translate(&request, &incoming, &limits, wishes, &mut Trace::default(), |envelope, text, _| {
                assert!(envelope.summary.total > 100, "{}: the items are known", batch.name);
                Writer { id: "i", attempts: 1, duration_ms: 0, minimal: false, raw: None }
                    .write(envelope, text);
            });
        });
    }
}

fn put(n: usize) -> String {
    format!("{{\"PutRequest\":{{\"Item\":{{\"id\":{{\"S\":\"{n:07}\"}}}}}}}}")
}
