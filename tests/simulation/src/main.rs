//! `cargo xtask simulate`: runs many seeds, or one with all that happens in it.

use std::io::{self, Write};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Parser;
use simulation::{Outcome, campaign, run};

/// How often it is told how many seeds have run.
const TOLD_EVERY: u64 = 500;

/// How many seeds one process runs. A provider that dies here leaves what a real one takes along with its process, some
/// 2 MB for each seed; so many fit into a small machine.
const SEEDS_PER_PROCESS: u64 = 1_000;

/// Runs seeds; each that fails is told with the command that runs it again.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Runs this one seed and tells all that happens in it; what the product logs follows `RUST_LOG`.
    #[arg(long)]
    seed: Option<u64>,
    /// On how many threads; on all cores if not said.
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    match args.seed {
        Some(seed) => one(seed),
        None if args.seeds > SEEDS_PER_PROCESS => in_parts(&args),
        None => many(&args),
    }
}

/// Runs this program again and again, each time for some of the seeds.
fn in_parts(args: &Args) -> io::Result<ExitCode> {
    let (mut from, end) = (args.from, args.from + args.seeds);
    let mut failed_parts = 0;
    while from < end {
        let seeds = (end - from).min(SEEDS_PER_PROCESS);
        let mut part = Command::new(std::env::current_exe()?);
        part.args(["--from", &from.to_string(), "--seeds", &seeds.to_string()]);
        part.args(args.threads.iter().flat_map(|threads| ["--threads".to_owned(), threads.to_string()]));
        failed_parts += u32::from(!part.status()?.success());
        from += seeds;
    }
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} seeds from {} in all; parts with a seed that failed: {failed_parts}",
        args.seeds, args.from
    )?;
    Ok(if failed_parts == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one(seed: u64) -> io::Result<ExitCode> {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let outcome = run(seed);
    let mut out = io::stdout().lock();
    for line in &outcome.trace {
        writeln!(out, "{line}")?;
    }
    let Outcome { messages, lasted, digest, .. } = &outcome;
    writeln!(
        out,
        "seed {seed}: {messages} messages in {} simulated s, trace {digest:016x}",
        lasted.as_secs()
    )?;
    tell(&mut out, &outcome)
}

fn many(args: &Args) -> io::Result<ExitCode> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (out, ended) = (Mutex::new(io::stdout()), AtomicU64::new(0));
    let total = campaign(args.from, args.seeds, args.threads.unwrap_or(cores), |outcome| {
        let Ok(mut out) = out.lock() else { return };
        // Told at once, for whoever watches; the exit code says it again.
        drop(tell(&mut *out, outcome));
        let ended = ended.fetch_add(1, Ordering::Relaxed) + 1;
        if ended.is_multiple_of(TOLD_EVERY) {
            drop(writeln!(out, "{ended} seeds"));
        }
    });
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} seeds from {}: {} messages in {} simulated s, {} s; {} failed",
        total.seeds,
        args.from,
        total.messages,
        total.simulated.as_secs(),
        total.took.as_secs(),
        total.failed.len()
    )?;
    Ok(if total.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What did not hold, and how to see it again.
fn tell(out: &mut impl Write, outcome: &Outcome) -> io::Result<ExitCode> {
    if outcome.violations.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "seed {} FAILED; again: cargo xtask simulate --seed {}", outcome.seed, outcome.seed)?;
    for violation in &outcome.violations {
        writeln!(out, "    {violation}")?;
    }
    out.flush()?;
    Ok(ExitCode::FAILURE)
}
