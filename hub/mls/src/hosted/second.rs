//! The second reader: a former reader, put away cold, with the handshakes it has missed.
//!
//! When the reader is removed, a leaf in another part of the tree may still be able to follow: the reader before it
//! knew every key of its own path. It is not kept up to date, for that would double the cost of every commit; what it
//! has missed is kept and replayed when it is needed.

use super::faults::HostedFault;
use super::limits::{RETAINED_BYTES_MAX, RETAINED_HANDSHAKES_MAX};
use super::logic::ComponentChanges;
use super::reader::{Reader, Replayed};
use super::room::HostedRoom;
use super::secret::Bytes;
use crate::ids::LeafIndex;
use crate::message::MlsMessage;
use crate::provider::Provider;

/// A former reader and what has happened since.
pub(super) struct SecondReader {
    pub(super) leaf: LeafIndex,
    pub(super) provider: Provider,
    pub(super) missed: Vec<Missed>,
}

/// A handshake the second reader has not processed, with what it did to the components.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Missed {
    pub(super) message: Bytes,
    pub(super) changes: ComponentChanges,
}

impl SecondReader {
    /// Puts `reader` away as it is now.
    pub(super) fn retire(reader: &Reader) -> Self {
        Self { leaf: reader.leaf(), provider: reader.provider.fork(), missed: Vec::new() }
    }

    /// Wakes a copy up and lets it catch up; nothing if it cannot.
    pub(super) fn replayed(&self, group_id: &[u8]) -> Result<Option<Reader>, HostedFault> {
        let mut reader = Reader::load(self.provider.fork(), group_id)?;
        for missed in &self.missed {
            match reader.replay(&missed.message.0, &missed.changes) {
                Ok(Replayed::Following) => {}
                Ok(Replayed::Removed) | Err(_) => return Ok(None),
            }
        }
        Ok(Some(reader))
    }

    fn is_too_far_behind(&self) -> bool {
        let bytes: usize = self.missed.iter().map(|missed| missed.message.0.len()).sum();
        self.missed.len() > RETAINED_HANDSHAKES_MAX || bytes > RETAINED_BYTES_MAX
    }
}

impl HostedRoom {
    /// Keeps a processed handshake for the second reader; one that is too far behind is let go.
    pub(super) fn retain(&mut self, message: &MlsMessage, changes: &ComponentChanges) {
        let Some(second) = &mut self.second else { return };
        second.missed.push(Missed { message: Bytes(message.as_bytes().to_vec()), changes: changes.clone() });
        if second.is_too_far_behind() {
            self.second = None;
        }
    }
}
