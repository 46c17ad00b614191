//! The task that writes: what waits becomes one transaction, answered after its commit.

mod fences;
mod group;
mod undone;
mod verb;

use std::collections::HashSet;

use mimi_store::StoreFault;
use mimi_uri::RoomUri;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::{broadcast, mpsc, oneshot};

pub(crate) use self::undone::Undone;
pub(crate) use self::verb::{Stored, Verb};

use self::fences::Fences;
use crate::limits::{GROUP_BYTES_MAX, GROUP_VERBS_MAX};

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Message {
    Write(Box<Job>),
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
    options: SqliteConnectOptions,
    /// None after a fault, until it is opened anew.
    connection: Option<SqliteConnection>,
    messages: mpsc::Receiver<Message>,
    appended: broadcast::Sender<RoomUri>,
    fences: Fences,
}

impl Writer {
    pub(crate) fn new(
        options: SqliteConnectOptions,
        connection: SqliteConnection,
        messages: mpsc::Receiver<Message>,
        appended: broadcast::Sender<RoomUri>,
    ) -> Self {
        Self { options, connection: Some(connection), messages, appended, fences: Fences::default() }
    }

    /// Writes until it is told to close or nobody is left to ask.
    pub(crate) async fn run(mut self) {
        while let Some(first) = self.messages.recv().await {
            let group = self.take_what_waits(first);
            let (verbs, answers): (Vec<_>, Vec<_>) =
                group.into_iter().map(|job| (job.verb, job.answer)).unzip();
            let outcomes = self.store(&verbs).await;
            self.tell_of_appended(&verbs, &outcomes);
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                // Whoever stopped waiting has its change stored all the same.
                let _ = answer.send(outcome);
            }
        }
        if let Some(connection) = self.connection
            && let Err(error) = sqlx::Connection::close(connection).await
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
                    group.push(*job);
                }
                Message::Close => self.messages.close(),
            }
            let full = group.len() >= GROUP_VERBS_MAX || bytes >= GROUP_BYTES_MAX;
            next = if full { None } else { self.messages.try_recv().ok() };
        }
        group
    }

    async fn store(&mut self, verbs: &[Verb]) -> Vec<Result<Stored, StoreFault>> {
        match self.try_store(verbs).await {
            Ok(outcomes) => outcomes.into_iter().map(|outcome| outcome.ok_or(StoreFault::Conflict)).collect(),
            Err(why) => {
                tracing::error!(verbs = verbs.len(), %why, "a group was not stored");
                vec![Err(StoreFault::Unavailable(why)); verbs.len()]
            }
        }
    }

    /// Stores a group; on a fault the connection is given up, and with it whatever state it was in.
    async fn try_store(&mut self, verbs: &[Verb]) -> Result<Vec<Option<Stored>>, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(|error| error.to_string())?,
        };
        match group::commit(&mut connection, &mut self.fences, verbs).await {
            Ok(outcomes) => {
                self.connection = Some(connection);
                Ok(outcomes)
            }
            Err(error) => {
                self.fences.forget_all();
                Err(error.to_string())
            }
        }
    }

    fn tell_of_appended(&self, verbs: &[Verb], outcomes: &[Result<Stored, StoreFault>]) {
        let mut told = HashSet::new();
        for (verb, outcome) in verbs.iter().zip(outcomes) {
            if let (Some(room), Ok(_)) = (verb.grows(), outcome)
                && told.insert(room)
            {
                // Nobody listening is no fault: who opens later reads the log.
                let _ = self.appended.send(room.clone());
            }
        }
    }
}
