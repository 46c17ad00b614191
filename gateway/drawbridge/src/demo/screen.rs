//! The terminal: aligned lines, colours where there are any, and a prompt below them.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

use super::Speaker;
use super::step::{Direction, Exchange};

const FAINT: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const PROVIDER: Style = AnsiColor::Cyan.on_default();
const ALICE: Style = AnsiColor::Yellow.on_default().bold();
const BOB: Style = AnsiColor::Magenta.on_default().bold();

/// The terminal. Clones write to the same.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    started: Instant,
    prompt: Arc<Mutex<Option<&'static str>>>,
}

impl Default for Screen {
    fn default() -> Self {
        Self { started: Instant::now(), prompt: Arc::default() }
    }
}

impl Screen {
    /// A line that says what follows.
    pub(super) fn heading(&self, text: &str) {
        self.line(&format!("{BOLD}── {text}{BOLD:#}"));
    }

    /// A request between the providers, as one of them logged it.
    pub(super) fn exchange(&self, provider: &str, exchange: &Exchange) {
        let (arrow, tone) = match exchange.direction {
            Direction::Sent => ("──▶", Style::new()),
            Direction::Received => ("◀──", FAINT),
        };
        let colour = if exchange.succeeded() { GOOD } else { BAD };
        let status = exchange.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let millis = exchange.millis.map(|millis| format!("{millis:>5} ms")).unwrap_or_default();
        let events = match exchange.events {
            None => String::new(),
            Some(1) => "  1 event".to_owned(),
            Some(more) => format!("  {more} events"),
        };
        let (with, endpoint) = (&exchange.with, &exchange.endpoint);
        self.timed(&format!(
            "{PROVIDER}{provider:<10}{PROVIDER:#} {tone}{arrow} {with:<10} {endpoint:<16}{tone:#} \
             {colour}{status:>4}{colour:#} {tone}{millis}{events}{tone:#}"
        ));
    }

    /// Something that happened at a provider.
    pub(super) fn event(&self, provider: &str, text: &str) {
        self.timed(&format!("{PROVIDER}{provider:<10}{PROVIDER:#} {text}"));
    }

    /// Something that did not work at a provider.
    pub(super) fn trouble(&self, provider: &str, text: &str) {
        self.timed(&format!("{PROVIDER}{provider:<10}{PROVIDER:#} {BAD}{text}{BAD:#}"));
    }

    /// Somebody says something.
    pub(super) fn said(&self, speaker: Speaker, text: &str) {
        let (name, colour) = named(speaker);
        self.timed(&format!("{colour}{name:<10}{colour:#} says  “{text}”"));
    }

    /// Somebody hears something; with how long it took, if that was measured.
    pub(super) fn heard(&self, listener: Speaker, text: &str, took: Option<Duration>) {
        let (name, colour) = named(listener);
        let took = took.map(|took| format!("  {GOOD}{}{GOOD:#}", millis(took))).unwrap_or_default();
        self.timed(&format!("{colour}{name:<10}{colour:#} hears “{text}”{took}"));
    }

    /// A line of the summary.
    pub(super) fn summary(&self, title: &str, text: &str) {
        self.line(&format!(" {BOLD}{title:<11}{BOLD:#} {text}"));
    }

    /// An empty line.
    pub(super) fn gap(&self) {
        self.line("");
    }

    /// Shows a prompt below everything, until it is taken away.
    pub(super) fn prompt(&self, prompt: Option<&'static str>) {
        if !std::io::stdout().is_terminal() {
            return;
        }
        let mut shown = self.prompt.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = prompt;
        write(&format!("{CLEAR}{}", prompt.unwrap_or_default()));
    }

    fn timed(&self, text: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.line(&format!("{FAINT}{seconds:>7.3}{FAINT:#}  {text}"));
    }

    fn line(&self, text: &str) {
        let shown = self.prompt.lock().unwrap_or_else(PoisonError::into_inner);
        match *shown {
            Some(prompt) => write(&format!("{CLEAR}{text}\n{prompt}")),
            None => write(&format!("{text}\n")),
        }
    }
}

/// Back to the beginning of a line, and nothing in it.
const CLEAR: &str = "\r\u{1b}[2K";

fn write(text: &str) {
    let mut out = anstream::stdout().lock();
    // A terminal that is gone is no reason to stop.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn named(speaker: Speaker) -> (&'static str, Style) {
    match speaker {
        Speaker::Alice => ("alice", ALICE),
        Speaker::Bob => ("bob", BOB),
    }
}

/// A time in milliseconds, as a person reads it.
pub(super) fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1000.0)
}
