//! Where the log goes: standard error, for people or for machines.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::cli::LogFormat;

/// Starts logging; what is logged is said by `RUST_LOG`, and is `info` without it.
pub(crate) fn start(format: LogFormat) -> Result<(), String> {
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(&text).map_err(|why| {
            format!("{}: {why}; write info, or info,mimi_server=debug", EnvFilter::DEFAULT_ENV)
        })?,
        Ok(_) | Err(_) => EnvFilter::new("info"),
    };
    let log = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let started = match format {
        LogFormat::Human => log.try_init(),
        LogFormat::Json => log.json().with_ansi(false).try_init(),
    };
    started.map_err(|fault| fault.to_string())
}
