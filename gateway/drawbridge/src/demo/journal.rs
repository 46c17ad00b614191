//! What both providers log: shown as it comes, and remembered where it explains something.

use std::sync::{Arc, Mutex, PoisonError};

use mimi_uri::Domain;
use tokio::sync::watch;

use super::screen::Screen;
use super::step::{Direction, Exchange, LogLine};

/// The journal of both providers. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    screen: Screen,
    ready: watch::Sender<Vec<Domain>>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    /// The last request that a provider sent and that did not succeed.
    failed: Option<(Domain, Exchange)>,
    /// The last thing that a provider said did not work.
    trouble: Option<(Domain, String)>,
    /// The last words that are no log line.
    words: Option<(Domain, String)>,
}

impl Journal {
    /// An empty journal.
    pub(super) fn new(screen: Screen) -> Self {
        Self { screen, ready: watch::Sender::default(), memory: Arc::default() }
    }

    /// Where it is shown.
    pub(super) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// Takes in a line of a provider's log.
    pub(super) fn take(&self, provider: &Domain, line: &str) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match LogLine::read(line) {
            LogLine::Exchange(exchange) => {
                self.screen.exchange(provider.as_str(), &exchange);
                if exchange.direction == Direction::Sent && !exchange.succeeded() {
                    memory.failed = Some((provider.clone(), exchange));
                }
            }
            LogLine::Event(text) => self.screen.event(provider.as_str(), &text),
            LogLine::Ready => {
                self.screen.event(provider.as_str(), "is ready");
                self.ready.send_modify(|ready| ready.push(provider.clone()));
            }
            LogLine::Trouble(text) => {
                // The same fault again and again is one fault.
                if memory.trouble.as_ref().is_none_or(|(_, before)| *before != text) {
                    self.screen.trouble(provider.as_str(), &text);
                }
                memory.trouble = Some((provider.clone(), text));
            }
            LogLine::Words(text) => memory.words = Some((provider.clone(), text)),
            LogLine::Other => {}
        }
    }

    /// Waits until both are ready.
    pub(super) async fn both_ready(&self) {
        let mut ready = self.ready.subscribe();
        // Fails only if the journal is gone, and this is it.
        drop(ready.wait_for(|ready| ready.len() >= 2).await);
    }

    /// What most likely stands behind a failure: the last request without success and the last fault.
    pub(super) fn last_fault(&self) -> Option<String> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = memory.failed.as_ref().map(|(provider, exchange)| {
            let answer =
                exchange.status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
            format!("{provider} asked {} for {}: {answer}", exchange.with, exchange.endpoint)
        });
        let trouble = memory.trouble.as_ref().map(|(provider, text)| format!("{provider} says: {text}"));
        match (failed, trouble) {
            (Some(failed), Some(trouble)) => Some(format!("{failed}; {trouble}")),
            (Some(one), None) | (None, Some(one)) => Some(one),
            (None, None) => None,
        }
    }

    /// What a process that did not start said.
    pub(super) fn last_words(&self, of: &Domain) -> Option<String> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.words.as_ref().filter(|(provider, _)| provider == of).map(|(_, words)| words.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_explained_by_the_endpoint_and_the_last_fault() {
        let journal = Journal::new(Screen::default());
        let (a, b) = (Domain::parse("a.example").unwrap(), Domain::parse("b.example").unwrap());
        let nothing_yet = journal.last_fault();

        journal.take(
            &a,
            r#"{"target":"drawbridge::step","fields":{"endpoint":"notify","to":"b.example","status":201}}"#,
        );
        journal.take(&a, r#"{"target":"drawbridge::step","fields":{"endpoint":"notify","to":"b.example"}}"#);
        journal.take(&a, r#"{"target":"x","level":"DEBUG","fields":{"fault":"connection refused"}}"#);
        journal.take(&b, "drawbridge: in use");

        assert_eq!(nothing_yet, None);
        assert_eq!(
            journal.last_fault().as_deref(),
            Some("a.example asked b.example for notify: no answer; a.example says: connection refused")
        );
        assert_eq!(journal.last_words(&b).as_deref(), Some("drawbridge: in use"));
        assert_eq!(journal.last_words(&a), None);
    }
}
