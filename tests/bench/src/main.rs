//! Benchmarks: product and control, in turns, on one machine, in one run.
//!
//! ```text
//! bench submit     accepted messages per second and CPU per message, against the smallest program that honestly does the same
//! ```
//!
//! Every part of a run is a process of its own, so that each one's CPU time can be told apart: the [control] or the
//! [product] as the server, the [load] as the other provider that sends, the [sink] as the one that is notified. All are
//! this program again, under names that the usage does not show. `docs/operating/performance.md` says what a figure
//! means and what it was.

mod cli;
mod control;
mod cpu;
mod fault;
mod founding;
mod https;
mod limits;
mod load;
mod messages;
mod papers;
mod part;
mod product;
mod provider;
mod report;
mod sink;
mod submit;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::fault::Outcome;
use crate::report::say;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&format!("bench: {fault}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    match command {
        Command::Submit(plan) => runtime.block_on(submit::run(&plan)),
        Command::Control(part) => runtime.block_on(control::run(&part)),
        Command::Product(part) => runtime.block_on(product::run(&part)),
        Command::Sink(part) => runtime.block_on(sink::run(&part)),
        Command::Load(part) => runtime.block_on(load::run(&part)),
    }
}
