//! The thread that writes: what waits becomes one transaction, answered after its commit.

mod fences;
mod group;
mod memory;
mod requests;
mod undone;
mod verb;

use std::path::PathBuf;
use std::thread;

use mimi_store::{StoreFault, Stored, Verb, VerbGroups};
use rusqlite::Connection;
use tokio::sync::oneshot;

pub(crate) use self::requests::Recent;
pub(crate) use self::undone::Undone;

use self::memory::Memory;
use crate::open;

/// The only one that writes.
pub(crate) struct Writer {
    path: PathBuf,
    /// None after a fault, until it is opened anew.
    connection: Option<Connection>,
    groups: VerbGroups,
    memory: Memory,
}

impl Writer {
    pub(crate) fn new(path: PathBuf, connection: Connection, groups: VerbGroups, recent: Recent) -> Self {
        Self { path, connection: Some(connection), groups, memory: Memory::new(recent) }
    }

    /// Writes in a thread of its own until it is told to close or nobody is left to ask; then the receiver hears of it.
    pub(crate) fn start(self) -> std::io::Result<oneshot::Receiver<()>> {
        let (ended, end) = oneshot::channel();
        let run = move || {
            self.run();
            // Whoever does not wait for the end does not miss it.
            let _ = ended.send(());
        };
        thread::Builder::new().name("store-writer".to_owned()).spawn(run)?;
        Ok(end)
    }

    fn run(mut self) {
        while let Some(group) = self.groups.blocking_next() {
            let outcomes = self.store(group.verbs());
            group.answer(outcomes);
        }
        if let Some(connection) = self.connection
            && let Err((_, error)) = connection.close()
        {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
    }

    fn store(&mut self, verbs: &[Verb]) -> Vec<Result<Stored, StoreFault>> {
        match self.try_store(verbs) {
            Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.ok_or(StoreFault::Conflict)).collect(),
            Err(why) => {
                tracing::error!(verbs = verbs.len(), %why, "a group was not stored");
                vec![Err(StoreFault::Unavailable(why.to_string())); verbs.len()]
            }
        }
    }

    /// Stores a group; on a fault the connection is given up, and with it whatever state it was in.
    fn try_store(&mut self, verbs: &[Verb]) -> rusqlite::Result<Vec<Option<Stored>>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => open::writing(&self.path)?,
        };
        let stored = group::commit(&mut connection, &mut self.memory, verbs);
        match &stored {
            Ok(_) => self.connection = Some(connection),
            Err(_) => self.memory.forget_all(),
        }
        stored
    }
}
