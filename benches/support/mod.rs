//! What the benches share: conversations of any size, a clock that compares fairly, and tables.
#![allow(dead_code, reason = "each bench is a crate of its own and uses a part")]

pub mod clock; // fair comparison
pub mod conversations; // batches of any size
pub mod table; // numbers for people
