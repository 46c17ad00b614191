//! The reader was removed: another hosted leaf reads on.

use super::faults::HostedFault;
use super::keys::{KeyPair, TreeKeys};
use super::limits::TAKEOVER_ATTEMPTS_MAX;
use super::logic::ComponentChanges;
use super::reader::{Reader, Replayed};
use super::room::HostedRoom;
use super::summary::HandshakeSender;
use crate::ids::LeafIndex;
use crate::message::MlsMessage;

impl HostedRoom {
    /// Finds a hosted leaf that can read the commit which removed the reader, and reads it as that leaf.
    ///
    /// First those whose keys are at hand: of their own leaf from their `KeyPackage`, of the nodes above from the reader
    /// and from readers before it. Then the second reader, after it caught up. Nothing if all fail.
    pub(super) fn take_over(
        &self,
        removal: &MlsMessage,
        sender: HandshakeSender,
        changes: &ComponentChanges,
    ) -> Result<Option<Reader>, HostedFault> {
        for (leaf, keys) in self.candidates(sender)? {
            let view = self.reader.view_as(leaf, &keys)?;
            if let Some(reader) = followed(view, removal, changes) {
                return Ok(Some(reader));
            }
        }
        let Some(second) = &self.second else { return Ok(None) };
        if !self.hosted.contains_key(&second.leaf) {
            return Ok(None);
        }
        let caught_up = second.replayed(self.group_id())?;
        Ok(caught_up.and_then(|reader| followed(reader, removal, changes)))
    }

    fn candidates(&self, committer: HandshakeSender) -> Result<Vec<(LeafIndex, Vec<KeyPair>)>, HostedFault> {
        let tree = TreeKeys::of(&self.reader.group)?;
        let reader = self.reader.leaf();
        let others = self.hosted.keys().filter(|leaf| **leaf != reader);
        let able = others.filter_map(|leaf| {
            let keys = tree.path_keys(*leaf, committer.member(), &self.pool)?;
            Some((*leaf, keys))
        });
        Ok(able.take(TAKEOVER_ATTEMPTS_MAX).collect())
    }
}

/// The reader after it has read `commit`, if it could and is still a member.
fn followed(mut reader: Reader, commit: &MlsMessage, changes: &ComponentChanges) -> Option<Reader> {
    match reader.replay(commit.as_bytes(), changes) {
        Ok(Replayed::Following) => Some(reader),
        Ok(Replayed::Removed) | Err(_) => None,
    }
}
