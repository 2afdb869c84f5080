//! Envelope → bytes, members in the order of `docs/envelope.md` section 2.
//!
//! Written by hand rather than through serde: strings that are still in their JSON spelling are copied as they
//! stand, the vendor's fragments are spliced in verbatim, and nothing is allocated per result.

use bytes::Bytes;

use super::strict::is_i_json;
use super::{
    Diagnostic, Envelope, Evidence, Fault, Operation, Outcome, Sources, Summary, Task, Text, VERSION, Verdict,
};
use crate::json_text::{escaped, number, string};

/// Size at which a piece of output is full.
const PIECE: usize = 64 << 10;

/// How the vendor's bytes are shown in `raw`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawEncoding {
    /// Valid I-JSON, spliced in verbatim.
    Json,
    /// Other UTF-8, as a string.
    Text,
    /// Anything else, as base64.
    Base64,
}

impl RawEncoding {
    /// How JSON text is shown: spliced in, unless a strict reader would refuse the envelope for it.
    pub fn of_json(text: &str) -> Self {
        if is_i_json(text) { Self::Json } else { Self::Text }
    }
}

/// The vendor's answer as it came, decoded from its content coding.
#[derive(Clone, Debug)]
pub struct Raw<'a> {
    pub status: Option<u16>,
    pub media_type: Option<&'a str>,
    pub encoding: RawEncoding,
    /// Already JSON, plain text or base64, as `encoding` says.
    pub body: std::borrow::Cow<'a, str>,
    /// Length of the vendor's body in bytes.
    pub bytes: usize,
    pub truncated: bool,
    /// The bytes that `body` is a part of, where they can be sent as they lie.
    pub shared: Option<Bytes>,
}

/// What `raw` takes beside its body and its media type.
const RAW_FRAME: usize = 160;

/// Size from which the vendor's bytes are sent from where they lie, instead of copied among ours.
const SHARED: usize = 16 << 10;

impl Raw<'_> {
    /// The encoding, the body and whether it is cut, such that it takes no more than `room` bytes.
    fn fitting(&self, room: usize) -> (RawEncoding, &str, bool) {
        let body = self.body.as_ref();
        let (encoding, shown) = match self.encoding {
            RawEncoding::Json if body.trim().len() <= room => return (RawEncoding::Json, body, false),
            // A part of JSON is none.
            RawEncoding::Json | RawEncoding::Text => (RawEncoding::Text, spelled_within(body, room)),
            RawEncoding::Base64 => (RawEncoding::Base64, &body[..body.len().min(room & !3)]),
        };
        (encoding, shown, shown.len() < body.len())
    }

    /// The body as a piece of its own, if it is large, JSON, and lies in bytes that can be shared.
    fn as_it_lies(&self) -> Option<Bytes> {
        let (shared, body) = (self.shared.as_ref()?, self.body.trim());
        let start = (body.as_ptr() as usize).checked_sub(shared.as_ptr() as usize)?;
        let within = start.checked_add(body.len()).is_some_and(|end| end <= shared.len());
        let fits = self.encoding == RawEncoding::Json && body.len() >= SHARED && within;
        fits.then(|| shared.slice(start..start + body.len()))
    }
}

/// The longest beginning of a text that takes no more than `room` bytes inside a JSON string.
fn spelled_within(text: &str, room: usize) -> &str {
    // The longest escape has six bytes.
    if text.len().saturating_mul(6) <= room {
        return text;
    }
    let mut taken = 0;
    let end = text.bytes().position(|byte| {
        taken += match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
            0..0x20 => 6,
            _ => 1,
        };
        taken > room
    });
    &text[..end.map_or(text.len(), |end| text.floor_char_boundary(end))]
}

/// What an envelope needs beside its verdicts to become bytes.
#[derive(Clone, Debug, Default)]
pub struct Writer<'a> {
    /// The gateway's request id.
    pub id: &'a str,
    /// Requests sent to the vendor.
    pub attempts: u32,
    pub duration_ms: u64,
    /// `Prefer: return=minimal`: results hold only what did not succeed.
    pub minimal: bool,
    pub raw: Option<Raw<'a>>,
}

impl Writer<'_> {
    /// The envelope's JSON, in pieces: a large one is never copied as a whole. `reply` is the document text that the
    /// envelope's texts point into.
    pub fn write(&self, envelope: &Envelope<'_>, reply: &str) -> Vec<Bytes> {
        self.write_within(envelope, reply, usize::MAX).unwrap_or_default()
    }

    /// The same in no more than `most` bytes: `raw` is cut to what the verdicts leave; none where they alone are more.
    pub fn write_within(&self, envelope: &Envelope<'_>, reply: &str, most: usize) -> Option<Vec<Bytes>> {
        let sources = envelope.sources(reply);
        let mut pieces = Vec::new();
        let mut written = 0;
        let raw_len = self.raw.as_ref().map_or(0, |r| r.body.len() + 128);
        let estimate = 1024 + raw_len + envelope.results.len() * 160;
        let mut out = Vec::with_capacity(estimate.min(PIECE + 1024));
        lit(&mut out, "{\"version\":\"");
        lit(&mut out, VERSION);
        lit(&mut out, "\",\"id\":\"");
        lit(&mut out, self.id);
        lit(&mut out, "\",\"outcome\":\"");
        lit(&mut out, envelope.outcome.as_str());
        lit(&mut out, "\",\"summary\":");
        summary(&mut out, &envelope.summary);
        lit(&mut out, ",\"operation\":");
        operation(&mut out, &envelope.operation);
        lit(&mut out, ",\"results\":[");
        let mut first = true;
        let mut said = Said::default();
        for verdict in &envelope.results {
            if self.minimal && verdict.outcome == Outcome::Succeeded {
                continue;
            }
            if !first {
                out.push(b',');
            }
            first = false;
            result(&mut out, verdict, &mut said, &sources);
            if out.len() >= PIECE {
                written += out.len();
                if written > most {
                    return None;
                }
                pieces.push(Bytes::from(std::mem::replace(&mut out, Vec::with_capacity(PIECE + 1024))));
            }
        }
        out.push(b']');
        if let Some(found) = &envelope.fault {
            lit(&mut out, ",\"error\":");
            fault(&mut out, found, &sources);
        }
        if let Some(found) = &envelope.task {
            lit(&mut out, ",\"task\":");
            task(&mut out, found, &sources);
        }
        self.upstream(&mut out, envelope, &sources);
        diagnostics(&mut out, &envelope.diagnostics);
        let room = most.checked_sub(written + out.len() + 1)?;
        if let Some(found) = &self.raw
            && let Some(room) =
                room.checked_sub(RAW_FRAME + found.media_type.map_or(0, |word| 2 * word.len()))
        {
            let (encoding, body, cut) = found.fitting(room);
            raw_head(&mut out, found, encoding);
            match found.as_it_lies() {
                Some(piece) if !cut => {
                    pieces.push(Bytes::from(std::mem::take(&mut out)));
                    pieces.push(piece);
                }
                _ if encoding == RawEncoding::Json => lit(&mut out, body.trim()),
                _ => string(&mut out, body),
            }
            raw_tail(&mut out, found, cut);
        }
        out.push(b'}');
        pieces.push(Bytes::from(out));
        Some(pieces)
    }

    fn upstream(&self, out: &mut Vec<u8>, envelope: &Envelope<'_>, sources: &Sources<'_>) {
        lit(out, ",\"upstream\":{");
        if let Some(status) = envelope.upstream.status {
            lit(out, "\"status\":");
            number(out, u64::from(status));
            out.push(b',');
        }
        if let Some(id) = envelope.upstream.request_id {
            lit(out, "\"request_id\":");
            text(out, id, sources);
            out.push(b',');
        }
        lit(out, "\"attempts\":");
        number(out, u64::from(self.attempts));
        lit(out, ",\"duration_ms\":");
        number(out, self.duration_ms);
        lit(out, ",\"body\":\"");
        lit(out, envelope.upstream.body.as_str());
        lit(out, "\"}");
    }
}

fn summary(out: &mut Vec<u8>, s: &Summary) {
    let members = [
        ("{\"total\":", s.total),
        (",\"succeeded\":", s.succeeded),
        (",\"accepted\":", s.accepted),
        (",\"failed\":", s.failed),
        (",\"not_attempted\":", s.not_attempted),
        (",\"unknown\":", s.unknown),
        (",\"retryable\":", s.retryable),
        (",\"inferred\":", s.inferred),
    ];
    for (name, count) in members {
        lit(out, name);
        number(out, u64::from(count));
    }
    out.push(b'}');
}

fn operation(out: &mut Vec<u8>, op: &Operation<'_>) {
    lit(out, "{\"vendor\":");
    string(out, op.vendor);
    if let Some(service) = op.service {
        lit(out, ",\"service\":");
        string(out, service);
    }
    lit(out, ",\"action\":");
    string(out, op.action);
    if let Some(region) = op.region {
        lit(out, ",\"region\":");
        string(out, region);
    }
    if let Some(kind) = op.resource_type {
        lit(out, ",\"resource_type\":");
        string(out, kind);
    }
    lit(out, ",\"selects\":");
    string(out, op.selects.as_str());
    if let Some(scope) = op.scope {
        lit(out, ",\"scope\":");
        string(out, scope);
    }
    lit(out, ",\"profile\":");
    string(out, op.profile);
    if op.dry_run {
        lit(out, ",\"dry_run\":true");
    }
    out.push(b'}');
}

/// What the last verdict without a fault and the last with one said, as it was written: in a batch most say the same.
#[derive(Default)]
struct Said([Memo; 2]);

#[derive(Default)]
struct Memo {
    of: Option<(Outcome, Evidence, Option<Fault>)>,
    text: Vec<u8>,
}

impl Said {
    /// A verdict's outcome, evidence and error.
    fn text(&mut self, v: &Verdict, sources: &Sources<'_>) -> &[u8] {
        let memo = &mut self.0[usize::from(v.fault.is_some())];
        let said = Some((v.outcome, v.evidence, v.fault));
        if memo.of != said {
            memo.of = said;
            memo.text.clear();
            memo.text.reserve(256);
            verdict(&mut memo.text, v, sources);
        }
        &memo.text
    }
}

fn verdict(out: &mut Vec<u8>, v: &Verdict, sources: &Sources<'_>) {
    lit(out, "\"outcome\":\"");
    lit(out, v.outcome.as_str());
    lit(out, "\",\"evidence\":\"");
    lit(out, v.evidence.as_str());
    out.push(b'"');
    if let Some(found) = &v.fault {
        lit(out, ",\"error\":");
        fault(out, found, sources);
    }
}

fn result(out: &mut Vec<u8>, v: &Verdict, said: &mut Said, sources: &Sources<'_>) {
    match v.index {
        Some(index) => {
            lit(out, "{\"index\":");
            number(out, u64::from(index));
            out.push(b',');
        }
        None => out.push(b'{'),
    }
    if let Some(id) = v.id {
        lit(out, "\"id\":");
        text(out, id, sources);
        out.push(b',');
    }
    if let Some(id) = v.vendor_id {
        lit(out, "\"vendor_id\":");
        text(out, id, sources);
        out.push(b',');
    }
    if let Some(key) = v.key {
        lit(out, "\"key\":");
        text(out, key, sources);
        out.push(b',');
    }
    if v.occurrence > 0 {
        lit(out, "\"occurrence\":");
        number(out, u64::from(v.occurrence));
        out.push(b',');
    }
    out.extend_from_slice(said.text(v, sources));
    if let Some(found) = &v.task {
        lit(out, ",\"task\":");
        task(out, found, sources);
    }
    if let Some(data) = v.data {
        lit(out, ",\"data\":");
        let fragment = sources.fragment(data);
        match RawEncoding::of_json(&fragment) {
            RawEncoding::Json => lit(out, &fragment),
            _ => string(out, &fragment),
        }
    }
    out.push(b'}');
}

fn fault(out: &mut Vec<u8>, f: &Fault, sources: &Sources<'_>) {
    lit(out, "{\"category\":\"");
    lit(out, f.category.as_str());
    lit(out, "\",\"origin\":\"");
    lit(out, f.origin.as_str());
    out.push(b'"');
    if let Some(code) = f.vendor_code {
        lit(out, ",\"vendor_code\":");
        text(out, code, sources);
    }
    if let Some(message) = f.message {
        lit(out, ",\"message\":");
        text(out, message, sources);
    }
    lit(out, ",\"advice\":\"");
    lit(out, f.advice.as_str());
    out.push(b'"');
    if let Some(ms) = f.retry_after_ms {
        lit(out, ",\"retry_after_ms\":");
        number(out, u64::from(ms));
    }
    out.push(b'}');
}

fn task(out: &mut Vec<u8>, t: &Task, sources: &Sources<'_>) {
    lit(out, "{\"id\":");
    text(out, t.id, sources);
    lit(out, ",\"state\":\"");
    lit(out, t.state.as_str());
    out.push(b'"');
    if let Some(state) = t.vendor_state {
        lit(out, ",\"vendor_state\":");
        text(out, state, sources);
    }
    if let Some(monitor) = t.monitor {
        lit(out, ",\"monitor\":");
        text(out, monitor, sources);
    }
    out.push(b'}');
}

fn diagnostics(out: &mut Vec<u8>, list: &[Diagnostic]) {
    lit(out, ",\"diagnostics\":[");
    for (n, d) in list.iter().enumerate() {
        lit(out, if n > 0 { ",{\"code\":\"" } else { "{\"code\":\"" });
        lit(out, d.code);
        lit(out, "\",\"message\":");
        string(out, &d.message);
        if let Some(index) = d.index {
            lit(out, ",\"index\":");
            number(out, u64::from(index));
        }
        out.push(b'}');
    }
    out.push(b']');
}

fn raw_head(out: &mut Vec<u8>, r: &Raw<'_>, encoding: RawEncoding) {
    lit(out, ",\"raw\":{");
    if let Some(status) = r.status {
        lit(out, "\"status\":");
        number(out, u64::from(status));
        out.push(b',');
    }
    if let Some(media_type) = r.media_type {
        lit(out, "\"media_type\":");
        string(out, media_type);
        out.push(b',');
    }
    let word = match encoding {
        RawEncoding::Json => "json",
        RawEncoding::Text => "text",
        RawEncoding::Base64 => "base64",
    };
    lit(out, "\"encoding\":\"");
    lit(out, word);
    lit(out, "\",\"body\":");
}

fn raw_tail(out: &mut Vec<u8>, r: &Raw<'_>, cut: bool) {
    lit(out, ",\"bytes\":");
    number(out, r.bytes as u64);
    lit(out, if r.truncated || cut { ",\"truncated\":true}" } else { ",\"truncated\":false}" });
}

#[inline]
fn lit(out: &mut Vec<u8>, s: &str) {
    out.extend_from_slice(s.as_bytes());
}

#[inline]
fn text(out: &mut Vec<u8>, t: Text, sources: &Sources<'_>) {
    let raw = sources.raw(t);
    if t.is_json() {
        out.push(b'"');
        // Only what holds escapes can hold half of a surrogate pair.
        if t.is_escaped() {
            escaped(out, raw)
        } else {
            lit(out, raw)
        }
        out.push(b'"');
    } else {
        string(out, raw);
    }
}
