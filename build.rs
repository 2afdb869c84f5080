//! Tells the binary which commit it is of, where that is known.

use std::process::Command;

fn main() {
    // The log of HEAD grows with each commit; HEAD itself only names a branch.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    println!("cargo:rerun-if-env-changed=ONEVELOPE_COMMIT");
    println!("cargo:rerun-if-changed=config/profiles");
    let given = option_env("ONEVELOPE_COMMIT").filter(|commit| !commit.is_empty());
    let commit = given
        .or_else(|| git(&["rev-parse", "--short=12", "HEAD"]))
        .unwrap_or_else(|| "unknown commit".to_owned());
    println!("cargo:rustc-env=ONEVELOPE_COMMIT={commit}");
}

fn option_env(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
