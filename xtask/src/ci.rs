//! Everything that must hold before a change is taken.
//!
//! The cheap checks come first, the tests last, so that their summary is the last thing a reader sees before the table
//! of steps.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    cargo,
    console::say,
    servers,
    step::{self, Ending, Failed, Steps},
    tools,
};

const STEPS: usize = 8;

/// Runs all steps and tells how they went.
pub(crate) fn run(repository: &Path) -> Result<(), Failed> {
    let mut steps = Steps::new(STEPS);
    let outcome = all(repository, &mut steps);
    say(&format!("\n{}", steps.table()));
    outcome
}

/// Runs all steps, to the end or to the first that fails.
fn all(repository: &Path, steps: &mut Steps) -> Result<(), Failed> {
    steps.step("fmt", || done(cargo(repository).args(["fmt", "--all", "--check"])))?;
    steps.step("clippy", || {
        let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        done(cargo(repository).args(clippy))
    })?;
    steps.step("doc", || {
        let doc = ["doc", "--workspace", "--no-deps"];
        done(cargo(repository).args(doc).env("RUSTDOCFLAGS", "--deny warnings"))
    })?;
    steps.step("deny", || deny(repository))?;
    let mut python = PathBuf::new();
    steps.step("servers", || {
        python = servers::install(repository)?;
        Ok(Ending::Done)
    })?;
    steps.step("runner", || Ok(runner(repository)))?;
    // With the features of the whole workspace, as the tests are built: once, not twice.
    steps.step("binary", || done(cargo(repository).args(["build", "--workspace", "--bin", "drawbridge"])))?;
    steps.step("tests", || done(tests(repository).env("DRAWBRIDGE_TEST_PYTHON", &python)))
}

fn done(command: &mut Command) -> Result<Ending, Failed> {
    step::run(command).map(|()| Ending::Done)
}

/// Bans, licences and sources; not the advisories, which need a network that a build must not need.
fn deny(repository: &Path) -> Result<Ending, Failed> {
    if !tools::has_cargo_subcommand(repository, "deny") {
        return Ok(Ending::Skipped("cargo-deny is not installed"));
    }
    let check = ["deny", "--config", ".deny.toml", "check", "bans", "licenses", "sources"];
    done(cargo(repository).args(check))
}

fn runner(repository: &Path) -> Ending {
    match tools::install_nextest(repository) {
        Ok(()) => Ending::Done,
        Err(_) => Ending::Skipped("cargo-nextest cannot be installed; cargo test stands in"),
    }
}

fn tests(repository: &Path) -> Command {
    let mut tests = cargo(repository);
    if tools::has_cargo_subcommand(repository, "nextest") {
        tests.args(["nextest", "run", "--workspace"]);
    } else {
        tests.args(["test", "--workspace"]);
    }
    tests.env("DRAWBRIDGE_BIN", target(repository).join("debug/drawbridge"));
    tests
}

/// Where cargo puts what it builds.
pub(crate) fn target(repository: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository.join("target"), PathBuf::from)
}
