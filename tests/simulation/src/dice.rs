use std::ops::RangeInclusive;
use std::time::Duration;

/// Chance, all of it decided by a seed.
///
/// `SplitMix64`, written out: a seed that once found a bug must mean the same schedule for ever, and the generators of
/// libraries promise that for no longer than a version.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of one part of a seed: parts do not disturb each other.
    pub(crate) fn new(seed: u64, part: &str) -> Self {
        let mixed = part.bytes().fold(seed ^ 0x5DEE_CE66_D1CE_4E5B, |mixed, byte| {
            (mixed.rotate_left(9) ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        let mut dice = Self(mixed);
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number within.
    pub(crate) fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        low + self.next() % (high - low + 1)
    }

    /// An index below a count.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.within(0..=count as u64 - 1)).unwrap_or(0)
    }

    /// So many milliseconds.
    pub(crate) fn millis(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.within(range))
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.within(0..=99) < chance
    }
}
