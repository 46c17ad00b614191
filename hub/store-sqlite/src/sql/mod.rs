//! Every statement, one per function, by table.
//!
//! Functions that write run on the writer's connection and fail with [`Undone`](crate::writer::Undone); functions that
//! read run on one of the [`Readers`](crate::readers::Readers) and fail with [`Unreadable`].

pub(crate) mod answer;
pub(crate) mod event;
pub(crate) mod key_package;
pub(crate) mod lane;
pub(crate) mod request;
pub(crate) mod room;
pub(crate) mod route;
pub(crate) mod row;
pub(crate) mod tree;

use std::error::Error;

use mimi_store::StoreFault;
use rusqlite::{Connection, Params, Row};

/// `SQLite` has signed integers only. What we count and the milliseconds of all clocks stay below 2^63, so order is
/// kept; whatever does not keeps its identity.
fn integer(number: u64) -> i64 {
    number.cast_signed()
}

fn number(integer: i64) -> u64 {
    integer.cast_unsigned()
}

/// A read that failed: the database is gone, or a row is not what was written.
#[derive(Debug)]
pub(crate) struct Unreadable(String);

impl Unreadable {
    fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl<E: Error> From<E> for Unreadable {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl From<Unreadable> for StoreFault {
    fn from(Unreadable(why): Unreadable) -> Self {
        Self::Unavailable(why)
    }
}

/// What is read of the row that a statement finds, if it finds one.
fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Unreadable>,
) -> Result<Option<T>, Unreadable> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query(params)?.next()?.map(read).transpose()
}

/// What is read of each row that a statement finds, in its order.
fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Unreadable>,
) -> Result<Vec<T>, Unreadable> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// A LIMIT; more rows than fit a signed integer are no limit.
fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
