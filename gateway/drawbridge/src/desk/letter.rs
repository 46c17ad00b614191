//! `drawbridge letter`: what a native network refused, to be sent again or forgotten.

use std::path::Path;
use std::process::ExitCode;

use mimi_bridge::{LetterReport, Letters};

use super::ask::{Asked, ask};
use super::table::{ago, aligned, now_ms};
use super::{Answer, Question};
use crate::cli::{self, LetterArgs, LetterChoice, LetterCommand};

/// Lists, replays or drops.
pub(crate) fn run(config: &Path, args: &LetterArgs) -> Result<ExitCode, String> {
    match &args.command {
        None => list(config, args.show, args.json),
        Some(LetterCommand::Replay(choice)) => {
            change(config, &Question::Replay { ids: chosen(choice) }, "replayed")
        }
        Some(LetterCommand::Drop(choice)) => {
            change(config, &Question::Drop { ids: chosen(choice) }, "dropped")
        }
    }
}

fn list(config: &Path, show: bool, json: bool) -> Result<ExitCode, String> {
    let Answer::Letters(letters) = ask(config, &Question::Letters { show })?.answer else {
        return Err("the answer is to another question".to_owned());
    };
    if json {
        cli::say_json(&letters)?;
        return Ok(ExitCode::SUCCESS);
    }
    if letters.is_empty() {
        cli::say("no letters: nothing was refused");
        return Ok(ExitCode::SUCCESS);
    }
    let now_ms = now_ms();
    let mut heading = vec!["letter", "set aside", "network", "from", "to", "what", "why"];
    heading.extend(show.then_some("says"));
    let row = |letter: &LetterReport| {
        let mut row = vec![
            letter.id.clone(),
            format!("{} ago", ago(Some(letter.at_ms), now_ms)),
            letter.adapter.clone(),
            letter.from.clone(),
            letter.to.clone(),
            letter.operation.clone(),
            letter.why.clone(),
        ];
        row.extend(show.then(|| letter.text.as_deref().map_or_else(|| "-".to_owned(), one_line)));
        row
    };
    let rows: Vec<Vec<String>> = letters.iter().map(row).collect();
    for line in aligned(&heading, &rows) {
        cli::say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

fn change(config: &Path, question: &Question, done_as: &str) -> Result<ExitCode, String> {
    let Asked { answer: Answer::Changed(Letters { done, not_done }), is_running } = ask(config, question)?
    else {
        return Err("the answer is to another question".to_owned());
    };
    for id in &done {
        cli::say(&format!("{id} is {done_as}"));
    }
    for (id, why) in &not_done {
        cli::complain(&format!("{id} is not {done_as}: {why}"));
    }
    if done.is_empty() && not_done.is_empty() {
        cli::say("no letters: nothing was refused");
    } else if !is_running && !done.is_empty() && matches!(question, Question::Replay { .. }) {
        cli::say("(no provider runs here: they go out when one starts)");
    }
    Ok(if not_done.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(choice: &LetterChoice) -> Option<Vec<String>> {
    (!choice.all).then(|| choice.ids.clone())
}

/// A text as it fits a table, and does nothing to the terminal.
fn one_line(text: &str) -> String {
    text.escape_debug().to_string()
}
