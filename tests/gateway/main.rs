//! The gateway over real sockets on 127.0.0.1: a fake vendor behind it, a client with its own bytes in front.

mod passthrough; // bytes through, both ways
mod support;
