//! `cargo xtask crash`: as many rounds as wanted, told one by one.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use crash::{Plan, Store};
use std::sync::Arc;

/// Kills two providers again and again while people talk; fails at the first message that is lost, doubled, reordered or
/// misattributed.
#[derive(Parser)]
#[command(name = "crash")]
struct Cli {
    /// Rounds that count: those in which the victim had something to lose.
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Decides who dies where; another one each time if it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// What both providers remember with.
    #[arg(long, value_enum, default_value_t = Store::Sqlite)]
    store: Store,
    /// Rounds after which both providers are made anew.
    #[arg(long, default_value_t = 100)]
    rounds_per_world: u32,
    /// Each death is a power cut: what was not synced is lost.
    #[arg(long)]
    power_cuts: bool,
    /// Pairs of providers side by side.
    #[arg(long, default_value_t = 4)]
    worlds_at_once: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { rounds, seed, store, rounds_per_world, power_cuts, worlds_at_once } = Cli::parse();
    let seed = seed.unwrap_or_else(some_seed);
    say(&format!("{rounds} rounds of seed {seed}"));
    let started = Instant::now();
    let plan = Plan { rounds, seed, store, rounds_per_world, power_cuts, worlds_at_once };
    let report = plan.run(Arc::new(say)).await;
    match report {
        Ok(report) => {
            say(&format!("{report}\nseed          {seed}\ntook          {:.0?}", started.elapsed()));
            ExitCode::SUCCESS
        }
        Err(why) => {
            say(&format!("seed {seed}, {why}"));
            ExitCode::FAILURE
        }
    }
}

fn some_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Prints a line at once. A console that is gone is no reason to stop.
fn say(line: &str) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).ok();
}
