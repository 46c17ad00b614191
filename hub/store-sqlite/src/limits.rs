//! The limits of the store, each with its reason.

use std::time::Duration;

/// How many prepared statements a connection keeps: all it has, which is some thirty for the one that writes.
pub const STATEMENTS_KEPT: usize = 64;

/// How many connections read at the same time.
///
/// Reads are short and served from the page cache; each connection costs its cache, and a thread while it reads.
pub const READERS_MAX: u32 = 4;

/// How long a connection waits for another process to let go of the database.
///
/// Only a second process (a backup, an operator's shell) ever holds it; a peer's request times out soon after.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many rooms' fences the writer remembers; beyond, it forgets them all and reads anew.
///
/// About 200 bytes each: 13 MB, and most hubs never get there.
pub const FENCES_REMEMBERED_MAX: usize = 65_536;

/// How many requests the writer remembers before it moves them into their table.
///
/// The more, the fewer pages each costs there; at start they are read again from their events: 20 MB of the usual size.
pub const RECENT_REQUESTS_MAX: usize = 16_384;

/// After how many 4 KiB pages the write-ahead log is copied into the database.
///
/// 16 MiB: a checkpoint syncs twice, so at full rate there is about one a second.
pub const CHECKPOINT_PAGES: u32 = 4096;
