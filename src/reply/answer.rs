//! A judged reply as the bytes of its envelope, within the limits of one answer.

use bytes::Bytes;

use super::{Incoming, Plain, RawPolicy, raw};
use crate::envelope::{Diagnostic, Envelope, Writer};
use crate::judge::unread;
use crate::request::Request;

/// How an envelope is to be written.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// The gateway's request id.
    pub id: &'a str,
    pub duration_ms: u64,
    pub raw: RawPolicy,
    /// `Prefer: return=minimal`.
    pub minimal: bool,
    /// Most bytes.
    pub most: usize,
    /// The vendor's bytes, where they can be sent as they lie.
    pub shared: Option<Bytes>,
}

impl Answer<'_> {
    /// Writes an envelope whose texts point into `text`; `then` gets it with its bytes. One that is larger than allowed is
    /// replaced by one that claims nothing; there are no bytes where even naming the asked items takes more.
    pub fn write<R>(
        &self,
        request: &Request,
        envelope: &Envelope<'_>,
        text: &str,
        incoming: &Incoming<'_>,
        plain: &Plain<'_>,
        then: impl FnOnce(&Envelope<'_>, &str, Option<Vec<Bytes>>) -> R,
    ) -> R {
        if let Some(pieces) = self.bytes(request, envelope, text, incoming, plain) {
            return then(envelope, text, Some(pieces));
        }
        let id = envelope.upstream.request_id.map(|id| envelope.sources(text).decode(id));
        let what = format!("the envelope would be larger than limits.envelope ({} bytes)", self.most);
        let over = unread(request, incoming.status, id.as_deref(), Diagnostic::new("body_over_limit", what));
        let pieces = self.bytes(request, &over, "", incoming, plain);
        then(&over, "", pieces)
    }

    fn bytes(
        &self,
        request: &Request,
        envelope: &Envelope<'_>,
        text: &str,
        incoming: &Incoming<'_>,
        plain: &Plain<'_>,
    ) -> Option<Vec<Bytes>> {
        let mut raw = raw(self.raw, request, envelope, incoming, plain);
        if let Some(raw) = &mut raw {
            raw.shared.clone_from(&self.shared);
        }
        let (id, duration_ms, minimal) = (self.id, self.duration_ms, self.minimal);
        Writer { id, attempts: 1, duration_ms, minimal, raw }.write_within(envelope, text, self.most)
    }
}
