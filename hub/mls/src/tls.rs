//! The few TLS presentation-language shapes that MLS structures are made of, read strictly and in place.

/// Appends `bytes` as an `opaque <V>` (RFC 9420 §2.1.2).
pub(crate) fn put_vector(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = bytes.len();
    if length < 1 << 6 {
        out.push(length.to_be_bytes()[size_of::<usize>() - 1]);
    } else if length < 1 << 14 {
        out.extend_from_slice(&(0x4000_u64 | length as u64).to_be_bytes()[6..]);
    } else {
        out.extend_from_slice(&(0x8000_0000_u64 | length as u64).to_be_bytes()[4..]);
    }
    out.extend_from_slice(bytes);
}

/// `bytes` as an `opaque <V>`.
pub(crate) fn vector(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 4);
    put_vector(&mut out, bytes);
    out
}

/// A cursor over received bytes; every read fails softly at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a>(pub(crate) &'a [u8]);

impl<'a> Reading<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn number16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn number32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn number64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads an `opaque <V>`; a length that is not minimally encoded is malformed (RFC 9420 §2.1.2).
    pub(crate) fn vector(&mut self) -> Option<&'a [u8]> {
        let first = self.byte()?;
        let (more, floor) = match first >> 6 {
            0 => (0, 0),
            1 => (1, 1 << 6),
            2 => (3, 1 << 14),
            _ => return None,
        };
        let mut length = usize::from(first & 0x3f);
        for byte in self.take(more)? {
            length = length << 8 | usize::from(*byte);
        }
        if length < floor {
            return None;
        }
        self.take(length)
    }

    /// Reads a vector of `uint16`.
    pub(crate) fn numbers16(&mut self) -> Option<Vec<u16>> {
        let (pairs, []) = self.vector()?.as_chunks::<2>() else { return None };
        Some(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
    }

    /// Reads a vector of structures.
    pub(crate) fn list<T>(&mut self, read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        Reading(self.vector()?).items(read)
    }

    /// Reads structures to the end of the bytes.
    pub(crate) fn items<T>(mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        while !self.is_empty() {
            items.push(read(&mut self)?);
        }
        Some(items)
    }

    /// The bytes that `read` consumed, beside what it made of them.
    pub(crate) fn span<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<(T, &'a [u8])> {
        let before = self.0;
        let value = read(self)?;
        let span = before.get(..before.len() - self.0.len())?;
        Some((value, span))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a structure that ends where `bytes` end.
pub(crate) fn whole<'a, T>(bytes: &'a [u8], read: impl FnOnce(&mut Reading<'a>) -> Option<T>) -> Option<T> {
    let mut reading = Reading(bytes);
    let value = read(&mut reading)?;
    reading.is_empty().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{Reading, vector, whole};

    #[test]
    fn every_length_is_written_in_its_shortest_form_and_read_back() {
        for length in [0, 1, 63, 64, 16_383, 16_384, 70_000] {
            let bytes = vec![7; length];

            let encoded = vector(&bytes);

            assert_eq!(whole(&encoded, Reading::vector), Some(bytes.as_slice()), "length {length}");
        }
    }

    #[test]
    fn a_length_that_could_be_shorter_is_refused() {
        assert_eq!(Reading(&[0x40, 0x01, 7]).vector(), None);
        assert_eq!(Reading(&[0x80, 0x00, 0x00, 0x01, 7]).vector(), None);
        assert_eq!(Reading(&[0xc0, 0, 0, 0, 0, 0, 0, 1, 7]).vector(), None);
    }

    #[test]
    fn a_vector_of_numbers_has_no_half_number() {
        assert_eq!(Reading(&[4, 0, 1, 0, 2]).numbers16(), Some(vec![1, 2]));
        assert_eq!(Reading(&[3, 0, 1, 0]).numbers16(), None);
    }
}
