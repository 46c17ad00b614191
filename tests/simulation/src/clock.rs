use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mimi_wire::{Clock, Timestamp};

/// The clocks of one simulated machine: simulated time, told a little wrong.
#[derive(Debug)]
pub(crate) struct SimulatedClock {
    ahead: Duration,
    steady: Instant,
}

impl SimulatedClock {
    /// A clock that is ahead by so much.
    pub(crate) fn new(ahead: Duration) -> Self {
        static STEADY: OnceLock<Instant> = OnceLock::new();
        Self { ahead, steady: *STEADY.get_or_init(Instant::now) }
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        started().plus(turmoil::sim_elapsed().unwrap_or_default()).plus(self.ahead)
    }

    fn monotonic(&self) -> Instant {
        self.steady + turmoil::sim_elapsed().unwrap_or_default()
    }
}

/// When simulated time begins: yesterday at noon, the same for all of a day. openmls holds lifetimes against the real
/// clock, so it must be near; nothing in a schedule depends on the date.
pub(crate) fn started() -> Timestamp {
    const DAY_S: u64 = 86_400;
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / DAY_S;
    Timestamp((today * DAY_S - DAY_S / 2) * 1000)
}
