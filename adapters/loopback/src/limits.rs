//! The bounds of the loopback network.

use std::time::Duration;

/// Longest name of a user in bytes: it is typed by hand.
pub const USER_BYTES_MAX: usize = 64;

/// Longest name of a puppet in bytes: with a user's it makes the name of a room, which others may store.
pub const PUPPET_BYTES_MAX: usize = 512;

/// Longest id a client may give a line, in bytes: room for a UUID and a prefix.
pub const ID_BYTES_MAX: usize = 128;

/// Longest text of a message in bytes, either way.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Longest line in bytes: a text all of whose bytes are escaped as `\u00xx`, and the rest of the line.
pub const LINE_BYTES_MAX: usize = 6 * TEXT_BYTES_MAX + 4096;

/// Lines that may wait for one slow client; whoever wants to tell it more waits.
pub const LINES_WAITING_MAX: usize = 64;

/// How long a client may take to acknowledge what it was told.
pub const ACK_TIME_MAX: Duration = Duration::from_secs(10);

/// When to try again what could not be told: a person who has just sat down should not have to wait.
pub const RETRY_WAIT: Duration = Duration::from_millis(250);

/// How long lines in progress may take when the session closes.
pub const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);

/// Display names of puppets kept; when there are more, all are forgotten. About 100 bytes each.
pub const NAMES_KEPT_MAX: usize = 10_000;

/// Puppets that users do not want to hear, together; beyond, nobody else is blocked. About 100 bytes each.
pub const BLOCKED_KEPT_MAX: usize = 10_000;
