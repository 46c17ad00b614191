//! The task that writes: what waits becomes one transaction, answered after its commit.

mod group;
mod judge;
mod load;
mod save;
mod tables;
mod touched;

use std::sync::{Arc, OnceLock};

use mimi_store::{StoreFault, Stored, Verb, VerbGroups};
use sqlx::PgConnection;
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use crate::limits::GROUP_TIME_MAX;
use crate::open;

/// The only one that writes.
pub(crate) struct Writer {
    options: PgConnectOptions,
    /// None after a fault, until it is opened anew.
    connection: Option<PgConnection>,
    /// Who must hold something for a group to be stored, once he did.
    holder: Arc<OnceLock<String>>,
    groups: VerbGroups,
}

impl Writer {
    pub(crate) fn new(
        options: PgConnectOptions,
        connection: PgConnection,
        holder: Arc<OnceLock<String>>,
        groups: VerbGroups,
    ) -> Self {
        Self { options, connection: Some(connection), holder, groups }
    }

    /// Writes until it is told to close or nobody is left to ask.
    pub(crate) async fn run(mut self) {
        while let Some(group) = self.groups.next().await {
            let outcomes = self.store(group.verbs()).await;
            group.answer(outcomes);
        }
        if let Some(connection) = self.connection
            && let Err(error) = sqlx::Connection::close(connection).await
        {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
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
}
