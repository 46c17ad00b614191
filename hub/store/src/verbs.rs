//! Verbs on their way to whoever writes: all that waits becomes one group, and so one commit.

use std::collections::HashSet;

use mimi_uri::RoomUri;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::limits::{APPENDED_ROOMS_HELD_MAX, GROUP_BYTES_MAX, GROUP_VERBS_MAX, VERBS_WAITING_MAX};
use crate::{Batch, Claim, Decide, RowChange, StoreFault};

/// One of the three verbs of a [`Store`](crate::Store).
#[derive(Debug)]
pub enum Verb {
    /// What a room decided.
    Decide(Decide),
    /// `KeyPackages` handed out.
    Claim(Claim),
    /// Everything else.
    Record(Batch),
}

/// A verb was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// The answer that a claim found, given to the same request before.
    pub first_answer: Option<Vec<u8>>,
}

/// Where callers leave their verbs and hear what became of them.
#[derive(Debug)]
pub struct Verbs {
    waiting: mpsc::Sender<Message>,
    appended: broadcast::Sender<RoomUri>,
}

/// What waits, for the one that writes.
#[derive(Debug)]
pub struct VerbGroups {
    waiting: mpsc::Receiver<Message>,
    appended: broadcast::Sender<RoomUri>,
}

/// Verbs to be stored in one transaction, and who waits for them.
#[derive(Debug)]
pub struct VerbGroup {
    verbs: Vec<Verb>,
    callers: Vec<oneshot::Sender<Result<Stored, StoreFault>>>,
    appended: broadcast::Sender<RoomUri>,
}

#[derive(Debug)]
enum Message {
    Store(Verb, oneshot::Sender<Result<Stored, StoreFault>>),
    /// Take nothing more, store what waits, and end.
    Close,
}

impl Verbs {
    /// A way from callers to the one that writes.
    pub fn new() -> (Self, VerbGroups) {
        let (sender, waiting) = mpsc::channel(VERBS_WAITING_MAX);
        let (appended, _) = broadcast::channel(APPENDED_ROOMS_HELD_MAX);
        (Self { waiting: sender, appended: appended.clone() }, VerbGroups { waiting, appended })
    }

    /// Waits until a verb is stored, or is not.
    pub async fn store(&self, verb: Verb) -> Result<Stored, StoreFault> {
        let (caller, outcome) = oneshot::channel();
        let asked = self.waiting.send(Message::Store(verb, caller)).await;
        asked.map_err(|_| StoreFault::closed())?;
        outcome.await.map_err(|_| StoreFault::closed())?
    }

    /// Lets the one that writes store what waits, and end.
    pub async fn close(&self) {
        // Fails only if he has ended before.
        let _ = self.waiting.send(Message::Close).await;
    }

    /// Hears of each room whose log grew.
    pub fn appended(&self) -> broadcast::Receiver<RoomUri> {
        self.appended.subscribe()
    }
}

impl VerbGroups {
    /// The next group; none once all is stored and nobody can ask any more.
    pub async fn next(&mut self) -> Option<VerbGroup> {
        let first = self.waiting.recv().await?;
        Some(self.with_what_waits(first))
    }

    /// The same, for a thread of its own.
    pub fn blocking_next(&mut self) -> Option<VerbGroup> {
        let first = self.waiting.blocking_recv()?;
        Some(self.with_what_waits(first))
    }

    fn with_what_waits(&mut self, first: Message) -> VerbGroup {
        let mut group = VerbGroup { verbs: vec![], callers: vec![], appended: self.appended.clone() };
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Store(verb, caller) => {
                    bytes += verb.size();
                    group.verbs.push(verb);
                    group.callers.push(caller);
                }
                Message::Close => self.waiting.close(),
            }
            let full = group.verbs.len() >= GROUP_VERBS_MAX || bytes >= GROUP_BYTES_MAX;
            next = if full { None } else { self.waiting.try_recv().ok() };
        }
        group
    }
}

impl VerbGroup {
    /// In the order in which they were asked for.
    pub fn verbs(&self) -> &[Verb] {
        &self.verbs
    }

    /// Tells the callers what became of their verbs, in the same order, and whoever listens which logs grew.
    pub fn answer(self, outcomes: Vec<Result<Stored, StoreFault>>) {
        let mut told = HashSet::new();
        for (verb, outcome) in self.verbs.iter().zip(&outcomes) {
            if let (Some(room), Ok(_)) = (verb.grows(), outcome)
                && told.insert(room)
            {
                // Nobody listening is no fault: who opens later reads the log.
                let _ = self.appended.send(room.clone());
            }
        }
        for (caller, outcome) in self.callers.into_iter().zip(outcomes) {
            // Whoever stopped waiting has his change stored all the same.
            let _ = caller.send(outcome);
        }
    }
}

impl Verb {
    /// About how many bytes it writes.
    fn size(&self) -> usize {
        match self {
            Self::Decide(decide) => {
                let state = decide.state.as_ref().map_or(0, |state| state.header.len() + state.group.len());
                let events: usize = decide.events.iter().map(|event| event.bytes.len()).sum();
                let trees: usize = decide.trees.iter().map(|(_, tree)| tree.len()).sum();
                state + events + trees
            }
            Self::Claim(claim) => {
                let secrets: usize = claim.minted.iter().map(|minted| minted.secret.len()).sum();
                claim.answer.len() + secrets
            }
            Self::Record(batch) => batch.rows.iter().map(row_size).sum(),
        }
    }

    /// The room whose log it makes longer.
    fn grows(&self) -> Option<&RoomUri> {
        match self {
            Self::Decide(decide) => (!decide.events.is_empty()).then_some(&decide.room),
            Self::Claim(_) | Self::Record(_) => None,
        }
    }
}

fn row_size(change: &RowChange) -> usize {
    match change {
        RowChange::Insert { bytes, .. } | RowChange::Put { bytes, .. } => bytes.len(),
        RowChange::Delete { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample;
    use crate::record::RowKind;

    fn large() -> Verb {
        let bytes = vec![0; GROUP_BYTES_MAX / 2];
        let row = RowChange::Put { kind: RowKind("large"), key: vec![], expected: None, bytes };
        Verb::Record(Batch { rows: vec![row], ..Batch::default() })
    }

    #[tokio::test]
    async fn what_waits_is_one_group_and_everyone_hears_of_his_own() {
        let (verbs, mut groups) = Verbs::new();
        let mut appended = verbs.appended();
        let writing = async {
            let group = groups.next().await.unwrap();
            assert_eq!(group.verbs().len(), 3);
            group.answer(vec![Ok(Stored::default()), Err(StoreFault::Conflict), Ok(Stored::default())]);
        };
        let decide = |seq| Verb::Decide(sample::accepting("r", vec![sample::message(seq)]));

        let (first, second, third, ()) = tokio::join!(
            biased;
            verbs.store(decide(1)),
            verbs.store(decide(1)),
            verbs.store(decide(2)),
            writing
        );

        assert_eq!((first.is_ok(), second, third.is_ok()), (true, Err(StoreFault::Conflict), true));
        assert_eq!(appended.try_recv(), Ok(sample::room("r")));
        assert!(appended.try_recv().is_err(), "a room is told once for each group");
    }

    #[tokio::test]
    async fn a_group_takes_no_more_than_its_bytes() {
        let (verbs, mut groups) = Verbs::new();
        let sizes = async {
            let mut sizes = vec![];
            while let Some(group) = groups.next().await {
                sizes.push(group.verbs().len());
                let stored = group.verbs().iter().map(|_| Ok(Stored::default())).collect();
                group.answer(stored);
            }
            sizes
        };

        let (.., sizes) = tokio::join!(
            biased;
            verbs.store(large()),
            verbs.store(large()),
            verbs.store(large()),
            verbs.close(),
            sizes
        );

        assert_eq!(sizes, [2, 1]);
        assert_eq!(verbs.store(large()).await, Err(StoreFault::closed()));
    }
}
