//! `bench all`: each benchmark in turn, and what they said put into the page that tells of it.
//!
//! In the page the output of `bench submit` stands between the lines `<!-- bench submit -->` and `<!-- end -->`, fenced;
//! so do the others'. Nothing else of the page is touched: what the figures mean is for people to say.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::cli::All;
use crate::fault::Outcome;
use crate::report::say;

/// In the order of the page.
const BENCHMARKS: [&str; 8] =
    ["submit", "submit --store postgres", "fanout", "commit", "bridge", "latency", "links", "peers"];

/// Runs all; the page is written after each, so that a run that is cut short leaves what it has measured.
pub(crate) fn run(all: &All) -> Outcome<()> {
    let mut failed = Vec::new();
    for name in BENCHMARKS {
        say(&format!("== bench {name}"));
        // What others measure does not depend on it, and the page keeps what it has.
        let Ok(said) = one(name, all.plan.rounds) else {
            failed.push(name);
            continue;
        };
        let page = fs::read_to_string(&all.page)?;
        fs::write(&all.page, replaced(&page, name, &said)?)?;
    }
    if !failed.is_empty() {
        return Err(
            format!("failed: {}; the page has no figures of this run for it", failed.join(", ")).into()
        );
    }
    say(&format!(
        "The figures in {} are those of this run; see that its words still fit.",
        all.page.display()
    ));
    Ok(())
}

/// Runs one as a process of its own; what it said, which is shown meanwhile.
fn one(name: &str, rounds: usize) -> Outcome<String> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(name.split(' ')).args(["--rounds", &rounds.to_string()]).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let out = child.stdout.take().ok_or("a benchmark has no standard output")?;
    let mut said = String::new();
    for line in BufReader::new(out).lines() {
        let line = line?;
        say(&line);
        said.push_str(line.trim_end());
        said.push('\n');
    }
    if child.wait()?.success() { Ok(said) } else { Err(format!("bench {name} failed").into()) }
}

/// The page with this output in the place of the one that it had.
fn replaced(page: &str, name: &str, said: &str) -> Outcome<String> {
    let begin = format!("<!-- bench {name} -->\n");
    let place = format!("the page has no place for bench {name}");
    let (before, rest) = page.split_once(&begin).ok_or(place.as_str())?;
    let (_, after) = rest.split_once("<!-- end -->").ok_or(place.as_str())?;
    Ok(format!("{before}{begin}```text\n{said}```\n<!-- end -->{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let page = "a\n<!-- bench x -->\nold\n<!-- end -->\nb\n<!-- bench y -->\nkept\n<!-- end -->\n";

        let written = replaced(page, "x", "new\n").unwrap();

        assert_eq!(
            written,
            "a\n<!-- bench x -->\n```text\nnew\n```\n<!-- end -->\nb\n<!-- bench y -->\nkept\n<!-- end -->\n"
        );
        assert_eq!(replaced(&written, "x", "new\n").unwrap(), written);
        assert!(replaced(page, "z", "new\n").is_err());
    }

    #[test]
    fn the_page_has_a_place_for_each() {
        let page = include_str!("../../../docs/operating/performance.md");

        for name in BENCHMARKS {
            assert!(replaced(page, name, "new\n").is_ok(), "{name}");
        }
    }
}
