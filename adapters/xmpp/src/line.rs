//! The way to the server, for all who have something to say: what is written, and what is waited for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mimi_adapter::Outcome;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::stanza_error::StanzaError;

use crate::failure;
use crate::limits::{ANSWER_TIME_MAX, OUTGOING_MAX};

/// The connection of the moment, if there is one.
#[derive(Default)]
pub(crate) struct Line {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    out: Option<mpsc::Sender<Stanza>>,
    awaited: HashMap<Awaited, oneshot::Sender<Answer>>,
}

/// By what an answer is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Awaited {
    /// The answer to a request, by its id.
    Iq(String),
    /// What comes back of a message, by its id.
    Message(String),
    /// That a room has another topic.
    Topic(BareJid),
    /// That one of ours comes into a room.
    Coming(BareJid, BareJid),
}

/// What was answered.
pub(crate) type Answer = Result<Option<Element>, Box<StanzaError>>;

/// Somebody's wait for an answer; nobody waits any more when it is dropped.
pub(crate) struct Waiting<'a> {
    line: &'a Line,
    key: Awaited,
    answer: oneshot::Receiver<Answer>,
}

impl Line {
    /// There is a connection: what is to be written on it comes out here.
    pub(crate) fn up(&self) -> mpsc::Receiver<Stanza> {
        let (out, written) = mpsc::channel(OUTGOING_MAX);
        self.state().out = Some(out);
        written
    }

    /// There is none any more, so nothing that is awaited will come.
    pub(crate) fn down(&self) {
        *self.state() = State::default();
    }

    /// Writes a stanza behind all before it.
    pub(crate) async fn send(&self, stanza: impl Into<Stanza>) -> Result<(), Outcome> {
        let out = self.state().out.clone();
        let sent = match out {
            Some(out) => out.send(stanza.into()).await.is_ok(),
            None => false,
        };
        if sent { Ok(()) } else { Err(gone()) }
    }

    /// Begins to wait; what is asked is sent afterwards, so that no answer is too early.
    pub(crate) fn await_(&self, key: Awaited) -> Waiting<'_> {
        let (sender, answer) = oneshot::channel();
        self.state().awaited.insert(key.clone(), sender);
        Waiting { line: self, key, answer }
    }

    /// Hands an answer to whoever waits for it; `false` if nobody does.
    pub(crate) fn answered(&self, key: &Awaited, answer: Answer) -> bool {
        let waiting = self.state().awaited.remove(key);
        waiting.is_some_and(|waiting| waiting.send(answer).is_ok())
    }

    /// Asks and waits for the answer, whatever it is.
    pub(crate) async fn ask(&self, iq: Iq) -> Result<Answer, Outcome> {
        let waiting = self.await_(Awaited::Iq(iq.id().to_owned()));
        self.send(iq).await?;
        waiting.answer().await
    }

    /// Waits until the other end of this ping has worked off what was sent before it. That it answers is enough: not
    /// every server knows what a ping is.
    pub(crate) async fn prove(&self, ping: Iq) -> Result<(), Outcome> {
        match self.ask(ping).await? {
            Ok(_) => Ok(()),
            Err(error) if failure::is_out_of_reach(&error) => Err(failure::outcome_of(&error)),
            Err(_) => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole values are put in and taken out, so a poisoned lock still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting<'_> {
    /// The answer.
    pub(crate) async fn answer(mut self) -> Result<Answer, Outcome> {
        match timeout(ANSWER_TIME_MAX, &mut self.answer).await {
            Ok(answer) => answer.map_err(|_| gone()),
            Err(_) => Err(Outcome::Broken { why: "the server does not answer".to_owned() }),
        }
    }

    /// The answer, if it is there.
    pub(crate) fn answer_so_far(mut self) -> Option<Answer> {
        self.answer.try_recv().ok()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.line.state().awaited.remove(&self.key);
    }
}

fn gone() -> Outcome {
    Outcome::Broken { why: "no connection to the XMPP server".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_reaches_whoever_waits_for_it_and_nobody_else() {
        let line = Line::default();
        let mut written = line.up();
        let (mine, other) = (Awaited::Iq("mine".to_owned()), Awaited::Message("mine".to_owned()));
        let waiting = line.await_(mine.clone());

        assert!(!line.answered(&other, Ok(None)));
        assert!(line.answered(&mine, Ok(None)));

        assert!(matches!(waiting.answer().await, Ok(Ok(None))));
        assert!(!line.answered(&mine, Ok(None)));
        assert!(written.try_recv().is_err());
    }

    #[tokio::test]
    async fn who_waits_when_the_connection_breaks_is_told() {
        let line = Line::default();
        let _written = line.up();
        let waiting = line.await_(Awaited::Iq("1".to_owned()));

        line.down();

        assert!(matches!(waiting.answer().await, Err(Outcome::Broken { .. })));
        assert!(matches!(
            line.send(xmpp_parsers::presence::Presence::available()).await,
            Err(Outcome::Broken { .. })
        ));
    }
}
