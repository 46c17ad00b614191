//! Every statement, one per function, by table.
//!
//! Functions that write run on the writer's connection and fail with [`Undone`](crate::writer::Undone); functions that
//! read run on a pool and fail with [`StoreFault`].

pub(crate) mod answer;
pub(crate) mod event;
pub(crate) mod key_package;
pub(crate) mod lane;
pub(crate) mod request;
pub(crate) mod room;
pub(crate) mod route;
pub(crate) mod row;
pub(crate) mod tree;

use std::fmt::Display;

use mimi_store::StoreFault;

/// `SQLite` has signed integers only. What we count and the milliseconds of all clocks stay below 2^63, so order is
/// kept; whatever does not keeps its identity.
fn integer(number: u64) -> i64 {
    number.cast_signed()
}

fn number(integer: i64) -> u64 {
    integer.cast_unsigned()
}

/// A read that failed: the database is gone, or a row is not what was written.
fn unreadable(why: impl Display) -> StoreFault {
    StoreFault::Unavailable(why.to_string())
}

/// A LIMIT; more rows than fit a signed integer are no limit.
fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
