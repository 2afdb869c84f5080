//! `onevelope serve`: the gateway.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{self, Config};
use crate::gateway::Source;
use crate::observe::{LogFormat, start_log};
use crate::profile::ProfileSet;
use crate::run;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration file; without it: the public hosts of every built-in vendor, on 127.0.0.1:8080
    #[arg(long, short, value_name = "FILE", env = "ONEVELOPE_CONFIG")]
    config: Option<PathBuf>,
    /// Log lines: human on a terminal and JSON otherwise, unless said
    #[arg(long, value_enum, default_value = "auto")]
    log_format: LogFormat,
    /// Threads that serve; 1 fits a sidecar. Default: the machine's
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
}

pub(super) fn run(args: &Args) -> u8 {
    let (config, profiles, source) = match read(args.config.as_ref()) {
        Ok(read) => read,
        Err(code) => return code,
    };
    start_log(args.log_format);
    let Some(runtime) = runtime(args.workers) else { return 1 };
    runtime.block_on(async {
        match run::start(config, Arc::new(profiles), source).await {
            Ok(running) => {
                for (name, address) in running.listeners() {
                    let name = if name.is_empty() { "default" } else { name };
                    tracing::info!(listener = name, address = %address, "listening");
                }
                tracing::info!(admin = %running.admin_address(), version = env!("CARGO_PKG_VERSION"), commit = env!("ONEVELOPE_COMMIT"), "onevelope is up");
                running.serve(run::termination()).await;
                0
            }
            Err(what) => {
                super::say(&format!("onevelope: {what}"));
                super::CONFIG
            }
        }
    })
}

/// The configuration and its profiles, or the exit code after every problem has been said.
pub(super) fn read(file: Option<&PathBuf>) -> Result<(Config, ProfileSet, Source), u8> {
    match file {
        Some(path) => match config::load(path) {
            Ok((config, profiles)) => Ok((config, profiles, Source::File(path.clone()))),
            Err(problems) => {
                super::say(&problems.to_string());
                Err(super::CONFIG)
            }
        },
        None => {
            let profiles = super::load_profiles(None)?;
            match config::with_environment(&config::embedded(&profiles)) {
                Ok(config) => Ok((config, profiles, Source::Embedded)),
                Err(problems) => {
                    super::say(&problems.to_string());
                    Err(super::CONFIG)
                }
            }
        }
    }
}

pub(super) fn runtime(workers: Option<usize>) -> Option<tokio::runtime::Runtime> {
    // With both providers compiled in, rustls has no default; said once, here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // One thread needs no scheduler that could hand work to others.
    let mut builder = match workers {
        Some(0 | 1) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if let Some(workers) = workers.filter(|workers| *workers > 1) {
        builder.worker_threads(workers);
    }
    match builder.enable_all().build() {
        Ok(runtime) => Some(runtime),
        Err(cause) => {
            super::say(&format!("onevelope: no runtime: {cause}"));
            None
        }
    }
}
