//! The command line: one file per command. Standard output is data, standard error is talk.

mod adversary; // the cases' replies, changed
mod cases; // a profile's own conversations
mod check;
mod client; // HTTP to the admin port
mod conversation;
mod demo; // request and reply files → envelope
mod explain;
mod normalize;
mod profiles;
mod replay; // events on disk, once more
mod schema;
mod serve;
mod tap;
mod terminal; // a screen of one's own
mod top;

pub use cases::{Case, CaseResult, find_cases};

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Usage error, as in sysexits.h.
pub const USAGE: u8 = 64;
/// Configuration error, as in sysexits.h.
pub const CONFIG: u8 = 78;

const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("ONEVELOPE_COMMIT"), ")");

const EXAMPLES: &str = "Examples:
  onevelope demo                                          see it work: fake vendors, one shape, metrics
  onevelope serve --config onevelope.toml                 run the gateway
  onevelope check --config onevelope.toml                 say every problem of a configuration
  onevelope normalize --request req.http --reply rep.http  one conversation, offline
  onevelope explain --request req.http --reply rep.http    the same, and why
  onevelope profiles --profiles mine test cases            your profiles' cases, and the adversary against them

Exit codes: 0 good, 1 the batch did not wholly succeed (or a case failed), 2 not recognised,
64 wrong usage, 78 bad configuration.";

#[derive(Debug, Parser)]
#[command(name = "onevelope", version = LONG_VERSION, after_help = EXAMPLES)]
#[command(about = "One envelope for every cloud's batch answer")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See it work: fake vendors, a partly failing batch to each, one shape
    Demo(demo::Args),
    /// Run the gateway
    Serve(serve::Args),
    /// Say every problem of a configuration, or print the routes it makes
    Check(check::Args),
    /// Turn a captured request and reply into the envelope
    Normalize(conversation::Args),
    /// Turn a captured request and reply into the envelope, and say which rule read what
    Explain(explain::Args),
    /// List, show and test profiles
    Profiles(profiles::Args),
    /// Failing resources and vendors, live in the terminal (JSON lines elsewhere)
    Top(top::Args),
    /// Batches and failed verdicts as they happen
    Tap(tap::Args),
    /// Send the events of a spool once more: to standard output or to NATS
    Replay(replay::Args),
    /// Print a JSON Schema: envelope, config or profile
    Schema(schema::Args),
}

/// Runs the command line and gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(cause) => {
            let code = if cause.use_stderr() { USAGE } else { 0 };
            // Nothing is left to tell anyone when even this cannot be written.
            let _ = cause.print();
            return ExitCode::from(code);
        }
    };
    let code = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Normalize(args) => normalize::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Profiles(args) => profiles::run(&args),
        Command::Top(args) => top::run(&args),
        Command::Tap(args) => tap::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Schema(args) => schema::run(&args),
    };
    ExitCode::from(code)
}

/// Says something to a person, on standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes data to standard output. A closed pipe ends the output, not in a panic.
pub(crate) fn put(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Loads profiles; on failure says every problem.
pub(crate) fn load_profiles(folder: Option<&std::path::Path>) -> Result<crate::profile::ProfileSet, u8> {
    crate::profile::load(folder).map_err(|cause| {
        say(&cause.to_string());
        CONFIG
    })
}
