//! Logs: what the program says of itself while it runs, on standard error.
//!
//! `HEADROOM_LOG` chooses lines by their level and origin, like `warn,headroom=info` (what holds without it) or
//! `warn,headroom=info,headroom::access=warn` (the same without a line for each request).
//!
//! The invariant: nothing here ends the program, wherever the log goes; a log that nobody reads is no reason not to answer.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

const DEFAULT: &str = "warn,headroom=info";

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// For programs: an object a line
    Json,
}

/// Starts the log of the process.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("HEADROOM_LOG").unwrap_or_else(|_unset| EnvFilter::new(DEFAULT));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(format == LogFormat::Text && std::io::stderr().is_terminal())
        // Whoever complains about a closed standard error on standard error dies of it.
        .log_internal_errors(false);
    let started = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "there is a log already");
    }
}
