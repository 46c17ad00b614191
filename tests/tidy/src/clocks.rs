//! The pure crates are told the time: they read no clock of their own.

use crate::{sources::Source, walls::PURE, workspace::Workspace};

/// The ways to read a clock.
const READINGS: &[&str] = &["SystemTime::now", "Instant::now", "UNIX_EPOCH.elapsed", "Utc::now", "now_utc("];

/// Every clock that is read outside tests in a pure crate.
pub fn violations(workspace: &Workspace, sources: &[Source]) -> Vec<String> {
    let pure = workspace.members.iter().filter(|member| PURE.contains(&member.name.as_str()));
    let roots: Vec<String> = pure.map(|member| format!("{}/src/", member.path)).collect();
    let files = sources.iter().filter(|it| it.is("rs") && roots.iter().any(|root| it.path.starts_with(root)));
    files.flat_map(readings).collect()
}

fn readings(source: &Source) -> Vec<String> {
    let lines = source.product_lines().into_iter();
    let read = lines.filter(|(_, line)| READINGS.iter().any(|reading| line.contains(reading)));
    read.map(|(at, line)| format!("{}:{at} reads a clock: {}", source.path, line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::samples::workspace;

    #[test]
    fn a_clock_in_a_pure_crate_is_found_and_elsewhere_is_not() {
        let workspace =
            workspace(&[("hub/room", "mimi-room", &[]), ("hub/server", "mimi-server", &["tokio"])]);
        let text = "fn f() {\n    let now = SystemTime::now();\n}\n";
        let in_a_test = format!("#[cfg(test)]\nmod tests {{\n{text}}}\n");
        let sources = [
            Source::new("hub/room/src/submit.rs", text),
            Source::new("hub/room/src/update.rs", &in_a_test),
            Source::new("hub/room/tests/long.rs", text),
            Source::new("hub/server/src/clock.rs", text),
        ];

        let found = violations(&workspace, &sources);

        assert_eq!(found, ["hub/room/src/submit.rs:2 reads a clock: let now = SystemTime::now();"]);
    }
}
