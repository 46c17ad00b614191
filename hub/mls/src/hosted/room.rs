//! The hosted room: its state, and what can be asked of it.

use std::collections::BTreeMap;

use openmls_rust_crypto::RustCrypto;

use super::commit::OwnPending;
use super::epoch::EpochSecrets;
use super::faults::HostedFault;
use super::keys::{KeyPool, TreeKeys};
use super::limits::{HOSTED_LEAVES_MAX, KEPT_PATH_KEYS_MAX, PAST_EPOCHS_MAX};
use super::logic::ComponentChanges;
use super::opener::Opener;
use super::reader::Reader;
use super::roster::{FormerMembers, Roster};
use super::second::SecondReader;
use super::sender::LeafSender;
use super::summary::{CommitSummary, HandshakeSender, ReaderFate};
use crate::Member;
use crate::identity::{ClientIdentity, read_identity};
use crate::ids::{Epoch, LeafIndex};
use crate::key_package::SigningKey;
use mimi_uri::UserUri;

/// One MIMI room as followed by one gateway for all its hosted users. See the [module](super) for how.
pub struct HostedRoom {
    pub(super) crypto: RustCrypto,
    pub(super) reader: Reader,
    pub(super) standing: Standing,
    pub(super) current: CurrentEpoch,
    /// The epochs before, the newest first.
    pub(super) past: Vec<PastEpoch>,
    pub(super) roster: Roster,
    pub(super) hosted: BTreeMap<LeafIndex, HostedLeaf>,
    pub(super) pool: KeyPool,
    pub(super) second: Option<SecondReader>,
    pub(super) pending: Option<OwnPending>,
}

/// Whether the reader still reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Standing {
    Following,
    NeedsResync,
    Gone,
}

/// The epoch in which hosted leaves speak.
pub(super) struct CurrentEpoch {
    pub(super) secrets: EpochSecrets,
    pub(super) senders: BTreeMap<LeafIndex, LeafSender>,
    pub(super) opener: Opener,
}

/// An epoch before, which is still read; nobody speaks in it any more.
///
/// While the log is followed this is the one before the current one. Our own commits are confirmed ahead of the log: what
/// the log tells on the way to them may be of epochs before that, and these are kept until it has come there.
pub(super) struct PastEpoch {
    pub(super) secrets: EpochSecrets,
    pub(super) opener: Opener,
    pub(super) former: FormerMembers,
}

/// One of ours.
#[derive(Debug, Clone)]
pub(super) struct HostedLeaf {
    pub(super) key: SigningKey,
    pub(super) signature_key: Vec<u8>,
    pub(super) identity: ClientIdentity,
}

impl HostedRoom {
    /// A room whose reader has just entered it.
    pub(super) fn enter(reader: Reader) -> Result<Self, HostedFault> {
        let secrets = reader.capture()?;
        let roster = Roster::of(&reader.group)?;
        let mut pool = KeyPool::default();
        pool.extend(reader.path_keys()?);
        Ok(Self {
            crypto: RustCrypto::default(),
            reader,
            standing: Standing::Following,
            current: CurrentEpoch { secrets, senders: BTreeMap::new(), opener: Opener::default() },
            past: Vec::new(),
            roster,
            hosted: BTreeMap::new(),
            pool,
            second: None,
            pending: None,
        })
    }

    /// The MLS group's id.
    pub fn group_id(&self) -> &[u8] {
        &self.current.secrets.group_id.0
    }

    /// The room's epoch, as far as we have followed it.
    pub fn epoch(&self) -> Epoch {
        self.current.secrets.epoch()
    }

    /// The epoch authenticator (RFC 9420 §8.7): equal at all who agree on the epoch.
    pub fn epoch_authenticator(&self) -> Vec<u8> {
        self.reader.group.epoch_authenticator().as_slice().to_vec()
    }

    /// All members, by leaf.
    pub fn members(&self) -> Vec<Member> {
        self.roster.members().cloned().collect()
    }

    /// The member at a leaf.
    pub fn member(&self, leaf: LeafIndex) -> Option<&Member> {
        self.roster.member(leaf)
    }

    /// The value of an application component of the room.
    pub fn component(&self, component: u16) -> Option<&[u8]> {
        self.reader.component(component)
    }

    /// The leaves that are ours, and whose they are.
    pub fn hosted_leaves(&self) -> Vec<(LeafIndex, ClientIdentity)> {
        self.hosted.iter().map(|(leaf, hosted)| (*leaf, hosted.identity.clone())).collect()
    }

    /// The leaf of a hosted user.
    pub fn leaf_of(&self, user: &UserUri) -> Option<LeafIndex> {
        self.hosted.iter().find(|(_, hosted)| hosted.identity.user == *user).map(|(leaf, _)| *leaf)
    }

    /// The hosted leaf that reads for all; before it leaves, let another hosted leaf commit.
    pub fn reader_leaf(&self) -> LeafIndex {
        self.reader.leaf()
    }

    /// Whether the room must be rejoined by [`resync`](Self::resync).
    pub fn needs_resync(&self) -> bool {
        self.standing == Standing::NeedsResync
    }

    /// The public tree of this epoch, as a TLS `ratchet_tree`.
    pub fn ratchet_tree(&self) -> Result<Vec<u8>, HostedFault> {
        use openmls::prelude::tls_codec::Serialize as _;

        self.reader.group.export_ratchet_tree().tls_serialize_detached().map_err(HostedFault::internal)
    }

    pub(super) fn hosted(&self, leaf: LeafIndex) -> Result<&HostedLeaf, HostedFault> {
        self.hosted.get(&leaf).ok_or(HostedFault::NotHosted(leaf))
    }

    pub(super) fn require_following(&self) -> Result<(), HostedFault> {
        match self.standing {
            Standing::Following => Ok(()),
            Standing::NeedsResync | Standing::Gone => Err(HostedFault::NeedsResync),
        }
    }

    /// Makes the member with `key` one of ours, if the room has him.
    pub(super) fn host(&mut self, key: SigningKey) -> Result<Option<LeafIndex>, HostedFault> {
        let Some(leaf) = self.roster.leaf_with_key(&key.public()) else { return Ok(None) };
        if self.hosted.len() >= HOSTED_LEAVES_MAX && !self.hosted.contains_key(&leaf) {
            return Err(HostedFault::TooManyLeaves);
        }
        let Some(member) = self.roster.member(leaf) else { return Ok(None) };
        let identity = read_identity(&member.credential).map_err(HostedFault::refused)?;
        let signature_key = member.signature_key.clone();
        self.hosted.insert(leaf, HostedLeaf { key, signature_key, identity });
        Ok(Some(leaf))
    }

    /// Brings everything to the epoch that `next`, or the present reader, has entered.
    ///
    /// All that can fail is done first; then the old epoch's senders are wiped. What is read no more is forgotten with
    /// [`forget_before`](Self::forget_before), by who knows how far the log was followed.
    pub(super) fn begin_epoch(
        &mut self,
        next: Option<Reader>,
        sender: HandshakeSender,
        changes: &ComponentChanges,
    ) -> Result<CommitSummary, HostedFault> {
        let reader = next.as_ref().unwrap_or(&self.reader);
        let secrets = reader.capture()?;
        let roster = Roster::of(&reader.group)?;
        let retiring = next.as_ref().map(|_| self.reader.path_keys()).transpose()?.unwrap_or_default();
        let gained = reader.path_keys()?;

        let added = roster.missing_in(&self.roster);
        let removed = self.roster.missing_in(&roster);
        let former = FormerMembers::between(&self.roster, &roster);
        if let Some(next) = next {
            self.reader = next;
        }
        self.pool.extend(retiring);
        self.pool.extend(gained);
        let before = std::mem::replace(
            &mut self.current,
            CurrentEpoch { secrets, senders: BTreeMap::new(), opener: Opener::default() },
        );
        let is_next = before.secrets.epoch.checked_add(1) == Some(self.current.secrets.epoch);
        if is_next {
            self.past.insert(0, PastEpoch { secrets: before.secrets, opener: before.opener, former });
            self.past.truncate(PAST_EPOCHS_MAX);
        } else {
            self.past.clear();
        }
        self.roster = roster;
        self.pending = None;
        self.standing = Standing::Following;
        let hosted_removed = self.follow_hosted();
        self.second.take_if(|second| !self.hosted.contains_key(&second.leaf));
        self.tidy_pool()?;
        Ok(CommitSummary {
            epoch: self.epoch(),
            sender,
            added,
            removed,
            components: changes.components(),
            hosted_removed,
            reader: ReaderFate::Following,
        })
    }

    /// The log has come to the end of `epoch`: messages of epochs before that are not accepted any more.
    pub(super) fn forget_before(&mut self, epoch: Epoch) {
        self.past.retain(|past| past.secrets.epoch() >= epoch);
    }

    /// Finds our leaves in the new roster, also those that came back at another leaf; who is not in it is forgotten.
    pub(super) fn follow_hosted(&mut self) -> Vec<LeafIndex> {
        let mut lost = Vec::new();
        for (leaf, hosted) in std::mem::take(&mut self.hosted) {
            let key = hosted.signature_key.as_slice();
            let still_there = self.roster.member(leaf).is_some_and(|member| member.signature_key == key);
            let found = if still_there { Some(leaf) } else { self.roster.leaf_with_key(key) };
            match found {
                Some(found) => drop(self.hosted.insert(found, hosted)),
                None => lost.push(leaf),
            }
        }
        lost
    }

    /// Keeps the pool to what the tree still uses, once in a while.
    fn tidy_pool(&mut self) -> Result<(), HostedFault> {
        if self.pool.len() > self.hosted.len() + KEPT_PATH_KEYS_MAX {
            self.pool.retain_in(&TreeKeys::of(&self.reader.group)?);
        }
        Ok(())
    }
}

impl std::fmt::Debug for HostedRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostedRoom")
            .field("epoch", &self.epoch())
            .field("reader", &self.reader_leaf())
            .field("hosted", &self.hosted.len())
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}
