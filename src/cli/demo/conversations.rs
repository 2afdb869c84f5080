//! What the demo asks and what the fake vendors reply: raw HTTP messages beside this file.

use crate::message::Message;

/// One request and its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversation {
    /// Route and prefix.
    pub(super) name: &'static str,
    pub(super) vendor: &'static str,
    /// What is asked, for people.
    pub(super) what: &'static str,
    request: &'static str,
    reply: &'static str,
}

macro_rules! conversation {
    ($name:literal, $vendor:literal, $what:literal) => {
        Conversation {
            name: $name,
            vendor: $vendor,
            what: $what,
            request: include_str!(concat!("conversations/", $name, ".request.http")),
            reply: include_str!(concat!("conversations/", $name, ".reply.http")),
        }
    };
}

pub(super) const CONVERSATIONS: &[Conversation] = &[
    conversation!("huawei", "huawei", "reset three servers' passwords; the vendor lists only what failed"),
    conversation!("tencent", "tencent", "stop three servers; HTTP 200, code 5400, a map by id"),
    conversation!("alibaba", "alibaba", "start three servers; HTTP 200, a code for each"),
    conversation!("aws-s3", "aws", "delete two objects, quietly; XML, failures only"),
    conversation!("aws-sqs", "aws", "delete two messages; two lists"),
    conversation!("azure", "azure", "delete two blobs; multipart, HTTP 202 whatever happened"),
];

impl Conversation {
    pub(super) fn request(&self) -> Result<Message, String> {
        Message::parse(self.request.as_bytes()).map_err(|cause| cause.to_string())
    }

    pub(super) fn reply(&self) -> Result<Message, String> {
        Message::parse(self.reply.as_bytes()).map_err(|cause| cause.to_string())
    }
}
