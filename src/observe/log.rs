//! Logs: human on a terminal, JSON lines otherwise.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Human on a terminal, else JSON.
    Auto,
    Human,
    Json,
}

/// Starts logging to standard error. `ONEVELOPE_LOG` sets levels as `RUST_LOG` does elsewhere; default `info`.
pub fn start_log(format: LogFormat) {
    let filter =
        EnvFilter::try_from_env("ONEVELOPE_LOG").unwrap_or_else(|_| EnvFilter::new("info,async_nats=warn"));
    let terminal = std::io::stderr().is_terminal();
    let human = format == LogFormat::Human || (format == LogFormat::Auto && terminal);
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start (tests) changes nothing.
    let _ = if human {
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        builder.with_ansi(colour).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
}
