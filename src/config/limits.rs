//! `[limits]`: what one call, and all calls together, may use up.

use super::{ByteSize, Span};

/// Above a limit the vendor's bytes pass untouched and the outcome is `unknown`: never an error, never a loss.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Largest request body that is held to be read.
    pub request_body: ByteSize,
    /// Largest reply body that is held to be read, as sent.
    pub reply_body: ByteSize,
    /// Largest reply body after decompression.
    pub decoded_body: ByteSize,
    /// Most bytes out for one byte in, above 1 MiB.
    pub decompression_ratio: usize,
    /// Deepest nesting of a document.
    pub json_depth: usize,
    /// Most results of one call: asked items, what the vendor volunteers or announces, repeated statements.
    pub items: usize,
    /// Largest envelope that is written; `raw` is cut to what the results leave.
    pub envelope: ByteSize,
    /// Most bytes that all calls together may hold: bodies, what they become and are read into, asked items, envelopes until
    /// their last byte is sent, events that wait.
    pub memory: ByteSize,
    /// Most calls on their way to vendors at once, over all upstreams.
    pub in_flight: usize,
    /// Most client connections at once.
    pub connections: usize,
    /// Longest wait for a TLS handshake and the first request's head together, and for a later head from its first byte.
    pub header_timeout: Span,
    /// Longest silence inside a request's body; from then on it must also have come at 500 bytes a second on average.
    pub body_idle_timeout: Span,
    /// Longest time that a client may take none of the bytes that wait for it.
    pub write_timeout: Span,
    /// Longest time that a client's connection is kept without a request.
    pub idle_timeout: Span,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            request_body: ByteSize::mebibytes(8),
            reply_body: ByteSize::mebibytes(16),
            decoded_body: ByteSize::mebibytes(64),
            decompression_ratio: 200,
            json_depth: 128,
            items: 250_000,
            envelope: ByteSize::mebibytes(64),
            memory: ByteSize::mebibytes(512),
            in_flight: 20_000,
            connections: 10_000,
            header_timeout: Span::seconds(30),
            body_idle_timeout: Span::seconds(60),
            write_timeout: Span::seconds(60),
            idle_timeout: Span::seconds(75),
        }
    }
}
