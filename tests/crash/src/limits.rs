//! How much is said at once, and how long is waited.

use std::time::Duration;

/// The longest that anything may take: generous, for machines on which everybody compiles beside the tests.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// The pause between two looks at whether a provider is ready: the restart is measured to this.
pub const READY_GLANCE: Duration = Duration::from_millis(5);

/// Messages that one person has under way to another: enough that there is always something to lose, few enough that a
/// round is soon over.
pub const UNDER_WAY_MAX: u64 = 6;

/// Rounds that may pass for each one that counts, before something is wrong with the load.
pub const TRIES_PER_ROUND: u32 = 2;
