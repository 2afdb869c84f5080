//! onevelope: one envelope for every cloud's batch answer.
//!
//! The modules stand in the order of a request's way: [`json_text`] is shared by reader and writer, then
//! `decode → envelope → profile → request` are dry (no I/O, no clock).

pub mod decode;
pub mod envelope;
mod json_text;
pub mod profile;
pub mod request;
pub mod message;
pub mod reply;
pub mod cli;
pub mod config;
pub mod route;
pub mod body;
pub mod observe;
pub mod upstream;
pub mod admin;
pub mod gateway;
pub mod listen;
pub mod run;
