//! Crates depend downwards.
//!
//! Policy and adapters know nobody, hub knows policy, gateway knows everyone, tests judge. A crate may use what stands
//! in an earlier row, never what stands in its own or a later one; what only its tests use is free.

use crate::workspace::Workspace;

/// The rows, lowest first. The names of things stand below all; the tests above all, and they may use each other.
const LEVELS: &[&[&str]] = &[
    &["mimi-uri"],
    &["mimi-room-policy", "mimi-edge-policy", "mimi-content", "mimi-mls"],
    &["mimi-wire", "mimi-adapter"],
    &[
        "mimi-room",
        "mimi-client",
        "mimi-transport",
        "mimi-adapter-loopback",
        "mimi-adapter-matrix",
        "mimi-adapter-xmpp",
    ],
    &["mimi-store"],
    &["mimi-store-sqlite", "mimi-store-postgres", "mimi-server", "mimi-bridge"],
    &["drawbridge"],
    TESTS,
];

const TESTS: &[&str] = &["tidy", "conformance", "end-to-end", "simulation", "bench", "crash", "xtask"];

/// What points upwards, and who stands nowhere.
pub fn violations(workspace: &Workspace) -> Vec<String> {
    let mut found = Vec::new();
    for member in &workspace.members {
        let Some(level) = level(&member.name) else {
            found.push(format!("{} stands in no row of the table of levels", member.name));
            continue;
        };
        for need in workspace.needs_of_ours(member) {
            let among_tests = TESTS.contains(&need.name.as_str()) && TESTS.contains(&member.name.as_str());
            if self::level(&need.name).is_some_and(|below| below >= level) && !among_tests {
                found.push(format!("{} uses {}, which does not stand below it", member.name, need.name));
            }
        }
    }
    for name in LEVELS.iter().copied().flatten().filter(|name| workspace.member(name).is_none()) {
        found.push(format!("{name} stands in the table of levels but is no member"));
    }
    found
}

fn level(name: &str) -> Option<usize> {
    LEVELS.iter().position(|row| row.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::samples::workspace;

    /// The violations about crates that the sample has.
    fn among(members: &[(&str, &str, &[&str])]) -> Vec<String> {
        let all = violations(&workspace(members));
        all.into_iter().filter(|line| !line.ends_with("is no member")).collect()
    }

    #[test]
    fn a_crate_may_use_a_lower_one_and_not_a_higher_one() {
        let room = ("hub/room", "mimi-room", ["mimi-wire"].as_slice());

        assert_eq!(among(&[room, ("hub/wire", "mimi-wire", &["serde"])]), [""; 0]);
        assert_eq!(
            among(&[room, ("hub/wire", "mimi-wire", &["mimi-room"])]),
            ["mimi-wire uses mimi-room, which does not stand below it"]
        );
    }

    #[test]
    fn two_crates_of_one_row_do_not_know_each_other_but_tests_may() {
        let server = ("hub/server", "mimi-server", ["mimi-bridge"].as_slice());

        assert_eq!(
            among(&[server, ("gateway/bridge", "mimi-bridge", &[])]),
            ["mimi-server uses mimi-bridge, which does not stand below it"]
        );
        assert_eq!(
            among(&[("tests/bench", "bench", &["end-to-end"]), ("tests/e", "end-to-end", &[])]),
            [""; 0]
        );
    }

    #[test]
    fn a_crate_outside_the_table_is_found_and_a_row_without_a_crate_too() {
        let found = violations(&workspace(&[("hub/extra", "mimi-extra", &[])]));

        assert!(found.contains(&"mimi-extra stands in no row of the table of levels".to_owned()));
        assert!(found.contains(&"drawbridge stands in the table of levels but is no member".to_owned()));
    }
}
