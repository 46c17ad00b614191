//! The demo as README starts it: the built binary, two provider processes, loopback.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Runs the demo with its files in a folder of its own.
fn demo(args: &[&str], scratch: &Path, input: Stdio) -> io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drawbridge"));
    command.arg("demo").args(args).env("TMPDIR", scratch).stdin(input).output()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn two_providers_talk_and_everything_arrives_once_and_in_order() {
    let scratch = tempfile::tempdir().unwrap();

    let output = demo(&["--once"], scratch.path(), Stdio::null()).unwrap();

    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{errors}\n{told}");
    assert_eq!(errors, "");
    for line in [
        "alice → bob 3, bob → alice 3: all arrived once and in order",
        "a.example: 1 room, ",
        "b.example: 1 room, ",
        "end to end (MLS) between the two gateways",
        "both providers' files are removed",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    for endpoint in ["keyMaterial", "submitMessage", "notify"] {
        assert!(told.contains(endpoint), "{endpoint} was not seen in\n{told}");
    }
    assert_eq!(scratch.path().read_dir().unwrap().count(), 0);
}

#[test]
fn with_a_piped_conversation_each_line_is_said_by_whom_it_names() {
    let scratch = tempfile::tempdir().unwrap();
    let lines = scratch.path().join("lines");
    std::fs::write(&lines, "one more from alice\nbob: and one from bob\n/quit\nnever said\n").unwrap();

    let input = std::fs::File::open(&lines).unwrap();
    let output = demo(&[], scratch.path(), input.into()).unwrap();

    let told = text(&output.stdout);
    assert!(output.status.success(), "{}\n{told}", text(&output.stderr));
    assert!(told.contains("bob        hears “one more from alice”"), "{told}");
    assert!(told.contains("alice      hears “and one from bob”"), "{told}");
    assert!(!told.contains("never said"));
    assert!(told.contains("alice → bob 4, bob → alice 4: all arrived once and in order"), "{told}");
}

#[test]
fn ctrl_c_at_the_prompt_ends_with_the_summary_and_leaves_nothing_behind() {
    let scratch = tempfile::tempdir().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_drawbridge"))
        .arg("demo")
        .env("TMPDIR", scratch.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);

    assert!(lines.any(|line| line.starts_with("── now you: ")));
    kill_process(Pid::from_child(&demo), Signal::INT).unwrap();
    let told: Vec<String> = lines.collect();

    assert!(demo.wait().unwrap().success(), "{told:?}");
    assert!(told.iter().any(|line| line.contains("all arrived once and in order")), "{told:?}");
    assert_eq!(scratch.path().read_dir().unwrap().count(), 0);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told_in_plain_lines() {
    let scratch = tempfile::tempdir().unwrap();

    let output = demo(&["--once", "--broken", "certificate"], scratch.path(), Stdio::null()).unwrap();

    let errors = text(&output.stderr);
    assert!(!output.status.success(), "{}", text(&output.stdout));
    assert!(errors.contains("bob at b.example did not hear alice's message"), "{errors}");
    assert!(errors.contains("a.example asked b.example for keyMaterial: no answer"), "{errors}");
    assert!(errors.contains("b.example did not prove who it is"), "{errors}");
    assert!(errors.lines().count() <= 3, "{errors}");
}

#[test]
fn a_provider_that_is_gone_is_told_in_plain_lines() {
    let scratch = tempfile::tempdir().unwrap();

    let output = demo(&["--once", "--broken", "provider"], scratch.path(), Stdio::null()).unwrap();

    let errors = text(&output.stderr);
    assert!(!output.status.success(), "{}", text(&output.stdout));
    assert!(errors.contains("bob at b.example did not hear alice's message"), "{errors}");
    assert!(errors.contains("a.example asked b.example for notify: no answer"), "{errors}");
    assert!(errors.lines().count() <= 3, "{errors}");
}
