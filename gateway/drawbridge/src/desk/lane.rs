//! `drawbridge lane`: what waits, and for what.

use std::path::Path;
use std::process::ExitCode;

use super::ask::{Asked, ask};
use super::queues::Listed;
use super::table::{ago, aligned, now_ms, until};
use super::{Answer, Question};
use crate::cli::{self, LaneArgs, LaneCommand};

/// Lists, explains or resumes.
pub(crate) fn run(config: &Path, args: &LaneArgs) -> Result<ExitCode, String> {
    match (&args.command, &args.id) {
        (Some(LaneCommand::Resume { id }), _) => resume(config, id),
        (None, Some(id)) => explain(config, id, args.json),
        (None, None) => list(config, args.json),
    }
}

fn list(config: &Path, json: bool) -> Result<ExitCode, String> {
    let (queues, is_running) = queues(config)?;
    if json {
        cli::say_json(&queues)?;
        return Ok(ExitCode::SUCCESS);
    }
    if queues.is_empty() {
        cli::say("nothing waits");
    } else {
        let now_ms = now_ms();
        let rows: Vec<Vec<String>> = queues.iter().map(|listed| row(listed, now_ms)).collect();
        let heading = ["lane", "holds", "whose", "waiting", "oldest", "state", "next try", "why"];
        for line in aligned(&heading, &rows) {
            cli::say(&line);
        }
    }
    note_stopped(is_running);
    Ok(ExitCode::SUCCESS)
}

fn explain(config: &Path, id: &str, json: bool) -> Result<ExitCode, String> {
    let (queues, is_running) = queues(config)?;
    let Some(listed) = queues.into_iter().find(|listed| listed.id == id) else {
        return Err(format!("no lane {id} has anything waiting; `drawbridge lane` lists those that have"));
    };
    if json {
        cli::say_json(&listed)?;
        return Ok(ExitCode::SUCCESS);
    }
    let now_ms = now_ms();
    let count = match listed.waiting {
        1 => "1 waits".to_owned(),
        more => format!("{more} wait"),
    };
    cli::say(&format!("{}  {}", listed.kind, listed.about));
    cli::say(&format!("  {count}, the oldest for {}", ago(listed.oldest_ms, now_ms)));
    cli::say(&format!(
        "  {}: {}",
        listed.state.name(),
        listed.why.as_deref().unwrap_or("nothing is in its way")
    ));
    if listed.since_ms.is_some() {
        cli::say(&format!("  nothing got through for {}", ago(listed.since_ms, now_ms)));
    }
    if listed.next_ms.is_some() {
        cli::say(&format!("  tried again {}", until(listed.next_ms, now_ms)));
    }
    for message in &listed.set_aside {
        let when = ago(Some(message.at_ms), now_ms);
        cli::say(&format!(
            "  went on without event {}: the follower said {}, {when} ago",
            message.seq, message.status
        ));
    }
    note_stopped(is_running);
    Ok(ExitCode::SUCCESS)
}

fn resume(config: &Path, id: &str) -> Result<ExitCode, String> {
    let Asked { answer, is_running } = ask(config, &Question::Hurry { id: id.to_owned() })?;
    match answer {
        Answer::Hurried(Some(listed)) if is_running => {
            cli::say(&format!("{} is tried again now", listed.about));
            Ok(ExitCode::SUCCESS)
        }
        Answer::Hurried(Some(_)) => {
            Err("no provider runs here; everything is tried again when one starts".to_owned())
        }
        _ => Err(format!("no lane {id} has anything waiting; `drawbridge lane` lists those that have")),
    }
}

fn queues(config: &Path) -> Result<(Vec<Listed>, bool), String> {
    let Asked { answer, is_running } = ask(config, &Question::Queues)?;
    match answer {
        Answer::Queues(queues) => Ok((queues, is_running)),
        _ => Err("the answer is to another question".to_owned()),
    }
}

fn row(listed: &Listed, now_ms: u64) -> Vec<String> {
    let why = match (&listed.why, listed.set_aside.len()) {
        (Some(why), _) => why.clone(),
        (None, 0) => String::new(),
        (None, 1) => "went on without 1 message".to_owned(),
        (None, more) => format!("went on without {more} messages"),
    };
    vec![
        listed.id.clone(),
        listed.kind.clone(),
        listed.about.clone(),
        listed.waiting.to_string(),
        ago(listed.oldest_ms, now_ms),
        listed.state.name().to_owned(),
        until(listed.next_ms, now_ms),
        why,
    ]
}

/// Why things wait, only a running provider knows.
fn note_stopped(is_running: bool) {
    if !is_running {
        cli::say("(no provider runs here: this is what the database holds)");
    }
}
