//! How much the server takes, keeps waiting and sends at once, each with its reason.

use std::time::Duration;

/// Requests waiting for one room's owner; beyond, the room is too busy and says so (503).
pub const OWNER_QUEUE_MAX: usize = 1024;

/// Decisions of one room on their way to the store at once: enough to fill a group commit.
pub const DECISIONS_IN_FLIGHT_MAX: usize = 512;

/// A room's owner without work for so long ends; the next request starts it anew.
pub const OWNER_IDLE: Duration = Duration::from_mins(5);

/// Handshakes checked at once, over all rooms: they are pure computation, and there are only so many cores.
pub const UPDATES_CHECKED_AT_ONCE_MAX: usize = 4;

/// Events in one notify request (A7).
pub const BATCH_EVENTS_MAX: usize = 256;

/// Bytes of events in one notify request (A7); a follower takes up to 8 MiB.
pub const BATCH_BYTES_MAX: usize = 4 << 20;

/// First wait after a peer could not be reached.
pub const PEER_DELAY_MIN: Duration = Duration::from_millis(100);

/// Longest wait between tries: a peer that comes back after a day must not wait an hour for its messages.
pub const PEER_DELAY_MAX: Duration = Duration::from_mins(1);

/// How often a parked lane is tried again by itself: somebody may have mended the follower.
pub const PARKED_RETRY: Duration = Duration::from_mins(5);

/// Messages set aside that are listed for the operator; who has more than these does not read them one by one.
pub const SET_ASIDE_LISTED_MAX: usize = 10_000;

/// Longest Retry-After that is obeyed to the letter; a peer that asks for more is asked again after this.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// An answer to a keyMaterial request is given again, byte for byte, for so long (A3).
pub const KEY_MATERIAL_ANSWER_KEPT: Duration = Duration::from_mins(10);

/// Identity roots of a provider are asked for again after so long.
pub const IDENTITY_ROOTS_KEPT: Duration = Duration::from_hours(1);

/// Wall clock and monotonic clock may drift apart by so much before the hub refuses to give timestamps.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(30);

/// What a rejected or failed request is told to wait, where nothing better is known.
pub const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);
