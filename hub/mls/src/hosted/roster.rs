//! Who holds which leaf, now and one epoch ago.

use std::collections::BTreeMap;

use openmls::prelude::MlsGroup;
use openmls::prelude::tls_codec::Serialize as _;
use serde::{Deserialize, Serialize};

use super::faults::HostedFault;
use super::secret::Bytes;
use crate::Member;
use crate::ids::LeafIndex;

/// The members of one epoch by leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Roster(BTreeMap<LeafIndex, Member>);

impl Roster {
    pub(super) fn of(group: &MlsGroup) -> Result<Self, HostedFault> {
        let mut members = BTreeMap::new();
        for member in group.members() {
            let leaf = LeafIndex(member.index.u32());
            let credential = member.credential.tls_serialize_detached().map_err(HostedFault::internal)?;
            members.insert(leaf, Member { leaf, credential, signature_key: member.signature_key });
        }
        Ok(Self(members))
    }

    pub(super) fn member(&self, leaf: LeafIndex) -> Option<&Member> {
        self.0.get(&leaf)
    }

    pub(super) fn members(&self) -> impl ExactSizeIterator<Item = &Member> {
        self.0.values()
    }

    pub(super) fn leaf_with_key(&self, signature_key: &[u8]) -> Option<LeafIndex> {
        self.0.values().find(|member| member.signature_key == signature_key).map(|member| member.leaf)
    }

    /// The members of `self` whose leaf holds somebody else, or nobody, in `other`.
    pub(super) fn missing_in(&self, other: &Self) -> Vec<Member> {
        let gone = |member: &&Member| {
            other.member(member.leaf).is_none_or(|still| still.signature_key != member.signature_key)
        };
        self.0.values().filter(gone).cloned().collect()
    }
}

/// What the roster looked like one epoch ago, as the difference to now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FormerMembers(BTreeMap<LeafIndex, Option<Member>>);

impl FormerMembers {
    pub(super) fn between(before: &Roster, now: &Roster) -> Self {
        let mut changed = BTreeMap::new();
        for (leaf, member) in &before.0 {
            if now.member(*leaf) != Some(member) {
                changed.insert(*leaf, Some(member.clone()));
            }
        }
        let come = now.0.keys().filter(|leaf| before.member(**leaf).is_none());
        changed.extend(come.map(|leaf| (*leaf, None)));
        Self(changed)
    }

    /// Who held `leaf` before all these changes, the earliest first, given who holds it `now`.
    pub(super) fn member<'a>(
        changes: impl IntoIterator<Item = &'a Self>,
        now: &'a Roster,
        leaf: LeafIndex,
    ) -> Option<&'a Member> {
        let former = changes.into_iter().find_map(|changed| changed.0.get(&leaf));
        former.map_or_else(|| now.member(leaf), Option::as_ref)
    }

    pub(super) fn snapshot(&self) -> Vec<(u32, Option<MemberSnapshot>)> {
        self.0.iter().map(|(leaf, member)| (leaf.0, member.as_ref().map(MemberSnapshot::of))).collect()
    }

    pub(super) fn load(snapshot: Vec<(u32, Option<MemberSnapshot>)>) -> Self {
        let changed = snapshot.into_iter().map(|(leaf, member)| {
            let leaf = LeafIndex(leaf);
            (leaf, member.map(|member| member.load(leaf)))
        });
        Self(changed.collect())
    }
}

/// A member as he is stored; his leaf is the key he is stored under.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MemberSnapshot {
    credential: Bytes,
    signature_key: Bytes,
}

impl MemberSnapshot {
    fn of(member: &Member) -> Self {
        Self {
            credential: Bytes(member.credential.clone()),
            signature_key: Bytes(member.signature_key.clone()),
        }
    }

    fn load(self, leaf: LeafIndex) -> Member {
        Member { leaf, credential: self.credential.0, signature_key: self.signature_key.0 }
    }
}
