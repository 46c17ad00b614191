//! A person types, and Alice or Bob says it.

use std::io::{self, BufRead};

use mimi_adapter_loopback::EventKind;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::limits::DELIVERY_TIME_MAX;
use super::people::{Heard, People};
use super::screen::Screen;
use super::{Broke, Speaker};

/// The prompt.
const PROMPT: &str = "alice> ";

/// Lines that were typed and not yet said: nobody types faster than they are taken.
const TYPED_MAX: usize = 16;

/// What a typed line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Typed<'a> {
    Say(Speaker, &'a str),
    Nothing,
    Quit,
}

/// Lets a person talk until `/quit`, Ctrl-C or the end of the input; what is under way then still arrives.
pub(super) async fn talk(
    people: &mut People,
    screen: &Screen,
    interrupted: &CancellationToken,
) -> Result<(), Broke> {
    screen.gap();
    screen.heading("now you: a line is said by alice; “bob: …” by bob; /quit or Ctrl-C ends");
    let mut lines = typed();
    screen.prompt(Some(PROMPT));
    let ended = tokio::select! {
        ended = talk_on(people, screen, &mut lines) => ended,
        () = interrupted.cancelled() => Ok(()),
    };
    screen.prompt(None);
    ended?;
    // What does not arrive is told by the summary.
    drop(timeout(DELIVERY_TIME_MAX, arrive(people, screen)).await);
    Ok(())
}

async fn talk_on(
    people: &mut People,
    screen: &Screen,
    lines: &mut mpsc::Receiver<String>,
) -> Result<(), Broke> {
    loop {
        tokio::select! {
            line = lines.recv() => match line.as_deref().map_or(Typed::Quit, read) {
                Typed::Say(speaker, text) => {
                    screen.said(speaker, text);
                    people.say(speaker, text).await?;
                }
                Typed::Nothing => screen.prompt(Some(PROMPT)),
                Typed::Quit => return Ok(()),
            },
            heard = people.next_heard() => show(heard, screen)?,
        }
    }
}

async fn arrive(people: &mut People, screen: &Screen) -> Result<(), Broke> {
    while !people.has_heard_all() {
        let heard = people.next_heard().await;
        show(heard, screen)?;
    }
    Ok(())
}

fn show(heard: io::Result<Heard>, screen: &Screen) -> Result<(), Broke> {
    let Heard { listener, event, took } =
        heard.map_err(|fault| format!("a native network is gone: {fault}"))?;
    let text = event.text.unwrap_or_default();
    match event.kind {
        EventKind::Message => screen.heard(listener, &text, took),
        EventKind::Notice => screen.trouble("notice", &text),
        EventKind::Opened
        | EventKind::Joined
        | EventKind::Left
        | EventKind::Removed
        | EventKind::Banned
        | EventKind::Unbanned
        | EventKind::Role
        | EventKind::Title
        | EventKind::Topic
        | EventKind::Progress => {}
    }
    Ok(())
}

fn read(line: &str) -> Typed<'_> {
    let line = line.trim();
    if line == "/quit" {
        return Typed::Quit;
    }
    let (speaker, text) = match line.strip_prefix("bob:") {
        Some(text) => (Speaker::Bob, text.trim()),
        None => (Speaker::Alice, line),
    };
    if text.is_empty() { Typed::Nothing } else { Typed::Say(speaker, text) }
}

/// What is typed. A thread reads it, for a read that nobody answers must not keep the demo from ending.
fn typed() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(TYPED_MAX);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_alices_unless_it_says_otherwise() {
        assert_eq!(read("hello\n"), Typed::Say(Speaker::Alice, "hello"));
        assert_eq!(read("bob: hi "), Typed::Say(Speaker::Bob, "hi"));
        assert_eq!(read("I met bob: he is well"), Typed::Say(Speaker::Alice, "I met bob: he is well"));
        assert_eq!(read("  \n"), Typed::Nothing);
        assert_eq!(read("bob:"), Typed::Nothing);
        assert_eq!(read("/quit\n"), Typed::Quit);
    }
}
