//! The store on `PostgreSQL`.
//!
//! One task of each process writes. It takes all that waits (no timer) into one transaction, and answers each verb
//! after the commit: the more callers wait, the more of them share it. A group is not stored verb by verb, for each
//! statement is a way to the server and back: all that it touches is read and locked with one statement for each table,
//! the verbs are judged in memory one after the other, and what is different in the end is written, again with few
//! statements for each table. Reads have connections of their own and never wait for the writer.
//!
//! A message locks the row of its room: as long as a group writes to a room, no other process does, and the version
//! that was read with the lock is the fence.
//!
//! TLS is rustls over aws-lc-rs, as everywhere in Drawbridge; what a connection demands of it, the URL says
//! (`sslmode`, `sslrootcert`). A socket of this machine has none.
//!
//! | module | what it does |
//! |---|---|
//! | `open` | connects, migrates the schema, refuses a newer one |
//! | `store` | [`PostgresStore`], the [`Store`](mimi_store::Store) |
//! | `writer` | the writing task: groups, judged in memory |
//! | `sql` | every statement, one per function, by table |

pub mod limits;
mod open;
mod sql;
mod store;
mod writer;

pub use open::{OpenFault, Probe, probe};
pub use store::PostgresStore;
