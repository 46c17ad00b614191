//! The limits of the store, each with its reason.

use std::time::Duration;

/// How long a group may take before it is given up, and the connection with it.
///
/// A database that hangs must not hang us: a peer's request times out soon after, and asks again.
pub const GROUP_TIME_MAX: Duration = Duration::from_secs(10);

/// How often a group is begun anew because another process changed the same rows between reading and writing.
///
/// Processes work on rooms of their own, so once is rare; a group that fails so often meets something else.
pub const GROUP_TRIES_MAX: usize = 5;

/// How long the server waits for the next statement of a transaction before it undoes it.
///
/// A machine that died holds what it locked until then; less than a lease lasts, so that nobody waits for it longer.
pub const TRANSACTION_IDLE_MAX: Duration = Duration::from_secs(3);

/// How long connecting may take.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// How many connections read at the same time.
///
/// Reads are short; each connection is a process of the server and some megabytes of its memory.
pub const READERS_MAX: u32 = 8;

/// Longest key of a row, in bytes: with its kind it must fit an entry of a `PostgreSQL` index, a third of a page.
pub const KEY_LENGTH_MAX: usize = 2_500;

/// How many events of a log are read with one statement.
///
/// As many as a batch towards a follower holds; a reader that wants fewer bytes than they have reads some in vain.
pub const EVENTS_PER_READ: usize = 256;
