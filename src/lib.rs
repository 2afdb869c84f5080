//! onevelope: one envelope for every cloud's batch answer.
//!
//! `ARCHITECTURE.md` lists the modules in the order of a request's way. `decode`, `envelope`, `profile`, `request`, `judge`,
//! `reply`, `explain` and `adversary` are dry: no I/O, no clock.

pub mod admin;
pub mod adversary;
pub mod body;
pub mod cli;
pub mod config;
pub mod decode;
pub mod envelope;
pub mod events;
pub mod explain;
pub mod gateway;
mod json_text;
pub mod judge;
pub mod listen;
pub mod message;
pub mod observe;
pub mod profile;
pub mod reply;
pub mod request;
pub mod route;
pub mod run;
pub mod upstream;
