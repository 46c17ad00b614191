use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mimi_wire::{Clock, Timestamp};

/// A clock that goes only when it is told to; wall and monotonic clock agree.
#[derive(Debug)]
pub struct SetClock {
    wall: Timestamp,
    steady: Instant,
    passed_ms: AtomicU64,
}

impl SetClock {
    /// A clock that stands at the present time, for certificates are made for it.
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let wall = Timestamp(u64::try_from(since.as_millis()).unwrap());
        Self { wall, steady: Instant::now(), passed_ms: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.passed_ms.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn passed(&self) -> Duration {
        Duration::from_millis(self.passed_ms.load(Ordering::SeqCst))
    }
}

impl Default for SetClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.wall.plus(self.passed())
    }

    fn monotonic(&self) -> Instant {
        self.steady + self.passed()
    }
}
