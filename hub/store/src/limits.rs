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

/// How many verbs share one transaction at most.
///
/// Beyond some hundred the cost of a commit is divided enough; the bound keeps the first of them from waiting long.
pub const GROUP_VERBS_MAX: usize = 1024;

/// After how many bytes a transaction takes in no more verbs.
///
/// Large states and trees would else make one group a write of gigabytes, and everyone in it wait.
pub const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many verbs wait for the writer before callers have to.
///
/// Two full groups: the next one is complete while the present one is committed.
pub const VERBS_WAITING_MAX: usize = 2 * GROUP_VERBS_MAX;

/// For how long a lease is granted.
///
/// Work moves from a killed process at the latest after this and one glance.
pub const LEASE_LASTS: Duration = Duration::from_secs(7);

/// For how long a process believes in its lease, counted from when it asked: shorter than it lasts, so that it has
/// stopped before another begins, although clocks do not run alike.
pub const LEASE_KEPT: Duration = Duration::from_secs(6);

/// How often leases are renewed: a database that does not answer for five is survived.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(1);

/// How often whoever waits for a lease asks for it: what nobody holds any more lies idle no longer than this.
pub const LEASE_GLANCE: Duration = Duration::from_millis(250);

/// First wait of a run that could not reach what it needs.
pub const RETRY_DELAY_MIN: Duration = Duration::from_millis(100);

/// By what part of itself a wait grows with each try: an outage of a minute costs a quarter of it more at most.
pub const RETRY_DELAY_GROWTH: u32 = 4;

/// Longest wait between tries: an outage of an hour must not cost an hour more.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(15);
