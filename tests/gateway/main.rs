//! The gateway over real sockets on 127.0.0.1: a fake vendor behind it, a client with its own bytes in front.

mod admin; // the operator's port
mod broken; // replies as bad as they come
mod cases; // every case of tests/profiles
mod clocks; // clients that take their time
mod drain; // SIGTERM
mod framing; // replies that could be read differently
mod kept; // connections between calls
mod limits; // bytes, items, calls and connections
mod metrics; // every verdict, once
mod modes; // envelope, observe, passthrough; what callers may ask for
mod normalise; // the envelope and its headers
mod overload; // what is not sent, and vendors that need a rest
mod passthrough; // bytes through, both ways
mod raw; // the vendor's bytes inside the envelope
mod reload; // a new configuration
mod resources; // which resources fail
mod routing; // which route, and what of the address the vendor sees
mod status; // the status line
mod strict; // requests that two parties could read differently
mod support;
mod timeouts; // late, lost and unreachable
mod tls; // both sides
