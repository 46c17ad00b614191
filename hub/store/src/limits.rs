//! The limits of what is remembered, each with its reason.

use std::time::Duration;

/// How many trees of past and present epochs a room keeps.
///
/// The present one answers `groupInfo`, the previous one is needed to roll a bricked room back (security row G12),
/// and two more serve readers that asked while commits were crossing.
pub const TREES_KEPT: u64 = 4;

/// How many rooms whose log grew are held for a slow reader of `appended()`.
///
/// A reader that falls further behind is told so, and looks at every room it follows: nothing is lost, so the number
/// only weighs memory against needless reads.
pub const APPENDED_ROOMS_HELD_MAX: usize = 4096;

/// First wait of a run that could not reach what it needs.
pub const RETRY_DELAY_MIN: Duration = Duration::from_millis(100);

/// Longest wait between tries: an outage of an hour must not cost an hour more.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(15);
