//! A consent record as bytes, for a store that does not look into them.
//!
//! Version 1: `1 ‖ state ‖ updated_at ‖ expires_at ‖ requests ‖ requester ‖ target ‖ room`; numbers big-endian (8, 8, 4
//! bytes; no expiry is the greatest number), identifiers with two bytes of length before them, no room is an empty one.

use mimi_uri::{InvalidUri, RoomUri, UserUri};

use crate::limits::RECORD_LENGTH_MAX;
use crate::{ConsentRecord, ConsentState, Scope, Seconds};

const VERSION: u8 = 1;
const NEVER: u64 = u64::MAX;

/// Why bytes are not a consent record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Cut off, or with a rest.
    #[error("a consent record is cut off, or too long")]
    Length,
    /// Written by a version that we do not know.
    #[error("a consent record of version {0}")]
    Version(u8),
    /// No such state.
    #[error("a consent record in state {0}")]
    State(u8),
    /// An identifier that is none.
    #[error("a consent record of whom: {0}")]
    Identifier(#[from] InvalidUri),
}

impl ConsentState {
    /// Its stored number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The state of a stored number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::Asked),
            2 => Some(Self::Granted),
            3 => Some(Self::Denied),
            4 => Some(Self::Expired),
            5 => Some(Self::Blocked),
            6.. => None,
        }
    }
}

impl ConsentRecord {
    /// The record as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.state.number()];
        bytes.extend(self.updated_at.0.to_be_bytes());
        bytes.extend(self.expires_at.map_or(NEVER, |at| at.0).to_be_bytes());
        bytes.extend(self.requests.to_be_bytes());
        let room = self.scope.room.as_ref().map_or("", RoomUri::as_str);
        for text in [self.scope.requester.as_str(), self.scope.target.as_str(), room] {
            // An identifier has at most 1024 bytes.
            let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(text.bytes());
        }
        bytes
    }

    /// The record of these bytes, all of them.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > RECORD_LENGTH_MAX {
            return Err(RecordError::Length);
        }
        let mut reader = Reader(bytes);
        let [version] = reader.take()?;
        if version != VERSION {
            return Err(RecordError::Version(version));
        }
        let [state] = reader.take()?;
        let state = ConsentState::from_number(state).ok_or(RecordError::State(state))?;
        let updated_at = Seconds(u64::from_be_bytes(reader.take()?));
        let expires_at = Some(u64::from_be_bytes(reader.take()?)).filter(|at| *at != NEVER).map(Seconds);
        let requests = u32::from_be_bytes(reader.take()?);
        let (requester, target) =
            (UserUri::parse_bytes(reader.text()?)?, UserUri::parse_bytes(reader.text()?)?);
        let room = reader.text()?;
        let room = if room.is_empty() { None } else { Some(RoomUri::parse_bytes(room)?) };
        reader.end()?;
        let scope = Scope { requester, target, room };
        Ok(Self { scope, state, updated_at, expires_at, requests })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(RecordError::Length)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn text(&mut self) -> Result<&'a [u8], RecordError> {
        let length = u16::from_be_bytes(self.take()?);
        let (text, rest) = self.0.split_at_checked(usize::from(length)).ok_or(RecordError::Length)?;
        self.0 = rest;
        Ok(text)
    }

    fn end(self) -> Result<(), RecordError> {
        if self.0.is_empty() { Ok(()) } else { Err(RecordError::Length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(state: u8, room: Option<&str>) -> ConsentRecord {
        ConsentRecord {
            scope: Scope {
                requester: UserUri::parse("mimi://a.example/u/a").unwrap(),
                target: UserUri::parse("mimi://b.example/u/b").unwrap(),
                room: room.map(|room| RoomUri::parse(room).unwrap()),
            },
            state: ConsentState::from_number(state).unwrap(),
            updated_at: Seconds(1),
            expires_at: Some(Seconds(2)),
            requests: 3,
        }
    }

    #[test]
    fn version_one_is_these_bytes() {
        let mut expected = vec![1, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 20];
        expected.extend(b"mimi://a.example/u/a\0\x14mimi://b.example/u/b\0\0");

        assert_eq!(record(2, None).encode(), expected);
    }

    #[test]
    fn other_versions_states_and_lengths_are_refused() {
        let bytes = record(2, None).encode();
        let with = |at: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            ConsentRecord::decode(&bytes)
        };

        assert_eq!(with(0, 2), Err(RecordError::Version(2)));
        assert_eq!(with(1, 6), Err(RecordError::State(6)));
        assert_eq!(with(24, b'x'), Err(RecordError::Identifier(InvalidUri::Scheme)));
        assert_eq!(ConsentRecord::decode(&bytes[..bytes.len() - 1]), Err(RecordError::Length));
        assert_eq!(ConsentRecord::decode(&[&bytes[..], &[0]].concat()), Err(RecordError::Length));
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(
            state in 0..6u8, updated in any::<u64>(), expires in proptest::option::of(0..NEVER), requests in any::<u32>(),
            room in proptest::option::of("mimi://h\\.example/r/[a-z]{1,9}"),
        ) {
            let record = ConsentRecord {
                updated_at: Seconds(updated), expires_at: expires.map(Seconds), requests,
                ..record(state, room.as_deref())
            };

            prop_assert_eq!(ConsentRecord::decode(&record.encode()), Ok(record));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(record) = ConsentRecord::decode(&bytes) {
                prop_assert_eq!(record.encode(), bytes);
            }
        }
    }
}
