//! How long the demo waits, and how wide it writes.

use std::ops::Range;
use std::time::Duration;

/// How long both providers may take to be ready: an unoptimised build on a busy machine needs a few seconds.
pub(super) const START_TIME_MAX: Duration = Duration::from_secs(20);

/// How long a message may be under way. It takes milliseconds; what takes this long is broken, and a person who
/// watches would think so, too.
pub(super) const DELIVERY_TIME_MAX: Duration = Duration::from_secs(8);

/// How long a provider may take to stop before it is killed.
pub(super) const STOP_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest text shown in one line of the log; the rest is cut, for a line is a step.
pub(super) const TEXT_WIDTH_MAX: usize = 150;

/// Rows read at once when what is stored is counted.
pub(super) const EVENTS_PAGE: usize = 500;

/// Where ports are looked for: below those that systems give to outgoing connections, above those that have names.
pub(super) const PORTS: Range<u16> = 20_000..32_000;

/// Each provider listens for others, for its operator, and for its native network.
pub(super) const PORTS_PER_DEMO: u16 = 6;
