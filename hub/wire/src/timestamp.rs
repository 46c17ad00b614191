use std::fmt;
use std::time::Duration;

use crate::codec::{Reader, Wire};
use crate::decode_error::DecodeError;

/// A point in time: milliseconds since the UNIX epoch.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The point in whole seconds since the UNIX epoch, rounded down.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The point `duration` later; the last there is, where there is none.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The timestamp of an event accepted now, in a room whose last event was accepted at `last`.
    ///
    /// A hub's timestamps strictly increase within a room, so that they alone give the order of its events.
    #[must_use]
    pub fn following(self, last: Self) -> Self {
        Self(self.0.max(last.0.saturating_add(1)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

impl Wire for Timestamp {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        u64::read(reader).map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_of_a_room_strictly_increase_whatever_the_clock_does() {
        let last = Timestamp(1_000);

        for (now, expected) in [(999, 1_001), (1_000, 1_001), (1_001, 1_001), (2_000, 2_000)] {
            assert_eq!(Timestamp(now).following(last), Timestamp(expected));
        }
    }

    #[test]
    fn time_does_not_wrap() {
        assert_eq!(Timestamp(u64::MAX).plus(Duration::from_secs(1)), Timestamp(u64::MAX));
        assert_eq!(Timestamp(1).since(Timestamp(2)), Duration::ZERO);
    }
}
