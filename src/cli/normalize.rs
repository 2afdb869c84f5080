//! `onevelope normalize`: two raw messages in, the envelope out.

use super::conversation::{Args, exit_code, judge, refuse};
use crate::judge::Trace;

pub(super) fn run(args: &Args) -> u8 {
    let set = match super::load_profiles(args.profiles.as_deref()) {
        Ok(set) => set,
        Err(code) => return code,
    };
    match judge(args, &set, &mut Trace::default()) {
        Ok(judged) => {
            super::put(&String::from_utf8_lossy(&judged.json));
            exit_code(judged.outcome)
        }
        Err(cause) => refuse(&cause),
    }
}
