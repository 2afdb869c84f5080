//! Tells the binary which commit it is of, where that is known.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-env-changed=ONEVELOPE_COMMIT");
    println!("cargo:rerun-if-changed=config/profiles");
    let given = option_env("ONEVELOPE_COMMIT").filter(|commit| !commit.is_empty());
    let commit = given.or_else(git_commit).unwrap_or_else(|| "unknown commit".to_owned());
    println!("cargo:rustc-env=ONEVELOPE_COMMIT={commit}");
}

fn option_env(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

fn git_commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let commit = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| commit.trim().to_owned())
}
