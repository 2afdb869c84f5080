//! Generated batches in the shapes that vendors use: what is asked, what is said of whom, and how that looks on the wire.

use proptest::prelude::*;
use serde_json::json;

/// One vendor's way to ask and to answer.
pub struct Shape {
    pub name: &'static str,
    /// What a good statement means.
    pub good: &'static str,
    /// Only failures are named, and silence is success.
    pub failures_only: bool,
    /// Statements have no id; their place tells whom they mean.
    pub positional: bool,
    pub ask: fn(&[String]) -> Ask,
    pub tell: fn(&[Said]) -> Told,
}

/// A request.
pub struct Ask {
    pub method: &'static str,
    pub host: &'static str,
    pub path: &'static str,
    pub query: String,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: String,
}

/// A reply.
pub struct Told {
    pub status: u16,
    pub media_type: &'static str,
    pub body: String,
}

/// One statement of the vendor's.
#[derive(Clone, Debug)]
pub struct Said {
    pub id: String,
    /// The failure's code; none is good news.
    pub bad: Option<&'static str>,
    /// Further members of the entry, as JSON text.
    pub extra: &'static str,
}

/// A batch and what is said of it.
#[derive(Clone, Debug)]
pub struct Batch {
    pub asked: Vec<String>,
    /// In the vendor's order.
    pub said: Vec<Said>,
}

impl Batch {
    /// Whether a failure is stated of somebody nobody asked about.
    pub fn is_of_strangers(&self) -> bool {
        self.said.iter().any(|said| said.bad.is_some() && !self.asked.contains(&said.id))
    }
}

pub const SHAPES: [Shape; 6] = [
    // A map from id to code; silence tells nothing.
    Shape {
        name: "tencent/async-task",
        good: "accepted",
        failures_only: false,
        positional: false,
        ask: stop,
        tell: detail,
    },
    Shape {
        name: "huawei/ecs-batch",
        good: "succeeded",
        failures_only: true,
        positional: false,
        ask: reset,
        tell: failures,
    },
    Shape {
        name: "huawei/eip-bandwidth",
        good: "succeeded",
        failures_only: false,
        positional: false,
        ask: modify,
        tell: two_lists,
    },
    // Keys that the caller chose.
    Shape {
        name: "aws/sqs",
        good: "succeeded",
        failures_only: false,
        positional: false,
        ask: send,
        tell: successful_failed,
    },
    Shape {
        name: "aws/put-records",
        good: "succeeded",
        failures_only: false,
        positional: true,
        ask: put,
        tell: records,
    },
    Shape {
        name: "aws/s3-delete-objects",
        good: "succeeded",
        failures_only: false,
        positional: false,
        ask: delete,
        tell: xml,
    },
];

/// Fragments that careless readers damage: big integers, empty arrays, key order, escapes.
const EXTRAS: [&str; 5] = [
    "",
    r#","zzBig":9007199254740993"#,
    r#","zzList":[ ],"zzMap":{"b":1,"a":18446744073709551616.50}"#,
    ",\"zzText\":\"\\u00e9\\/\\ud83d\\ude00\" , \"zzNull\" : null",
    r#","zzDeep":[[[{"id":"x","code":1}]]]"#,
];

/// Which codes a vendor's table knows does not matter here.
const CODES: [&str; 3] = ["NotFound", "Throttled", "Strange.9"];

fn ids(most: usize) -> impl Strategy<Value = Vec<String>> {
    let id = prop_oneof![4 => "[A-Za-z0-9_.:-]{1,12}", 1 => "[a-z]{1,4}[é\"\\\\ /&=+%中]{1,3}[a-z]"];
    proptest::collection::hash_set(id, 1..=most).prop_map(|ids| ids.into_iter().collect())
}

fn said() -> impl Strategy<Value = Option<(Option<&'static str>, &'static str)>> {
    let extra = proptest::sample::select(&EXTRAS[..]);
    let bad = proptest::option::of(proptest::sample::select(&CODES[..]));
    proptest::option::weighted(0.8, (bad, extra))
}

/// Batches that fit a shape, with up to two resources that nobody asked for.
pub fn batch(shape: &'static Shape) -> impl Strategy<Value = Batch> {
    let drawn = (ids(10), proptest::collection::vec(said(), 12), 0..=2usize);
    drawn
        .prop_map(|(mut ids, fates, strangers)| {
            let asked = ids.len() - strangers.min(ids.len() - 1);
            let all = ids.iter().zip(fates).enumerate().filter_map(|(at, (id, fate))| {
                match (shape.positional, fate) {
                    (true, _) if at >= asked => None,
                    (true, None) => Some(Said { id: id.clone(), bad: None, extra: "" }),
                    (_, fate) => fate.map(|(bad, extra)| Said { id: id.clone(), bad, extra }),
                }
            });
            let mut said: Vec<Said> = all.filter(|said| !shape.failures_only || said.bad.is_some()).collect();
            // Strangers alone could be other names of the asked: that is another rule's matter.
            if !said.iter().any(|said| ids[..asked].contains(&said.id)) {
                said.clear();
            }
            ids.truncate(asked);
            Batch { asked: ids, said }
        })
        .prop_flat_map(move |batch| {
            let order = Just(batch.said.clone()).prop_shuffle();
            (Just(batch), order).prop_map(move |(batch, order)| {
                if shape.positional { batch } else { Batch { said: order, ..batch } }
            })
        })
}

fn text(value: &str) -> String {
    json!(value).to_string()
}

fn entry(id: &str, said: &Said, code: &str, message: &str) -> String {
    let failure = said.bad.map_or(String::new(), |bad| format!(",\"{code}\":\"{bad}\",\"{message}\":\"no\""));
    format!("{{\"{id}\":{}{failure}{}}}", text(&said.id), said.extra)
}

fn join<'s>(said: impl Iterator<Item = &'s Said>, entry: impl Fn(&Said) -> String) -> String {
    said.map(entry).collect::<Vec<_>>().join(",")
}

fn good(said: &[Said]) -> impl Iterator<Item = &Said> {
    said.iter().filter(|said| said.bad.is_none())
}

fn bad(said: &[Said]) -> impl Iterator<Item = &Said> {
    said.iter().filter(|said| said.bad.is_some())
}

fn json_call(method: &'static str, host: &'static str, path: &'static str, body: serde_json::Value) -> Ask {
    let headers = vec![("content-type", "application/json")];
    Ask { method, host, path, query: String::new(), headers, body: body.to_string() }
}

fn json_reply(status: u16, body: String) -> Told {
    Told { status, media_type: "application/json", body }
}

fn stop(ids: &[String]) -> Ask {
    let encode = |id: &String| {
        percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let list: String =
        ids.iter().enumerate().map(|(n, id)| format!("&instanceIds.{n}={}", encode(id))).collect();
    let query = format!("Action=StopInstances{list}");
    Ask {
        method: "GET",
        host: "cvm.api.qcloud.com",
        path: "/v2/index.php",
        query,
        headers: Vec::new(),
        body: String::new(),
    }
}

fn detail(said: &[Said]) -> Told {
    let member = |said: &Said| match said.bad {
        None => {
            format!("{}:{{\"code\":0,\"message\":\"\",\"requestId\":\"t\"{}}}", text(&said.id), said.extra)
        }
        Some(code) => format!("{}:{{\"code\":\"{code}\",\"message\":\"no\"{}}}", text(&said.id), said.extra),
    };
    let code = if bad(said).next().is_some() { 5400 } else { 0 };
    json_reply(
        200,
        format!("{{\"code\":{code},\"message\":\"said\",\"detail\":{{{}}}}}", join(said.iter(), member)),
    )
}

fn reset(ids: &[String]) -> Ask {
    let servers: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
    let body = json!({ "new_password": "x", "servers": servers });
    json_call("PUT", "ecs.eu-west-0.myhuaweicloud.com", "/v1/p/cloudservers/os-reset-passwords", body)
}

fn failures(said: &[Said]) -> Told {
    let list = join(bad(said), |said| entry("id", said, "error_code", "error_message"));
    if list.is_empty() {
        return json_reply(200, "{\"internalError\":[]}".to_owned());
    }
    json_reply(
        400,
        format!("{{\"error\":{{\"code\":\"Ecs.0611\",\"message\":\"batch\"}},\"internalError\":[{list}]}}"),
    )
}

fn modify(ids: &[String]) -> Ask {
    let list: Vec<_> = ids.iter().map(|id| json!({ "id": id, "size": 5 })).collect();
    json_call(
        "PUT",
        "vpc.eu-west-0.myhuaweicloud.com",
        "/v2/p/batch-bandwidths/modify",
        json!({ "bandwidths": list }),
    )
}

fn two_lists(said: &[Said]) -> Told {
    let entry = |said: &Said| entry("id", said, "code", "message");
    let (good, bad) = (join(good(said), entry), join(bad(said), entry));
    json_reply(200, format!("{{\"failure_resources\":[{bad}],\"success_resources\":[{good}]}}"))
}

fn send(keys: &[String]) -> Ask {
    let entries: Vec<_> = keys.iter().map(|key| json!({ "Id": key, "MessageBody": "x" })).collect();
    let mut ask =
        json_call("POST", "sqs.us-east-1.amazonaws.com", "/", json!({ "QueueUrl": "q", "Entries": entries }));
    ask.headers =
        vec![("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "AmazonSQS.SendMessageBatch")];
    ask
}

fn successful_failed(said: &[Said]) -> Told {
    let entry = |said: &Said| entry("Id", said, "Code", "Message");
    json_reply(
        200,
        format!("{{\"Successful\":[{}],\"Failed\":[{}]}}", join(good(said), entry), join(bad(said), entry)),
    )
}

fn put(ids: &[String]) -> Ask {
    let records: Vec<_> = ids.iter().map(|id| json!({ "Data": "eA==", "PartitionKey": id })).collect();
    let body = json!({ "StreamName": "s", "Records": records });
    let mut ask = json_call("POST", "kinesis.us-east-1.amazonaws.com", "/", body);
    ask.headers =
        vec![("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "Kinesis_20131202.PutRecords")];
    ask
}

fn records(said: &[Said]) -> Told {
    // No sequence number is 0, which would be none.
    let numbered = |said: &Said| Said { id: format!("49{}", said.id), ..said.clone() };
    let list =
        join(said.iter(), |said| entry("SequenceNumber", &numbered(said), "ErrorCode", "ErrorMessage"));
    json_reply(200, format!("{{\"FailedRecordCount\":{},\"Records\":[{list}]}}", bad(said).count()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn delete(keys: &[String]) -> Ask {
    let objects: String =
        keys.iter().map(|key| format!("<Object><Key>{}</Key></Object>", escaped(key))).collect();
    let body = format!("<Delete>{objects}</Delete>");
    let headers = vec![("content-type", "application/xml")];
    Ask {
        method: "POST",
        host: "b.s3.us-east-1.amazonaws.com",
        path: "/",
        query: "delete".to_owned(),
        headers,
        body,
    }
}

fn xml(said: &[Said]) -> Told {
    let element = |said: &Said| match said.bad {
        None => format!("<Deleted><Key>{}</Key></Deleted>", escaped(&said.id)),
        Some(code) => {
            format!("<Error><Key>{}</Key><Code>{code}</Code><Message>no</Message></Error>", escaped(&said.id))
        }
    };
    let list: String = said.iter().map(element).collect();
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult>{list}</DeleteResult>");
    Told { status: 200, media_type: "application/xml", body }
}
