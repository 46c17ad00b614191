//! The thread that writes: what waits becomes one transaction, answered after its commit.

mod fences;
mod group;
mod memory;
mod requests;
mod undone;
mod verb;

use std::collections::HashSet;
use std::path::PathBuf;
use std::thread;

use mimi_store::StoreFault;
use mimi_uri::RoomUri;
use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc, oneshot};

pub(crate) use self::requests::Recent;
pub(crate) use self::undone::Undone;
pub(crate) use self::verb::{Stored, Verb};

use self::memory::Memory;
use crate::limits::{GROUP_BYTES_MAX, GROUP_VERBS_MAX};
use crate::open;

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Message {
    Write(Job),
    /// Take nothing more, store what waits, and end.
    Close,
}

/// A verb, and who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) verb: Verb,
    pub(crate) answer: oneshot::Sender<Result<Stored, StoreFault>>,
}

/// The only one that writes.
pub(crate) struct Writer {
    path: PathBuf,
    /// None after a fault, until it is opened anew.
    connection: Option<Connection>,
    messages: mpsc::Receiver<Message>,
    appended: broadcast::Sender<RoomUri>,
    memory: Memory,
}

impl Writer {
    pub(crate) fn new(
        path: PathBuf,
        connection: Connection,
        messages: mpsc::Receiver<Message>,
        appended: broadcast::Sender<RoomUri>,
        recent: Recent,
    ) -> Self {
        Self { path, connection: Some(connection), messages, appended, memory: Memory::new(recent) }
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
        while let Some(first) = self.messages.blocking_recv() {
            let group = self.take_what_waits(first);
            let outcomes = self.store(&group);
            self.tell_of_appended(&group, &outcomes);
            for (job, outcome) in group.into_iter().zip(outcomes) {
                // Whoever stopped waiting has its change stored all the same.
                let _ = job.answer.send(outcome);
            }
        }
        if let Some(connection) = self.connection
            && let Err((_, error)) = connection.close()
        {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
    }

    fn take_what_waits(&mut self, first: Message) -> Vec<Job> {
        let mut group = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Write(job) => {
                    bytes += job.verb.size();
                    group.push(job);
                }
                Message::Close => self.messages.close(),
            }
            let full = group.len() >= GROUP_VERBS_MAX || bytes >= GROUP_BYTES_MAX;
            next = if full { None } else { self.messages.try_recv().ok() };
        }
        group
    }

    fn store(&mut self, group: &[Job]) -> Vec<Result<Stored, StoreFault>> {
        match self.try_store(group) {
            Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.ok_or(StoreFault::Conflict)).collect(),
            Err(why) => {
                tracing::error!(verbs = group.len(), %why, "a group was not stored");
                vec![Err(StoreFault::Unavailable(why.to_string())); group.len()]
            }
        }
    }

    /// Stores a group; on a fault the connection is given up, and with it whatever state it was in.
    fn try_store(&mut self, group: &[Job]) -> rusqlite::Result<Vec<Option<Stored>>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => open::writing(&self.path)?,
        };
        let stored = group::commit(&mut connection, &mut self.memory, group.iter().map(|job| &job.verb));
        match &stored {
            Ok(_) => self.connection = Some(connection),
            Err(_) => self.memory.forget_all(),
        }
        stored
    }

    fn tell_of_appended(&self, group: &[Job], outcomes: &[Result<Stored, StoreFault>]) {
        let mut told = HashSet::new();
        for (job, outcome) in group.iter().zip(outcomes) {
            if let (Some(room), Ok(_)) = (job.verb.grows(), outcome)
                && told.insert(room)
            {
                // Nobody listening is no fault: who opens later reads the log.
                let _ = self.appended.send(room.clone());
            }
        }
    }
}
