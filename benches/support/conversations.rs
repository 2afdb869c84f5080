//! Batches of any size, spelled as each vendor spells them. Ids have the vendor's own length: bytes per resource decide
//! much of the cost.

use std::fmt::Write as _;

use onevelope::decode::Bounds;
use onevelope::message::Message;
use onevelope::profile::ProfileSet;
use onevelope::reply::{Incoming, Limits};
use onevelope::request::Request;
use onevelope::request::{Head, Scope, view};

/// A request and the reply to it.
#[derive(Debug)]
pub struct Conversation {
    /// `<vendor>/<family>` that must recognise it.
    pub profile: &'static str,
    pub request: Message,
    pub reply: Message,
    /// Resources asked.
    pub asked: usize,
    /// How many of them the reply says failed.
    pub failed: usize,
}

impl Conversation {
    fn new(profile: &'static str, request: &str, reply: &str, asked: usize, failed: usize) -> Self {
        let message = |text: &str| Message::parse(text.as_bytes()).expect("a message of our own making");
        Self { profile, request: message(request), reply: message(reply), asked, failed }
    }

    /// The request as the gateway sees it, on a route that names the vendor.
    pub fn recognised(&self, set: &ProfileSet) -> Option<Request> {
        let (path, query) = self.request.path_and_query();
        let method = self.request.method.clone().unwrap_or_default();
        let host = self.request.host();
        let head =
            Head { method: &method, host: host.as_deref(), path, query, headers: &self.request.headers };
        let scope = Scope { vendor: self.profile.split('/').next(), profile: None };
        view(set, &scope, &head, &self.request.body, LIMITS.bounds).ok()
    }

    /// The reply as the gateway gets it.
    pub fn incoming(&self) -> Incoming<'_> {
        let reply = &self.reply;
        Incoming { status: reply.status, headers: &reply.headers, body: &reply.body, cut: false }
    }
}

/// More than any of the batches needs.
pub const LIMITS: Limits = Limits {
    decoded_body: 256 << 20,
    ratio: 1000,
    bounds: Bounds { depth: 128, nodes: 8_000_000, decoded: 64 << 20 },
    items: 1_000_000,
    envelope: 1 << 30,
};

const JSON_OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
const XML_OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n\r\n";

/// Text for each resource, joined by `between`.
fn each(n: usize, between: &str, mut write: impl FnMut(&mut String, usize)) -> String {
    let mut out = String::new();
    for i in 0..n {
        if i > 0 {
            out.push_str(between);
        }
        write(&mut out, i);
    }
    out
}

/// Every tenth resource fails.
fn fails(i: usize) -> bool {
    i % 10 == 9
}

fn instance(i: usize) -> String {
    format!("qcvm6a456b0d8f01d4b2b1f5073d{i:08x}")
}

fn uuid(i: usize) -> String {
    format!("{i:08x}-46ca-475e-917e-2563e5a8cd19")
}

/// Numbers in no order, the same ones every time: another machine must get the same bytes.
pub fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut state = seed;
    for end in (1..n).rev() {
        // Knuth's multiplier for 64 bits; its upper bits are the good ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(end, (state >> 33) as usize % (end + 1));
    }
    order
}

fn ascending(n: usize) -> Vec<usize> {
    (0..n).collect()
}

/// The `detail` map of Tencent's asynchronous batches.
fn tencent_detail(order: &[usize]) -> String {
    let detail = each(order.len(), ",", |out, at| {
        let i = order[at];
        let _ = match fails(i) {
            true => write!(
                out,
                r#""{}":{{"code":5304,"message":"instance has an unfinished task"}}"#,
                instance(i)
            ),
            false => write!(
                out,
                r#""{}":{{"code":0,"message":"","requestId":"{:013}"}}"#,
                instance(i),
                1_231_231_231_000 + i as u64
            ),
        };
    });
    let code = if order.len() >= 10 { 5400 } else { 0 };
    format!(r#"{{"code":{code},"message":"","detail":{{{detail}}}}}"#)
}

/// The form body of a Tencent batch.
fn tencent_form(order: &[usize]) -> String {
    let ids = each(order.len(), "&", |out, at| {
        let _ = write!(out, "instanceIds.{}={}", at + 1, instance(order[at]));
    });
    format!("Action=StopInstances&Region=ap-guangzhou&{ids}")
}

/// Form in, JSON map out.
pub fn tencent(n: usize) -> Conversation {
    tencent_in(&ascending(n), &ascending(n))
}

/// Form in, JSON map out; the resources in any order, both ways.
pub fn tencent_in(asked: &[usize], replied: &[usize]) -> Conversation {
    let (n, form) = (asked.len(), tencent_form(asked));
    let request = format!("POST /v2/index.php HTTP/1.1\r\nHost: cvm.api.qcloud.com\r\n{FORM}{form}");
    let reply = format!("{JSON_OK}{}", tencent_detail(replied));
    Conversation::new("tencent/async-task", &request, &reply, n, n / 10)
}

/// Query in, JSON map out.
pub fn tencent_query(n: usize) -> Conversation {
    let order = ascending(n);
    let query = tencent_form(&order);
    let request = format!("GET /v2/index.php?{query} HTTP/1.1\r\nHost: cvm.api.qcloud.com\r\n\r\n");
    Conversation::new(
        "tencent/async-task",
        &request,
        &format!("{JSON_OK}{}", tencent_detail(&order)),
        n,
        n / 10,
    )
}

fn huawei_request(n: usize) -> String {
    let servers = each(n, ",", |out, i| {
        let _ = write!(out, r#"{{"id":"{}"}}"#, uuid(i));
    });
    format!(
        "PUT /v1/0605768a9f00d5762fe5c00ed1234567/cloudservers/os-reset-passwords HTTP/1.1\r\nHost: ecs.cn-north-4.myhuaweicloud.com\r\n\
         Content-Type: application/json\r\n\r\n{{\"new_password\":\"x\",\"servers\":[{servers}]}}"
    )
}

/// JSON list in, JSON list of what was done out.
pub fn huawei_done(n: usize) -> Conversation {
    let done = each(n, ",", |out, i| {
        let _ = write!(out, r#"{{"id":"{}"}}"#, uuid(i));
    });
    Conversation::new(
        "huawei/ecs-batch",
        &huawei_request(n),
        &format!("{JSON_OK}{{\"response\":[{done}]}}"),
        n,
        0,
    )
}

/// JSON list in, JSON list of what failed out: every server is named.
pub fn huawei_failed(n: usize) -> Conversation {
    let failed = each(n, ",", |out, i| {
        let _ = write!(
            out,
            r#"{{"id":"{}","error_code":"Ecs.0614","error_message":"The server does not exist."}}"#,
            uuid(i)
        );
    });
    let body = format!(
        r#"{{"error":{{"code":"Ecs.0611","message":"Batch operation error."}},"internalError":[{failed}]}}"#
    );
    Conversation::new("huawei/ecs-batch", &huawei_request(n), &format!("{JSON_OK}{body}"), n, n)
}

/// Form in, XML out, joined by the caller's keys.
pub fn aws_sqs(n: usize) -> Conversation {
    let entries = each(n, "&", |out, i| {
        let at = i + 1;
        let _ = write!(
            out,
            "SendMessageBatchRequestEntry.{at}.Id=m{i}&SendMessageBatchRequestEntry.{at}.MessageBody=hello"
        );
    });
    let request = format!(
        "POST /123456789012/orders HTTP/1.1\r\nHost: sqs.us-east-1.amazonaws.com\r\n{FORM}Action=SendMessageBatch&Version=2012-11-05&{entries}"
    );
    let results = each(n, "", |out, i| {
        let _ = match fails(i) {
            true => write!(
                out,
                "<BatchResultErrorEntry><Id>m{i}</Id><Code>InvalidMessageContents</Code><Message>Not allowed.</Message>\
                 <SenderFault>true</SenderFault></BatchResultErrorEntry>"
            ),
            false => write!(
                out,
                "<SendMessageBatchResultEntry><Id>m{i}</Id><MessageId>{}</MessageId>\
                 <MD5OfMessageBody>5d41402abc4b2a76b9719d911017c592</MD5OfMessageBody></SendMessageBatchResultEntry>",
                uuid(i)
            ),
        };
    });
    let reply = format!(
        "{XML_OK}<SendMessageBatchResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><SendMessageBatchResult>{results}\
         </SendMessageBatchResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SendMessageBatchResponse>"
    );
    Conversation::new("aws/sqs", &request, &reply, n, n / 10)
}

/// Form in, XML out, joined by id.
pub fn aws_ec2(n: usize) -> Conversation {
    let ids = each(n, "&", |out, i| {
        let _ = write!(out, "InstanceId.{}=i-{i:017x}", i + 1);
    });
    let request = format!(
        "POST / HTTP/1.1\r\nHost: ec2.us-east-1.amazonaws.com\r\n{FORM}Action=TerminateInstances&Version=2016-11-15&{ids}"
    );
    let items = each(n, "", |out, i| {
        let _ = write!(
            out,
            "<item><instanceId>i-{i:017x}</instanceId><currentState><code>32</code><name>shutting-down</name></currentState>\
             <previousState><code>16</code><name>running</name></previousState></item>"
        );
    });
    let reply = format!(
        "{XML_OK}<TerminateInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
         <instancesSet>{items}</instancesSet></TerminateInstancesResponse>"
    );
    Conversation::new("aws/ec2-instances", &request, &reply, n, 0)
}

/// Multipart of HTTP messages, both ways.
pub fn azure_blobs(n: usize) -> Conversation {
    let parts = each(n, "", |out, i| {
        let _ = write!(
            out,
            "--b1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {i}\r\n\r\n\
             DELETE /container/blob{i} HTTP/1.1\r\nContent-Length: 0\r\n\r\n\r\n"
        );
    });
    let request = format!(
        "POST /?comp=batch HTTP/1.1\r\nHost: acc.blob.core.windows.net\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n{parts}--b1--\r\n"
    );
    let replies = each(n, "", |out, i| {
        let status = if fails(i) { "404 The specified blob does not exist." } else { "202 Accepted" };
        let code = if fails(i) { "x-ms-error-code: BlobNotFound\r\n" } else { "" };
        let _ = write!(
            out,
            "--r1\r\nContent-Type: application/http\r\nContent-ID: {i}\r\n\r\nHTTP/1.1 {status}\r\n{code}\
             x-ms-request-id: 778fdc83-801e-0000-62ff-033467{i:06x}\r\nx-ms-version: 2024-11-04\r\n\r\n"
        );
    });
    let reply = format!(
        "HTTP/1.1 202 Accepted\r\nContent-Type: multipart/mixed; boundary=r1\r\n\r\n{replies}--r1--\r\n"
    );
    Conversation::new("azure/blob-batch", &request, &reply, n, n / 10)
}

/// NDJSON in, JSON list out, joined by position.
pub fn opensearch(n: usize) -> Conversation {
    let lines = each(n, "", |out, i| {
        let _ = write!(
            out,
            "{{\"index\":{{\"_index\":\"orders\",\"_id\":\"{i:020}\"}}}}\n{{\"price\":{i},\"open\":true}}\n"
        );
    });
    let request = format!(
        "POST /_bulk HTTP/1.1\r\nHost: search.example.net\r\nContent-Type: application/x-ndjson\r\n\r\n{lines}"
    );
    let items = each(n, ",", |out, i| {
        let _ = match fails(i) {
            true => write!(
                out,
                r#"{{"index":{{"_index":"orders","_id":"{i:020}","status":429,"error":{{"type":"rejected","reason":"queue full"}}}}}}"#
            ),
            false => write!(
                out,
                r#"{{"index":{{"_index":"orders","_id":"{i:020}","_version":1,"result":"created","status":201}}}}"#
            ),
        };
    });
    let reply = format!("{JSON_OK}{{\"took\":30,\"errors\":{},\"items\":[{items}]}}", n >= 10);
    Conversation::new("opensearch/bulk", &request, &reply, n, n / 10)
}
