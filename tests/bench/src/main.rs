//! Benchmarks: product and control, in turns, on one machine, in one run.
//!
//! ```text
//! bench submit     accepted messages per second and CPU per message, against the smallest program that honestly does the same;
//!                  with --store postgres over PostgreSQL
//! bench fanout     a backlog that is delivered to a follower, per second and CPU per event, against the least that could
//! bench commit     what a commit in a room of 1,000 members costs its hub
//! bench bridge     what a message costs the gateway in a room with 1, 100 and 1,000 hosted users
//! bench latency    what a message's way through two gateways takes, over its durable commits
//! bench links      memory and start with 10,000 chats in which nothing happens
//! bench peers      accepted messages beside Synapse, Prosody and ejabberd
//! bench all        all of these, and their figures put into docs/operating/performance.md
//! ```
//!
//! Every part of a run is a process of its own, so that each one's CPU time can be told apart: the [control] or the
//! [product] as the server, the [load] as the other provider that sends, the [sink] as the one that is notified. All are
//! this program again, under names that the usage does not show. `docs/operating/performance.md` says what a figure
//! means and what it was.

mod all;
mod bridge;
mod cli;
mod commit;
mod control;
mod cpu;
mod database;
mod fanout;
mod fault;
mod founding;
mod https;
mod large_room;
mod latency;
mod limits;
mod links;
mod load;
mod messages;
mod papers;
mod part;
mod peers;
mod product;
mod provider;
mod report;
mod sink;
mod sites;
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
        Command::Fanout(plan) => runtime.block_on(fanout::run(&plan)),
        Command::Courier(part) => runtime.block_on(control::courier::run(&part)),
        Command::Bridge(plan) => runtime.block_on(bridge::run(&plan)),
        Command::Latency(plan) => runtime.block_on(latency::run(&plan)),
        Command::Links(plan) => runtime.block_on(links::run(&plan)),
        Command::Peers(plan) => runtime.block_on(peers::run(&plan)),
        Command::All(all) => all::run(&all),
        Command::Commit(plan) => runtime.block_on(commit::run(&plan)),
        Command::Control(part) => runtime.block_on(control::run(&part)),
        Command::Product(part) => runtime.block_on(product::run(&part)),
        Command::Sink(part) => runtime.block_on(sink::run(&part)),
        Command::Load(part) => runtime.block_on(load::run(&part)),
    }
}
