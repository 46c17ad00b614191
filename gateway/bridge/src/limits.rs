//! What the bridge keeps, waits and retries, each with its reason.

use std::time::Duration;

/// Events of a room's log handled in one commit: enough to catch up fast, few enough that a crash repeats little.
pub const EVENTS_PER_COMMIT_MAX: usize = 64;

/// Bytes of a room's log read at once; larger than any one event may be.
pub const EVENT_BYTES_PER_READ_MAX: usize = 8 << 20;

/// Events of a room's log that are read again when the room is loaded: some tens of milliseconds. So many later a snapshot
/// is taken, also within an epoch, which in a chat of two may last for years.
pub const EVENTS_REPLAYED_MAX: u64 = 500;

/// A direct chat moves to the room with the smaller URI only after this long without a message of its own, so that
/// a message on its way through one room is not overtaken through the other.
pub const ROOM_CHANGE_IDLE: Duration = Duration::from_secs(30);

/// Shortest wait before pending proposals of others are committed, so that gateways do not all commit at once.
pub const COMMIT_DELAY_MIN: Duration = Duration::from_millis(20);

/// Longest wait before pending proposals of others are committed.
pub const COMMIT_DELAY_MAX: Duration = Duration::from_millis(200);

/// How long nobody came to or left a group before what was collected is committed: a burst of joins is one commit.
pub const MEMBER_CHANGES_QUIET: Duration = Duration::from_secs(1);

/// Longest wait for that quiet: whoever came first into a storm of joins is listed after this.
pub const MEMBER_CHANGES_WAIT_MAX: Duration = Duration::from_secs(15);

/// So many who quit at once are taken for a split of their network, not for people who go.
pub const NETSPLIT_QUITS_MIN: usize = 20;

/// How long those whom a split took away are given to come back: splits of IRC networks mostly heal within minutes.
pub const NETSPLIT_WAIT: Duration = Duration::from_mins(5);

/// Changes of a group in one commit: the list of them stays well under the size of any message.
pub const STEPS_PER_COMMIT_MAX: usize = 500;

/// Wishes read at once; enough for the largest room, for what is left is read when these are fulfilled.
pub const WISHES_READ_MAX: usize = 5_000;

/// Rows about members read or written at once.
pub const MEMBERS_PER_BATCH_MAX: usize = 1_000;

/// How often a message is sealed anew because the room moved on before it arrived.
pub const RESEAL_MAX: u32 = 20;

/// Longest display name carried with a message, in bytes: names are decoration.
pub const DISPLAY_NAME_LENGTH_MAX: usize = 100;

/// The pause between a failure of the store and a look at all rows: what was stored without an answer has woken nobody.
/// Long enough that a store that fails again and again is not kept busy by it.
pub const STORE_FAILED_PAUSE: Duration = Duration::from_secs(1);

/// Followed rooms kept in memory; the rest are loaded when something happens in them.
/// Each is tens of KiB, so that these are some tens of MiB however many chats there are.
pub const ROOMS_IN_MEMORY_MAX: usize = 1_000;

/// Longest MIMI content made from or taken into a native message: 60 KiB of text twice, plain and formatted.
pub const CONTENT_LENGTH_MAX: usize = 256 << 10;

/// How long news of a message wait to be shown to its sender: steps that follow each other at once are shown as one.
pub const SHOWING_DELAY: Duration = Duration::from_millis(200);

/// News of messages shown in one run, and taken away in one commit.
pub const SHOWN_AT_ONCE_MAX: usize = 100;

/// How long a status report waits for more to tell: at most one report a second and chat, whatever is said in it.
pub const REPORT_DELAY: Duration = Duration::from_secs(1);

/// Messages in one status report; well below what a report may hold, so that one stays a small message (G27).
pub const REPORTED_AT_ONCE_MAX: usize = 256;

/// A post that waits longer is shown to its sender as waiting, with the reason. Matrix clients speak of a problem after
/// about this time, too.
pub const WAITING_SHOWN_AFTER: Duration = Duration::from_secs(30);

/// The pause between two looks at what waits: short against the time after which waiting is shown.
pub const WATCH_PAUSE: Duration = Duration::from_secs(5);

/// Rows of each kind that one look reads; where more wait, the metrics say no more than this.
pub const WATCHED_ROWS_MAX: usize = 10_000;
