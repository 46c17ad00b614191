use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::servers::repository;

/// The `drawbridge` binary under test: `DRAWBRIDGE_BIN` where `cargo xtask ci` has built it, else built now.
///
/// Building when nothing changed costs a glance of cargo's, and a test can never meet yesterday's binary.
#[track_caller]
pub fn drawbridge() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("DRAWBRIDGE_BIN").map_or_else(build, PathBuf::from)).clone()
}

/// Asks cargo to build the binary, and which file it is.
#[track_caller]
fn build() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--package", "drawbridge", "--bin", "drawbridge", "--message-format", "json"])
        .current_dir(repository())
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("cargo: {error}"));
    assert!(output.status.success(), "the drawbridge binary does not build");
    executable(&String::from_utf8_lossy(&output.stdout))
        .unwrap_or_else(|| panic!("cargo named no executable of drawbridge"))
}

/// The executable in cargo's messages, one JSON object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "drawbridge")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_the_libraries() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"mimi_wire"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"drawbridge"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"drawbridge"},"executable":"/t/debug/drawbridge"}
{"reason":"build-finished","success":true}"#;

        let found = executable(messages);

        assert_eq!(found, Some(PathBuf::from("/t/debug/drawbridge")));
    }
}
