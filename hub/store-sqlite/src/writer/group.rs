use mimi_store::{Decide, fail_point};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use super::Undone;
use super::fences::Fences;
use super::verb::{self, Stored, Verb};
use crate::sql::event;

/// Stores a group in one transaction; a verb that conflicts is `None` and has left nothing.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    verbs: &[Verb],
) -> Result<Vec<Option<Stored>>, sqlx::Error> {
    let mut transaction = begin(connection, fences).await?;
    match together(&mut transaction, fences, verbs).await {
        Ok(stored) => {
            fail_point("group.written");
            transaction.commit().await?;
            fail_point("group.committed");
            return Ok(stored.into_iter().map(Some).collect());
        }
        Err(Undone::Broken(error)) => return Err(error),
        Err(Undone::Conflict) => transaction.rollback().await?,
    }
    fences.forget_all();
    let mut transaction = begin(connection, fences).await?;
    let outcomes = one_by_one(&mut transaction, fences, verbs).await?;
    transaction.commit().await?;
    Ok(outcomes)
}

/// Begins a transaction that holds the right to write from the start: nothing it reads can change under it.
async fn begin<'c>(
    connection: &'c mut SqliteConnection,
    fences: &mut Fences,
) -> Result<Transaction<'c, Sqlite>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    fences.refresh(&mut transaction).await?;
    Ok(transaction)
}

/// Stores verbs as if none conflicts: messages are gathered and inserted together.
async fn together(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    verbs: &[Verb],
) -> Result<Vec<Stored>, Undone> {
    let mut messages = Vec::new();
    let mut stored = Vec::with_capacity(verbs.len());
    for verb in verbs {
        match verb {
            Verb::Decide(decide) if only_appends(decide) => {
                let room = verb::admit(connection, fences, decide).await?;
                messages.extend(decide.events.iter().map(|event| (room, event)));
                stored.push(Stored::default());
            }
            Verb::Decide(_) | Verb::Claim(_) | Verb::Record(_) => {
                stored.push(verb::store(connection, fences, verb).await?);
            }
        }
    }
    event::append(connection, &messages).await?;
    Ok(stored)
}

/// A decision of which all but the events is known once its fence is checked.
///
/// Its events may then be inserted behind whatever else the group stores: no other statement reads the log, and a
/// place or a request that is taken conflicts in either order.
fn only_appends(decide: &Decide) -> bool {
    decide.fence.is_some()
        && decide.state.is_none()
        && decide.lanes.is_empty()
        && decide.routes.is_empty()
        && decide.trees.is_empty()
}

/// Stores verbs in their order, each in its savepoint: who comes first is stored, who conflicts with it is not.
async fn one_by_one(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    verbs: &[Verb],
) -> Result<Vec<Option<Stored>>, sqlx::Error> {
    let mut outcomes = Vec::with_capacity(verbs.len());
    for verb in verbs {
        let mut savepoint = connection.begin().await?;
        match verb::store(&mut savepoint, fences, verb).await {
            Ok(stored) => {
                savepoint.commit().await?;
                outcomes.push(Some(stored));
            }
            Err(Undone::Conflict) => {
                savepoint.rollback().await?;
                fences.forget_all();
                outcomes.push(None);
            }
            Err(Undone::Broken(error)) => return Err(error),
        }
    }
    Ok(outcomes)
}
