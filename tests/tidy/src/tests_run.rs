//! No test is switched off, and none has a second try.

use crate::sources::Source;

/// Where the runner is configured.
const RUNNER: &str = ".config/nextest.toml";

/// Tests that do not run, and a runner that tries again.
pub fn violations(sources: &[Source]) -> Vec<String> {
    let rust = sources.iter().filter(|source| source.is("rs"));
    let mut found: Vec<String> = rust.flat_map(switched_off).collect();
    match sources.iter().find(|source| source.path == RUNNER) {
        Some(runner) if has_one_try(&runner.text) => {}
        _ => found.push(format!("{RUNNER} must say `retries = 0` in every profile")),
    }
    found
}

fn switched_off(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    let off = lines.filter(|(_, line)| line.trim_start().starts_with("#[ignore"));
    off.map(|(at, _)| format!("{}:{} switches a test off", source.path, at + 1)).collect()
}

fn has_one_try(runner: &str) -> bool {
    let Ok(runner) = runner.parse::<toml::Table>() else { return false };
    let profiles = runner.get("profile").and_then(toml::Value::as_table);
    profiles.is_some_and(|profiles| {
        let mut tries = profiles.values().map(|profile| profile.get("retries"));
        tries.all(|retries| retries == Some(&toml::Value::Integer(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_switched_off_is_found() {
        let runner = Source::new(RUNNER, "[profile.default]\nretries = 0\n");
        let off = Source::new("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}\n");

        assert_eq!(violations(&[runner, off]), ["a.rs:2 switches a test off"]);
    }

    #[test]
    fn a_second_try_is_found() {
        assert!(has_one_try("[profile.default]\nretries = 0\n"));
        assert!(!has_one_try("[profile.default]\nretries = 1\n"));
        assert!(!has_one_try("[profile.default]\nretries = 0\n[profile.ci]\nretries = 2\n"));
        assert!(!has_one_try(""));
    }
}
