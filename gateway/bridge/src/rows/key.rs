//! Keys of rows: parts that cannot run into each other, numbers that sort.

use mimi_store::KeyRange;

/// A key under construction.
///
/// Each part is framed by its length, so that all rows with the same first parts are neighbours and no part can
/// pretend to be two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// A key that begins with a text.
    pub(crate) fn of(part: &str) -> Self {
        Self::default().and(part.as_bytes())
    }

    /// Appends a part.
    pub(crate) fn and(mut self, part: &[u8]) -> Self {
        self.0.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend(part);
        self
    }

    /// Appends a number; rows sort by it.
    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// The finished key.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// The range of all keys that begin with this one.
    pub(crate) fn range(self) -> KeyRange {
        KeyRange::prefix(&self.0)
    }

    /// The parts of a key made of `parts` parts and nothing else.
    pub(crate) fn parts(bytes: &[u8], parts: usize) -> Option<Vec<&[u8]>> {
        let (read, rest) = Self::split(bytes, parts)?;
        rest.is_empty().then_some(read)
    }

    /// The parts and the trailing number of a key made of `parts` parts and a number.
    pub(crate) fn read(bytes: &[u8], parts: usize) -> Option<(Vec<&[u8]>, u64)> {
        let (read, rest) = Self::split(bytes, parts)?;
        Some((read, u64::from_be_bytes(rest.try_into().ok()?)))
    }

    fn split(bytes: &[u8], parts: usize) -> Option<(Vec<&[u8]>, &[u8])> {
        let mut rest = bytes;
        let mut read = Vec::with_capacity(parts);
        for _ in 0..parts {
            let (length, tail) = rest.split_first_chunk::<4>()?;
            let (part, tail) = tail.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            read.push(part);
            rest = tail;
        }
        Some((read, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_lane_are_neighbours_in_order_and_no_other_lane_is_among_them() {
        let key = |lane: &str, n| Key::of("matrix").and(lane.as_bytes()).number(n).bytes();
        let range = Key::of("matrix").and(b"!a").range();

        let within = |key: &Vec<u8>| range.contains(key);

        assert!(within(&key("!a", 0)) && within(&key("!a", u64::MAX)));
        assert!(key("!a", 1) < key("!a", 256));
        assert!(!within(&key("!b", 0)) && !within(&key("!a!", 0)) && !within(&key("!", 7)));
    }

    #[test]
    fn a_key_reads_back() {
        let key = Key::of("matrix").and(b"!a").number(7).bytes();

        assert_eq!(Key::read(&key, 2), Some((vec![b"matrix".as_slice(), b"!a"], 7)));
        assert_eq!(Key::read(&key[1..], 2), None);
        assert_eq!(Key::read(&key, 1), None);
        assert_eq!(
            Key::parts(&Key::of("matrix").and(b"!a").bytes(), 2),
            Some(vec![b"matrix".as_slice(), b"!a"])
        );
        assert_eq!(Key::parts(&key, 2), None);
    }
}
