//! Every statement, one per function, by table.
//!
//! Functions that write take all that a group changes in a table at once: arrays, unnested into rows. They run on the
//! writer's connection and fail with [`sqlx::Error`]; functions that read run on a pool and fail with [`StoreFault`].

pub(crate) mod answer;
pub(crate) mod event;
pub(crate) mod key_package;
pub(crate) mod lane;
pub(crate) mod lease;
pub(crate) mod room;
pub(crate) mod route;
pub(crate) mod row;
pub(crate) mod tree;

use std::fmt::Display;

use mimi_store::StoreFault;

/// `PostgreSQL` has signed integers only. What we count and the milliseconds of all clocks stay below 2^63, so order
/// is kept; whatever does not keeps its identity.
fn integer(number: u64) -> i64 {
    number.cast_signed()
}

fn number(integer: i64) -> u64 {
    integer.cast_unsigned()
}

/// The place in an array that a row was found for, which WITH ORDINALITY counts from 1.
fn place(ordinality: i64) -> usize {
    usize::try_from(ordinality - 1).unwrap_or(usize::MAX)
}

/// A read that failed: the database is gone, or a row is not what was written.
fn unreadable(why: impl Display) -> StoreFault {
    StoreFault::Unavailable(why.to_string())
}

/// A LIMIT; more rows than fit a signed integer are no limit.
fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
