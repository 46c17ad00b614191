//! `drawbridge demo`: two providers in processes of their own, and two people who talk.
//!
//! [`stage`] makes the providers as an operator would, [`provider`] runs them, [`journal`] reads their logs, [`screen`]
//! shows them, [`people`] talk, [`prompt`] lets a person talk for them, [`summary`] says what came of it.

mod journal;
mod limits;
mod people;
mod prompt;
mod provider;
mod screen;
mod stage;
mod step;
mod summary;

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{Broken, DemoArgs};
use journal::Journal;
use people::People;
use provider::Providers;
use screen::Screen;
use stage::Stage;
use summary::Summary;
use tokio_util::sync::CancellationToken;

/// Why the demo ended before its time, in plain lines.
type Broke = String;

/// What the two say to each other.
const LINES: [(Speaker, &str); 6] = [
    (Speaker::Alice, "Hello Bob! Does this reach you?"),
    (Speaker::Bob, "It does. Where are you writing from?"),
    (Speaker::Alice, "From a.example, and you from b.example. Neither sees the other's database."),
    (Speaker::Bob, "And what goes over the wire between them?"),
    (Speaker::Alice, "MLS ciphertext, over HTTPS with certificates on both sides 🔒"),
    (Speaker::Bob, "Then let us stay in touch."),
];

/// What is told when nothing broke but somebody's patience.
const INTERRUPTED: &str = "interrupted";

/// How many of them are said before b.example is stopped on purpose.
const LINES_BEFORE_THE_STOP: usize = 2;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaker {
    Alice,
    Bob,
}

/// Runs the demo; fails if anything said was not heard, once and in order.
pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|fault| format!("no threads: {fault}"))?;
    let folder = tempfile::Builder::new().prefix("drawbridge-demo-").tempdir();
    let folder = folder.map_err(|fault| format!("no folder for the two providers: {fault}"))?;
    let played = runtime.block_on(play(args, folder.path()));
    // What broke without being asked to is worth a look.
    let is_strange = args.broken.is_none() && played.as_ref().is_err_and(|why| why != INTERRUPTED);
    let is_kept = args.keep || is_strange;
    let where_files_are = if is_kept {
        format!("both providers' files are kept in {}", folder.keep().display())
    } else {
        "both providers' files are removed; --keep keeps them".to_owned()
    };
    match played {
        Ok(()) => {
            crate::cli::say(&format!(" files       {where_files_are}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => Err(format!("{why}\n{where_files_are}")),
    }
}

async fn play(args: &DemoArgs, folder: &Path) -> Result<(), Broke> {
    let screen = Screen::default();
    screen.heading("two providers, a.example and b.example, each with keys, roots and a database of its own");
    let stage = Stage::build(folder)?;
    if args.broken == Some(Broken::Certificate) {
        stage.break_certificate()?;
        screen.heading("broken on purpose: b.example shows a certificate of a strange authority");
    }
    let journal = Journal::new(screen.clone());
    let interrupted = interruption();
    let mut providers = Providers::start(&stage, &journal)?;
    let talked = tokio::select! {
        // First, for at the prompt Ctrl-C is a way to say that it is enough.
        biased;
        talked = perform(args, &stage, &mut providers, &journal, &interrupted) => talked,
        () = interrupted.cancelled() => Err(INTERRUPTED.to_owned()),
    };
    // Before anything is reported, so that nobody is left behind whatever happened.
    providers.stop().await;
    Summary::gather(&talked?, &stage).await?.show(&screen)
}

/// Tells that somebody pressed Ctrl-C. One listener tells all, for two would not hear it at the same moment.
fn interruption() -> CancellationToken {
    let interrupted = CancellationToken::new();
    let told = interrupted.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.cancel();
        }
    });
    interrupted
}

/// The conversation; returns the two when they are done.
async fn perform(
    args: &DemoArgs,
    stage: &Stage,
    providers: &mut Providers,
    journal: &Journal,
    interrupted: &CancellationToken,
) -> Result<People, Broke> {
    let screen = journal.screen();
    providers.ready(journal).await?;
    screen.heading("alice, at home at a.example, opens a chat with bob@b.example");
    let mut people = People::arrive(stage).await?;
    people.open().await?;
    for (said, (speaker, text)) in LINES.into_iter().enumerate() {
        if args.broken == Some(Broken::Provider) && said == LINES_BEFORE_THE_STOP {
            screen.heading("broken on purpose: b.example is stopped");
            providers.stop_b().await;
        }
        let heard = people.exchange(speaker, text, screen).await;
        heard.map_err(|silence| explain(speaker, &silence, journal))?;
    }
    if args.once {
        return Ok(people);
    }
    tokio::select! {
        biased;
        talked = prompt::talk(&mut people, screen, interrupted) => talked?,
        ended = providers.ended() => return Err(format!("{ended} has ended unexpectedly")),
    }
    Ok(people)
}

/// What broke, in two plain lines.
fn explain(speaker: Speaker, silence: &people::Silence, journal: &Journal) -> Broke {
    let (from, to) = match speaker {
        Speaker::Alice => ("alice's", "bob at b.example"),
        Speaker::Bob => ("bob's", "alice at a.example"),
    };
    let why = journal.last_fault().unwrap_or_else(|| "neither provider logged a fault".to_owned());
    format!("{to} did not hear {from} message: {silence}\nlast fault: {why}")
}
