//! Steps: announced, timed, told in a table at the end.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::console::say;

/// Why a command or a step did not succeed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed(pub(crate) String);

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    /// Not possible on this machine, and not required.
    Skipped(&'static str),
}

/// A run of steps: it ends at the first that fails.
pub(crate) struct Steps {
    total: usize,
    past: Vec<(&'static str, Duration, String)>,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, past: Vec::with_capacity(total) }
    }

    /// Announces a step, does it and remembers how long it took.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<Ending, Failed>,
    ) -> Result<(), Failed> {
        say(&format!("\n=== {}/{} {name}", self.past.len() + 1, self.total));
        let started = Instant::now();
        let outcome = work();
        let ending = match &outcome {
            Ok(Ending::Done) => "ok".to_owned(),
            Ok(Ending::Skipped(why)) => format!("skipped: {why}"),
            Err(Failed(_)) => "FAILED".to_owned(),
        };
        self.past.push((name, started.elapsed(), ending));
        outcome.map(drop)
    }

    /// The table of all steps so far.
    pub(crate) fn table(&self) -> String {
        let rows = self.past.iter().map(|(name, took, ending)| row(name, *took, ending));
        let total = self.past.iter().map(|(_, took, _)| *took).sum();
        rows.chain([row("total", total, "")]).collect::<Vec<_>>().join("\n")
    }
}

fn row(name: &str, took: Duration, ending: &str) -> String {
    format!("{name:<10} {:>7.1} s  {ending}", took.as_secs_f64()).trim_end().to_owned()
}

/// Runs a command to its end, its output shown, nothing on its standard input.
pub(crate) fn run(command: &mut Command) -> Result<(), Failed> {
    let shown = shown(command);
    say(&format!("$ {shown}"));
    match command.stdin(std::process::Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed(format!("{shown}: {status}"))),
        Err(error) => Err(Failed(format!("{shown}: {error}"))),
    }
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_tells_each_step_and_how_it_ended() {
        let mut steps = Steps::new(3);
        steps.step("fmt", || Ok(Ending::Done)).unwrap();
        steps.step("deny", || Ok(Ending::Skipped("not installed"))).unwrap();
        let failed = steps.step("clippy", || Err(Failed("warnings".to_owned())));

        let table = steps.table();

        let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(failed, Err(Failed("warnings".to_owned())));
        assert_eq!(words[0], ["fmt", "0.0", "s", "ok"]);
        assert_eq!(words[1], ["deny", "0.0", "s", "skipped:", "not", "installed"]);
        assert_eq!(words[2], ["clippy", "0.0", "s", "FAILED"]);
        assert_eq!(words[3], ["total", "0.0", "s"]);
    }

    #[test]
    fn a_command_that_fails_fails_with_its_words() {
        let outcome = run(Command::new("false").arg("hope"));

        assert_eq!(outcome, Err(Failed("false hope: exit status: 1".to_owned())));
    }
}
