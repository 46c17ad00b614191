//! A clock that notices when it is wrong.

use std::sync::Arc;
use std::time::Instant;

use mimi_wire::{Clock, Timestamp};

use crate::limits::CLOCK_SKEW_MAX;

/// The wall clock, held against the monotonic one (security row G36).
pub(crate) struct SteadyClock {
    clock: Arc<dyn Clock>,
    started: (Timestamp, Instant),
}

/// Wall clock and monotonic clock disagree.
#[derive(Debug, thiserror::Error)]
#[error("the wall clock moved by {0} ms against the monotonic clock")]
pub(crate) struct Skew(u64);

impl SteadyClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let started = (clock.now(), clock.monotonic());
        Self { clock, started }
    }

    pub(crate) fn now(&self) -> Result<Timestamp, Skew> {
        let now = self.clock.now();
        let elapsed = self.clock.monotonic().duration_since(self.started.1);
        let expected = self.started.0.0 + u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let skew = now.0.abs_diff(expected);
        if u128::from(skew) > CLOCK_SKEW_MAX.as_millis() { Err(Skew(skew)) } else { Ok(now) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    struct Hands(Mutex<(Timestamp, Instant)>);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            self.0.lock().unwrap().0
        }

        fn monotonic(&self) -> Instant {
            self.0.lock().unwrap().1
        }
    }

    fn after(wall_ms: u64, steady: Duration) -> Result<Timestamp, Skew> {
        let start = Instant::now();
        let hands = Arc::new(Hands(Mutex::new((Timestamp(1_000_000), start))));
        let clock = SteadyClock::new(Arc::clone(&hands) as Arc<dyn Clock>);
        *hands.0.lock().unwrap() = (Timestamp(wall_ms), start + steady);
        clock.now()
    }

    #[test]
    fn clocks_that_agree_give_the_time() {
        assert_eq!(after(1_010_000, Duration::from_secs(10)).unwrap(), Timestamp(1_010_000));
        assert_eq!(after(1_035_000, Duration::from_secs(10)).unwrap(), Timestamp(1_035_000));
    }

    #[test]
    fn a_hub_whose_clocks_disagree_gives_no_timestamps() {
        assert!(after(1_045_000, Duration::from_secs(10)).is_err());
        assert!(after(900_000, Duration::from_secs(10)).is_err());
    }
}
