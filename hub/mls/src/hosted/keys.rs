//! The pool of private HPKE keys a room's hosted leaves know, and which leaf could read with them.

use std::collections::BTreeMap;

use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{MlsGroup, Node};
use serde::{Deserialize, Serialize};

use super::faults::HostedFault;
use super::secret::{Bytes, Secret};
use crate::ids::LeafIndex;
use crate::tls::Reading;

/// A node's HPKE key pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyPair {
    pub(super) public: Bytes,
    pub(super) private: Secret,
}

/// Private keys by public key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyPool(BTreeMap<Vec<u8>, Secret>);

impl KeyPool {
    pub(super) fn insert(&mut self, pair: KeyPair) {
        self.0.insert(pair.public.0, pair.private);
    }

    pub(super) fn extend(&mut self, pairs: impl IntoIterator<Item = KeyPair>) {
        for pair in pairs {
            self.insert(pair);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = KeyPair> + '_ {
        self.0
            .iter()
            .map(|(public, private)| KeyPair { public: Bytes(public.clone()), private: private.clone() })
    }

    /// Forgets the keys of nodes that are not in `tree` any more.
    pub(super) fn retain_in(&mut self, tree: &TreeKeys) {
        let live: std::collections::BTreeSet<&[u8]> =
            tree.nodes.iter().flatten().map(|node| node.public.as_slice()).collect();
        self.0.retain(|public, _| live.contains(public.as_slice()));
    }

    fn pair(&self, public: &[u8]) -> Option<KeyPair> {
        let private = self.0.get(public)?.clone();
        Some(KeyPair { public: Bytes(public.to_vec()), private })
    }
}

/// The public keys of a ratchet tree, node by node.
pub(super) struct TreeKeys {
    nodes: Vec<Option<NodeKey>>,
}

struct NodeKey {
    public: Vec<u8>,
    unmerged_leaves: Vec<u32>,
}

impl TreeKeys {
    pub(super) fn of(group: &MlsGroup) -> Result<Self, HostedFault> {
        let exported = rmp_serde::to_vec(&group.export_ratchet_tree()).map_err(HostedFault::internal)?;
        let nodes: Vec<Option<Node>> = rmp_serde::from_slice(&exported).map_err(HostedFault::internal)?;
        let nodes = nodes
            .iter()
            .map(|node| node.as_ref().map(NodeKey::of).transpose())
            .collect::<Result<_, HostedFault>>()?;
        Ok(Self { nodes })
    }

    /// The keys with which `leaf` can read a commit of `committer`, if `pool` holds all of them.
    ///
    /// Wanted are the leaf's own key and those of the set nodes above it, up to where the committer's new path begins;
    /// a node that the leaf has not been merged into is not its to know. Without a known committer the way ends at the
    /// root.
    pub(super) fn path_keys(
        &self,
        leaf: LeafIndex,
        committer: Option<LeafIndex>,
        pool: &KeyPool,
    ) -> Option<Vec<KeyPair>> {
        let own = self.node(leaf.0.checked_mul(2)?)?;
        let mut keys = vec![pool.pair(&own.public)?];
        let common =
            committer.map_or(u32::BITS, |committer| u32::BITS - (leaf.0 ^ committer.0).leading_zeros());
        for level in 1..u32::BITS {
            let Some(node) = self.ancestor(leaf, level) else { continue };
            if node.unmerged_leaves.contains(&leaf.0) {
                continue;
            }
            match pool.pair(&node.public) {
                Some(pair) => keys.push(pair),
                None if level >= common => {}
                None => return None,
            }
        }
        Some(keys)
    }

    /// The node `level` steps above a leaf in the array form of the tree (RFC 9420 appendix C), if it is set.
    fn ancestor(&self, leaf: LeafIndex, level: u32) -> Option<&NodeKey> {
        let width = 1_u64.checked_shl(level + 1)?;
        let index = u64::from(leaf.0 >> level) * width + (1_u64 << level) - 1;
        self.node(u32::try_from(index).ok()?)
    }

    fn node(&self, index: u32) -> Option<&NodeKey> {
        self.nodes.get(usize::try_from(index).ok()?)?.as_ref()
    }
}

impl NodeKey {
    fn of(node: &Node) -> Result<Self, HostedFault> {
        match node {
            Node::LeafNode(leaf) => Ok(Self {
                public: super::overlay::public_key_bytes(leaf.encryption_key())?,
                unmerged_leaves: Vec::new(),
            }),
            Node::ParentNode(parent) => {
                let encoded = parent.tls_serialize_detached().map_err(HostedFault::internal)?;
                Self::decode_parent(&encoded)
                    .ok_or_else(|| HostedFault::internal("a parent node does not decode"))
            }
        }
    }

    /// Reads the `ParentNode` struct of RFC 9420 §7.1.
    fn decode_parent(encoded: &[u8]) -> Option<Self> {
        let mut reading = Reading(encoded);
        let public = reading.vector()?.to_vec();
        let _parent_hash = reading.vector()?;
        let (leaves, rest) = reading.vector()?.as_chunks::<4>();
        rest.is_empty().then(|| Self {
            public,
            unmerged_leaves: leaves.iter().map(|leaf| u32::from_be_bytes(*leaf)).collect(),
        })
    }
}
