//! The project's own commands.
//!
//! ```text
//! cargo xtask ci             everything that must hold before a change is taken, as CI runs it
//! cargo xtask servers        install what the end-to-end tests run against, and nothing else
//! cargo xtask bench <name>   run a benchmark of tests/bench, optimised
//! cargo xtask simulate       run seeds of tests/simulation, optimised: --seeds 20000 [--from N], or --seed N
//! cargo xtask crash          kill two providers again and again: --rounds 2000 --seed 7
//! ```

mod ci;
mod console;
mod servers;
mod step;
mod tools;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use console::say;
use step::{Failed, run};

const USAGE: &str = "cargo xtask ci | servers | bench <name> [args] | simulate [args] | crash [args]";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ci"] => ci::run(&repository()),
        ["servers"] => servers::install(&repository()).map(drop),
        ["bench", ref rest @ ..] if !rest.is_empty() => bench(&repository(), rest),
        ["simulate", ref rest @ ..] => optimised(&repository(), "simulation", rest),
        ["crash", ref rest @ ..] => crash(&repository(), rest),
        _ => Err(Failed(USAGE.to_owned())),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why)) => {
            say(&format!("xtask: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn optimised(repository: &Path, package: &str, args: &[&str]) -> Result<(), Failed> {
    let mut cargo = cargo(repository);
    run(cargo.args(["run", "--release", "--package", package, "--"]).args(args))
}

fn bench(repository: &Path, args: &[&str]) -> Result<(), Failed> {
    with_binary(repository, "release", "bench", args)
}

fn crash(repository: &Path, args: &[&str]) -> Result<(), Failed> {
    with_binary(repository, "crash", "crash", args)
}

/// Runs a program built together with the binary that it starts, which would else be built with other features once more.
fn with_binary(repository: &Path, profile: &str, package: &str, args: &[&str]) -> Result<(), Failed> {
    let mut cargo = cargo(repository);
    run(cargo.args(["build", "--profile", profile, "--package", package, "--package", "drawbridge"]))?;
    let built = ci::target(repository).join(profile);
    let mut program = Command::new(built.join(package));
    run(program.args(args).env("DRAWBRIDGE_BIN", built.join("drawbridge")).current_dir(repository))
}

/// The cargo that runs us, at the root of the repository.
fn cargo(repository: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository);
    cargo
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}
