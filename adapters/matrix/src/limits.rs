//! The bounds of the Matrix adapter.

use std::time::Duration;

/// Longest user id in bytes, `@` and server name included (Matrix, appendices: "must not exceed 255 bytes").
pub const USER_ID_BYTES_MAX: usize = 255;

/// Longest room alias in bytes, `#` and server name included (Matrix, appendices).
pub const ALIAS_BYTES_MAX: usize = 255;

/// Largest whole event in bytes (Matrix, client-server API: "65536 bytes").
pub const EVENT_BYTES_MAX: usize = 65_536;

/// What the homeserver adds to the content of a message: ids, sender, hashes, signatures, references to earlier events.
/// A room with many heads refers to 20 of them and 10 authorising events, 50 bytes each.
pub const EVENT_FRAME_BYTES: usize = 3_072;

/// Longest text that is promised to fit one event: 60 KiB, if JSON need not escape much of it.
pub const TEXT_BYTES_MAX: usize = 60 * 1024;

/// Largest transaction taken: a homeserver puts at most 100 events in one, each with at most as much again of earlier
/// content beside it, and ephemeral data that we do not ask for.
pub const TRANSACTION_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Largest answer of the homeserver read: a page of [`PAGE_EVENTS_MAX`] events, each with at most as much again of
/// earlier content beside it.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Events fetched at once of what a puppet missed; as many as the homeserver puts in one transaction.
pub const PAGE_EVENTS_MAX: u32 = 100;

/// Pages fetched of what a puppet missed, 10 000 events: it is waited for by all other rooms, so nobody may make it
/// last; what is beyond is told as a gap.
pub const MISSED_PAGES_MAX: usize = 100;

/// Membership events gone back from a puppet's newest to the one that began its stay: those between are repeated
/// invitations and new names.
pub const MEMBERSHIPS_MAX: usize = 100;

/// How long a transaction may wait for what was missed before it: less than the 60 s after which Synapse gives up.
pub const CATCH_UP_TIME_MAX: Duration = Duration::from_secs(45);

/// Rooms that puppets are coming into at the same time: their marks are one piece of account data, 100 bytes each.
pub const JOINING_MAX: usize = 500;

/// How long one request to the homeserver may take; Synapse itself gives up waiting for a slow room after 60 s.
pub const REQUEST_TIME_MAX: Duration = Duration::from_mins(1);

/// How long to wait when the homeserver says "later", but not when.
pub const RATE_LIMIT_WAIT: Duration = Duration::from_secs(1);

/// Longest wait taken from the homeserver; a longer one is asked for again, so that a slip of its clock ends.
pub const RATE_LIMIT_WAIT_MAX: Duration = Duration::from_mins(5);

/// First wait before the homeserver is tried again.
pub const RETRY_WAIT_MIN: Duration = Duration::from_millis(200);

/// Longest wait before the homeserver is tried again: an operator who has started it looks no longer than that.
pub const RETRY_WAIT_MAX: Duration = Duration::from_secs(20);

/// How often the homeserver is pinged while nothing is wrong: it may have given us up without our notice, and would
/// try again by itself after up to 512 s.
pub const PING_EVERY: Duration = Duration::from_mins(2);

/// How often a homeserver is asked whether it is there, on a connection that is kept for that: shorter than it takes to
/// start one, so that no proxy can hide its absence; and a question every few seconds costs it nothing.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);

/// How much older than what was told last something must be to count as told too: what a homeserver has to tell waits no
/// longer in its memory while we take it. It also makes up for clocks that differ.
pub const TOLD_MARGIN: Duration = Duration::from_mins(1);

/// How many of ours are known as readers of a room: the first that is let in reads it, and others are there for when he leaves.
pub const READERS_PER_ROOM_MAX: usize = 4;

/// Pause between two rooms that are looked through for what was forgotten: a homeserver that has just started has other
/// things to do than to answer more than 20 such questions in a second. 10 000 rooms take nine minutes.
pub const SWEEP_PAUSE: Duration = Duration::from_millis(50);

/// Pause after a room that could not be read.
pub const SWEEP_RETRY_WAIT: Duration = Duration::from_secs(1);

/// Jumps in the numbers of transactions that are looked into after whatever may have made the homeserver leave one out.
/// Each delays what is said by a second or so, in vain where other application services are numbered along; alone,
/// there are none in vain, but a few by repetition.
pub const DOUBTS_MAX: usize = 5;

/// How long no transaction comes before one of our own is provoked that shows whether another was left out: longer
/// than it takes the homeserver to begin the next one, shorter than people wait.
pub const QUIET_TIME: Duration = Duration::from_secs(3);

/// How long requests in progress may take when the session closes.
pub const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);

/// Puppets known to exist at the homeserver; when there are more, all are asked for again. About 100 bytes each.
pub const PUPPETS_KNOWN_MAX: usize = 100_000;

/// Longest display name in characters that Synapse takes; a longer one is cut, for it must not keep a puppet away.
pub const DISPLAY_NAME_CHARS_MAX: usize = 256;

/// Rooms known to have been spoken in; when there are more, each is asked once again. About 100 bytes each.
pub const ROOMS_KNOWN_MAX: usize = 100_000;
