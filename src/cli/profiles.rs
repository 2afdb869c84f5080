//! `onevelope profiles`: what is known, and whether it still holds.

use std::fmt::Write;
use std::path::PathBuf;

use super::adversary;
use super::cases::find_cases;
use crate::profile::ProfileSet;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of your own profiles
    #[arg(long, value_name = "DIR", global = true)]
    profiles: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// One line for each profile: actions, source, status (the default)
    List,
    /// Print a profile's file
    Show { profile: String },
    /// Run profiles' own conversations: DIR/<vendor>/<family>/<case>/{request.http,reply.http,envelope.json}
    ///
    /// Then the adversary: each reply is changed in some thirty ways (an error put in, an id changed, the status, a count, a list,
    /// the end cut off, …) and nothing may stay good that the changed reply does not prove. A line for each verdict that
    /// does: what was changed, the verdict, and the word of the profile that mends it. Exit code 1 if anything failed.
    Test(Test),
}

#[derive(Debug, clap::Args)]
struct Test {
    #[arg(default_value = "tests/profiles")]
    dir: PathBuf,
    /// Only this profile's cases, as `vendor/family`
    #[arg(long, value_name = "PROFILE")]
    only: Option<String>,
    /// Only the cases as they are, no changed replies
    #[arg(long)]
    no_adversary: bool,
}

pub(super) fn run(args: &Args) -> u8 {
    let set = match super::load_profiles(args.profiles.as_deref()) {
        Ok(set) => set,
        Err(code) => return code,
    };
    match &args.command {
        None | Some(Command::List) => {
            super::put(&list(&set));
            0
        }
        Some(Command::Show { profile }) => match source_of(args, profile) {
            Some(text) => {
                super::put(text.trim_end());
                0
            }
            None => {
                super::say(&format!(
                    "onevelope: there is no profile {profile:?}; `onevelope profiles list` names them"
                ));
                super::USAGE
            }
        },
        Some(Command::Test(args)) => test(&set, args),
    }
}

fn source_of(args: &Args, profile: &str) -> Option<String> {
    let (vendor, family) = profile.split_once('/')?;
    crate::profile::source(args.profiles.as_deref(), vendor, family)
}

fn list(set: &ProfileSet) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{:<34} {:>7} {:<11} SOURCE", "PROFILE", "ACTIONS", "STATUS");
    for profile in set.profiles() {
        let (name, status) = (&profile.name, profile.status.as_str());
        let _ = writeln!(out, "{name:<34} {:>7} {status:<11} {}", profile.actions.len(), profile.source);
        let names: Vec<&str> = profile.actions.iter().map(|action| action.name.as_str()).collect();
        let _ = writeln!(out, "    {}", shortened(&names.join(" "), 240));
    }
    out.truncate(out.trim_end().len());
    out
}

fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let most = text.floor_char_boundary(most);
    let cut = text[..most].rfind(' ').unwrap_or(most);
    format!("{} …", &text[..cut])
}

fn test(set: &ProfileSet, args: &Test) -> u8 {
    let mut cases = match find_cases(&args.dir) {
        Ok(cases) => cases,
        Err(cause) => {
            super::say(&format!("onevelope: {cause}"));
            return super::USAGE;
        }
    };
    if let Some(only) = &args.only {
        cases.retain(|case| case.profile() == *only);
    }
    if cases.is_empty() {
        let of = args.only.as_ref().map_or(String::new(), |only| format!(" of {only}"));
        super::say(&format!("onevelope: no cases{of} below {}", args.dir.display()));
        return super::USAGE;
    }
    let mut failed = 0;
    for case in &cases {
        let result = case.run(set);
        if let Some(problem) = result.problem {
            failed += 1;
            super::put(&format!("FAIL {}\n{problem}", case.name()));
        }
    }
    let unproven = if args.no_adversary { 0 } else { adversary::run(set, &cases) };
    super::put(&format!("{} passed, {failed} failed", cases.len() - failed));
    u8::from(failed > 0 || unproven > 0)
}
