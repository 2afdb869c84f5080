//! `onevelope explain`: the envelope, and which rule read what.

use super::conversation::{self, exit_code, judge, refuse};
use crate::explain::{as_json, as_text};
use crate::judge::Trace;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    conversation: conversation::Args,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> u8 {
    let set = match super::load_profiles(args.conversation.profiles.as_deref()) {
        Ok(set) => set,
        Err(code) => return code,
    };
    let mut trace = Trace::on();
    match judge(&args.conversation, &set, &mut trace) {
        Ok(judged) => {
            super::put(&if args.json { as_json(&judged, &trace) } else { as_text(&judged, &trace) });
            exit_code(judged.outcome)
        }
        Err(cause) => refuse(&cause),
    }
}
