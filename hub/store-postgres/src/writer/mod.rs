//! The task that writes: what waits becomes one transaction, answered after its commit.

mod group;
mod judge;
mod load;
mod save;
mod tables;
mod touched;
mod verb;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use mimi_store::StoreFault;
use mimi_uri::RoomUri;
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::timeout;

pub(crate) use self::verb::{Stored, Verb};

use crate::limits::{GROUP_BYTES_MAX, GROUP_TIME_MAX, GROUP_VERBS_MAX};
use crate::open;

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
    options: PgConnectOptions,
    /// None after a fault, until it is opened anew.
    connection: Option<PgConnection>,
    /// Who must hold something for a group to be stored, once he did.
    holder: Arc<OnceLock<String>>,
    messages: mpsc::Receiver<Message>,
    appended: broadcast::Sender<RoomUri>,
}

impl Writer {
    pub(crate) fn new(
        options: PgConnectOptions,
        connection: PgConnection,
        holder: Arc<OnceLock<String>>,
        messages: mpsc::Receiver<Message>,
        appended: broadcast::Sender<RoomUri>,
    ) -> Self {
        Self { options, connection: Some(connection), holder, messages, appended }
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
            None => open::connect(&self.options).await.map_err(|fault| fault.to_string())?,
        };
        let holder = self.holder.get().map(String::as_str);
        let stored = timeout(GROUP_TIME_MAX, group::commit(&mut connection, holder, verbs)).await;
        let stored = stored.map_err(|_| format!("the database takes more than {GROUP_TIME_MAX:?}"))?;
        let outcomes = stored.map_err(|error| error.to_string())?;
        self.connection = Some(connection);
        Ok(outcomes)
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
