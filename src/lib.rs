//! onevelope: one envelope for every cloud's batch answer.
//!
//! The modules stand in the order of a request's way: [`json_text`] is shared by reader and writer, then
//! `decode → envelope → profile → request` are dry (no I/O, no clock).

pub mod admin;
pub mod body;
pub mod cli;
pub mod config;
pub mod decode;
pub mod envelope;
pub mod events;
pub mod gateway;
mod json_text;
pub mod listen;
pub mod message;
pub mod observe;
pub mod profile;
pub mod reply;
pub mod request;
pub mod route;
pub mod run;
pub mod upstream;
