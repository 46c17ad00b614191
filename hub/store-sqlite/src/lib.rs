//! The store on `SQLite`.
//!
//! One thread writes. It takes all that waits (no timer) into one transaction with `synchronous=FULL`, and answers each
//! verb after the commit: the more callers wait, the more of them share an fsync. A group is first stored as if
//! nothing in it could conflict; only if something does is it rolled back and stored verb by verb, each in its
//! savepoint, so that a conflict is told to the one who caused it and touches nobody else. Requests, by which
//! repetitions are known, get into their table in bulk. Reads have connections of their own and never wait for the
//! writer.
//!
//! | module | what it does |
//! |---|---|
//! | `alone` | one process works on a file, and no second |
//! | `open` | opens and migrates the database, refuses a newer schema |
//! | `readers` | the connections that read |
//! | `store` | [`SqliteStore`], the [`Store`](mimi_store::Store) |
//! | `writer` | the writing thread: groups, fences, conflicts |
//! | `sql` | every statement, one per function, by table |

mod alone;
pub mod limits;
mod open;
mod readers;
mod sql;
mod store;
mod writer;

pub use open::OpenFault;
pub use store::SqliteStore;
