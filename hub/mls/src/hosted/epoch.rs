//! The secrets of one epoch: common to all members, so one copy serves every hosted leaf.

use openmls_rust_crypto::RustCrypto;
use serde::{Deserialize, Serialize};

use super::faults::HostedFault;
use super::secret::{Bytes, Secret};
use crate::ids::{Epoch, LeafIndex};

/// What one epoch gives to a member, whoever he is (RFC 9420 §8).
///
/// Forward secrecy within our own process has the granularity of the epoch: the root of the secret tree is held until
/// the epoch ends, for every hosted leaf must be able to begin to speak; then sending ends, and one epoch later the
/// root is wiped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EpochSecrets {
    pub(super) group_id: Bytes,
    pub(super) epoch: u64,
    /// The serialised `GroupContext`; part of everything a member signs.
    pub(super) group_context: Bytes,
    pub(super) sender_data_secret: Secret,
    pub(super) membership_key: Secret,
    /// `encryption_secret`, the root of the secret tree (RFC 9420 §9).
    pub(super) encryption_secret: Secret,
    /// Leaves of the full tree, a power of two.
    pub(super) tree_width: u32,
}

impl EpochSecrets {
    pub(super) fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }

    /// The first secret of a leaf's application ratchet, or nothing if the tree has no such leaf.
    pub(super) fn application_ratchet(
        &self,
        crypto: &RustCrypto,
        leaf: LeafIndex,
    ) -> Result<Option<Secret>, HostedFault> {
        if leaf.0 >= self.tree_width {
            return Ok(None);
        }
        let mut node = self.encryption_secret.clone();
        for level in (0..self.tree_width.trailing_zeros()).rev() {
            let side: &[u8] = if leaf.0 >> level & 1 == 0 { b"left" } else { b"right" };
            node = node.derive(crypto, "tree", side)?;
        }
        node.derive(crypto, "application", b"").map(Some)
    }
}
