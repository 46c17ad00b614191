//! How long things take in a simulation, each with its reason.

use std::time::Duration;

/// How finely the network's time goes. Machines have milliseconds; coarser steps make a seed cheaper, and delay what is
/// sent by no more than a short line does.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// How long all that was said may take to arrive when nothing goes wrong any more: a dead connection is noticed after
/// half a minute, a peer's back-off is at most one.
pub(crate) const REST_DEADLINE: Duration = Duration::from_mins(4);

/// How long a world is watched after all arrived: what comes twice comes then.
pub(crate) const REST: Duration = Duration::from_secs(3);
