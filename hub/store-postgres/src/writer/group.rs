use mimi_store::{Stored, Verb, fail_point};
use sqlx::{Connection as _, PgConnection};

use super::load::{Logs, load};
use crate::limits::GROUP_TRIES_MAX;
use crate::sql;

/// Stores a group in one transaction; a verb that conflicts is `None` and has left nothing.
///
/// All that the verbs touch is read and locked, they are judged in memory one after the other, and the difference is
/// written: some statements for the group, however many verbs it has. Only the logs are not read: that nobody takes a
/// place twice is left to the table's keys. Where one of them is hurt, by a message that was stored before or by
/// another process just now, the group is undone and done again with the logs read as well.
///
/// Where a holder is given, nothing is stored unless he holds a lease still.
pub(super) async fn commit(
    connection: &mut PgConnection,
    holder: Option<&str>,
    verbs: &[Verb],
) -> Result<Vec<Option<Stored>>, sqlx::Error> {
    let mut tries = 1;
    let mut logs = Logs::Trusted;
    loop {
        match attempt(connection, holder, verbs, logs).await {
            Ok(outcomes) => return Ok(outcomes),
            Err(error) if is_overtaken(&error) && tries < GROUP_TRIES_MAX => {
                logs = Logs::Examined;
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn attempt(
    connection: &mut PgConnection,
    holder: Option<&str>,
    verbs: &[Verb],
    logs: Logs,
) -> Result<Vec<Option<Stored>>, sqlx::Error> {
    let mut transaction = match holder {
        Some(holder) => sql::lease::begin(connection, holder).await?,
        None => connection.begin().await?,
    };
    let mut tables = load(&mut transaction, verbs, logs).await?;
    let outcomes = tables.judge(verbs);
    match tables.save(&mut transaction).await {
        Ok(()) => {
            fail_point("group.written");
            transaction.commit().await?;
            fail_point("group.committed");
            Ok(outcomes)
        }
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

/// `unique_violation`, `serialization_failure`, `deadlock_detected`: somebody else was faster.
const OVERTAKEN: [&str; 3] = ["23505", "40001", "40P01"];

fn is_overtaken(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| OVERTAKEN.contains(&&*code))
}
