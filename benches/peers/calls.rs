//! The rows of the table: what is asked, what the vendor replies, and what a right answer looks like.

use bytes::Bytes;
use http::HeaderMap;
use onevelope::message::Message;
use serde_json::Value;

use crate::Failure;
use crate::support::conversations::{
    Conversation, huawei_done, huawei_failed, shuffled, tencent, tencent_in,
};

/// A request and its reply as the bytes that go over the wire.
#[derive(Clone, Debug)]
pub struct Call {
    pub name: &'static str,
    /// Resources asked; the reply names as many.
    pub n: usize,
    pub request: Bytes,
    pub reply: Bytes,
    pub request_body: usize,
    pub reply_body: Bytes,
    /// Resources that failed; nothing for a call that nobody translates.
    failed: Option<usize>,
}

/// Which calls there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Form in; a `detail` map by id out, every tenth failed
    Tencent,
    /// The same with ids in no order, which the reply keeps
    TencentShuffled,
    /// Ids in no order, and the reply in another
    TencentApart,
    /// JSON in; a `response[]` list of what was done out
    HuaweiDone,
    /// JSON in; an `internalError[]` list of what failed out
    HuaweiFailed,
    /// The Tencent form on a path where no batch is asked
    OtherPath,
    /// JSON on a path where no batch is asked
    OtherJson,
    /// A Tencent form whose action no profile knows: only its body tells
    OtherAction,
}

/// What is neither a batch nor translated has one size.
const OTHER: usize = 10;

impl Kind {
    /// The rows of one kind.
    pub fn rows(self, sizes: &[usize]) -> Vec<Call> {
        let each = |name, make: fn(usize) -> Conversation| {
            sizes.iter().map(|&n| Call::batch(name, make(n))).collect()
        };
        // One alone has no order.
        let in_disorder = |name, make: fn(usize) -> Conversation| {
            sizes.iter().filter(|&&n| n > 1).map(|&n| Call::batch(name, make(n))).collect()
        };
        match self {
            Self::Tencent => each("Tencent `detail`", tencent),
            Self::TencentShuffled => in_disorder("Tencent, shuffled", |n| {
                let order = shuffled(n, 1);
                tencent_in(&order, &order)
            }),
            Self::TencentApart => {
                in_disorder("Tencent, orders differ", |n| tencent_in(&shuffled(n, 1), &shuffled(n, 2)))
            }
            Self::HuaweiDone => each("Huawei `response[]`", huawei_done),
            Self::HuaweiFailed => each("Huawei `internalError[]`", huawei_failed),
            Self::OtherPath => vec![Call::other("not recognised: path", tencent(OTHER), |request| {
                request.target = "/v2/other".to_owned();
            })],
            Self::OtherJson => vec![Call::other("not recognised: JSON", huawei_done(OTHER), |request| {
                request.method = Some(http::Method::POST);
                request.target = "/v1/other".to_owned();
            })],
            Self::OtherAction => vec![Call::other("not recognised: action", tencent(OTHER), |request| {
                let body = String::from_utf8_lossy(&request.body).replace("StopInstances", "Unheard");
                request.body = body.into_bytes();
            })],
        }
    }
}

impl Call {
    pub fn batch(name: &'static str, talk: Conversation) -> Self {
        Self::new(name, talk.asked, &talk.request, talk.reply.body, Some(talk.failed))
    }

    fn other(name: &'static str, mut talk: Conversation, change: fn(&mut Message)) -> Self {
        change(&mut talk.request);
        Self::new(name, OTHER, &talk.request, br#"{"code":0,"message":"","total":10}"#.to_vec(), None)
    }

    fn new(name: &'static str, n: usize, request: &Message, reply: Vec<u8>, failed: Option<usize>) -> Self {
        let method = request.method.as_ref().map_or("GET", http::Method::as_str);
        let head = format!("{method} {} HTTP/1.1\r\n", request.target);
        let (request_body, reply_body) = (request.body.len(), Bytes::from(reply));
        let request = on_the_wire(&head, &request.headers, &request.body);
        let json = [(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))];
        let reply = on_the_wire("HTTP/1.1 200 OK\r\n", &HeaderMap::from_iter(json), &reply_body);
        Self { name, n, request, reply, request_body, reply_body, failed }
    }

    /// Whether an answer is what its target is there to give: nobody is measured on an error path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, translates: bool, status: u16, body: &[u8]) -> Result<(), Failure> {
        let Some(failed) = self.failed.filter(|_| translates) else {
            let same = status == 200 && body == &self.reply_body[..];
            return if same { Ok(()) } else { Err(self.wrong(status, body)) };
        };
        let answer: Value = serde_json::from_slice(body).map_err(|_| self.wrong(status, body))?;
        let results = answer["results"].as_array().ok_or_else(|| self.wrong(status, body))?;
        let counted = results.iter().filter(|result| result["outcome"] == "failed").count();
        match (results.len(), counted) == (self.n, failed) {
            true => Ok(()),
            false => Err(self.wrong(status, body)),
        }
    }

    fn wrong(&self, status: u16, body: &[u8]) -> Failure {
        let start = String::from_utf8_lossy(&body[..body.len().min(600)]);
        format!("{}, {} resources: wrong answer {status}: {start}", self.name, self.n).into()
    }
}

/// Head and body in one piece.
fn on_the_wire(start: &str, headers: &HeaderMap, body: &[u8]) -> Bytes {
    let mut out = start.as_bytes().to_vec();
    for (name, value) in headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(body);
    Bytes::from(out)
}
