//! The binary as people and scripts use it: exit codes, what goes to which stream, and the words.

mod adversary; // profiles test against changed replies
mod check; // every problem of a configuration
mod conversations; // normalize and explain
mod memory; // what a running gateway holds
mod profiles; // list, show, test
mod run; // the binary
mod schema; // what files may say
mod secrets; // nowhere but in their own answers
mod serve; // signals and logs
