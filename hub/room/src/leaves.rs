use std::collections::{BTreeMap, BTreeSet};

use mimi_mls::{ClientIdentity, LeafIndex};
use mimi_uri::UserUri;

/// Who sits at which leaf of the group, as their credentials have proved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Leaves(BTreeMap<LeafIndex, ClientIdentity>);

impl Leaves {
    pub(crate) fn at(&self, leaf: LeafIndex) -> Option<&ClientIdentity> {
        self.0.get(&leaf)
    }

    pub(crate) fn insert(&mut self, leaf: LeafIndex, identity: ClientIdentity) {
        self.0.insert(leaf, identity);
    }

    pub(crate) fn remove(&mut self, leaf: LeafIndex) {
        self.0.remove(&leaf);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (LeafIndex, &ClientIdentity)> {
        self.0.iter().map(|(leaf, identity)| (*leaf, identity))
    }

    /// The user of every leaf.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserUri> {
        self.0.values().map(|identity| &identity.user)
    }

    /// The users with a leaf: the active participants (I10).
    pub(crate) fn active(&self) -> BTreeSet<UserUri> {
        self.users().cloned().collect()
    }
}

impl FromIterator<(LeafIndex, ClientIdentity)> for Leaves {
    fn from_iter<T: IntoIterator<Item = (LeafIndex, ClientIdentity)>>(leaves: T) -> Self {
        Self(leaves.into_iter().collect())
    }
}
