use mimi_store::{Stored, Verb, fail_point};
use rusqlite::{Connection, Error, Transaction, TransactionBehavior};

use super::Undone;
use super::memory::Memory;
use super::verb;

/// Stores a group in one transaction; a verb that conflicts is `None` and has left nothing.
pub(super) fn commit(
    connection: &mut Connection,
    memory: &mut Memory,
    verbs: &[Verb],
) -> Result<Vec<Option<Stored>>, Error> {
    let transaction = begin(connection, memory)?;
    match together(&transaction, memory, verbs) {
        Ok(stored) => {
            fail_point("group.written");
            transaction.commit()?;
            fail_point("group.committed");
            memory.commit();
            return Ok(stored.into_iter().map(Some).collect());
        }
        Err(Undone::Broken(error)) => return Err(error),
        Err(Undone::Conflict) => transaction.rollback()?,
    }
    memory.undo();
    let mut transaction = begin(connection, memory)?;
    let outcomes = one_by_one(&mut transaction, memory, verbs)?;
    transaction.commit()?;
    memory.commit();
    Ok(outcomes)
}

/// Begins a transaction that holds the right to write from the start: nothing it reads can change under it.
fn begin<'c>(connection: &'c mut Connection, memory: &mut Memory) -> Result<Transaction<'c>, Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    memory.refresh(&transaction)?;
    Ok(transaction)
}

/// Stores verbs as if none conflicts, without a savepoint for each.
fn together(connection: &Connection, memory: &mut Memory, verbs: &[Verb]) -> Result<Vec<Stored>, Undone> {
    verbs.iter().map(|verb| verb::store(connection, memory, verb)).collect()
}

/// Stores verbs in their order, each in its savepoint: who comes first is stored, who conflicts with it is not.
fn one_by_one(
    transaction: &mut Transaction<'_>,
    memory: &mut Memory,
    verbs: &[Verb],
) -> Result<Vec<Option<Stored>>, Error> {
    let mut outcomes = Vec::new();
    for verb in verbs {
        let savepoint = transaction.savepoint()?;
        let mark = memory.requests.mark();
        match verb::store(&savepoint, memory, verb) {
            Ok(stored) => {
                savepoint.commit()?;
                outcomes.push(Some(stored));
            }
            Err(Undone::Conflict) => {
                drop(savepoint);
                memory.fences.forget_all();
                memory.requests.undo_to(mark);
                outcomes.push(None);
            }
            Err(Undone::Broken(error)) => return Err(error),
        }
    }
    Ok(outcomes)
}
