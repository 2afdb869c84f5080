//! `onevelope schema`: JSON Schemas for editors and checkers.

use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(value_enum, default_value = "envelope")]
    what: What,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    Envelope,
    Config,
    Profile,
}

pub(super) fn run(args: &Args) -> u8 {
    let text = match args.what {
        What::Envelope => crate::envelope::SCHEMA,
        What::Config => include_str!("../../docs/config.schema.json"),
        What::Profile => include_str!("../../docs/profile.schema.json"),
    };
    super::put(text.trim_end());
    0
}
