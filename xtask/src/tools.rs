//! Programs that a check needs, or can do without.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    cargo,
    step::{Failed, run},
};

/// The runner of the tests; a fixed version, so that a new one cannot turn CI red by itself.
const NEXTEST: &str = "cargo-nextest@0.9.143";

/// Whether `cargo <subcommand>` exists here.
pub(crate) fn has_cargo_subcommand(repository: &Path, subcommand: &str) -> bool {
    succeeds(cargo(repository).args([subcommand, "--version"]))
}

/// Makes sure of nextest, where it can be had.
pub(crate) fn install_nextest(repository: &Path) -> Result<(), Failed> {
    if has_cargo_subcommand(repository, "nextest") {
        return Ok(());
    }
    run(cargo(repository).args(["install", "--locked", NEXTEST]))
}

/// Whether a command runs and succeeds; what it prints is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
