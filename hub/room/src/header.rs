//! The light part of a room: all that accepting a message needs.

use mimi_mls::{ClientIdentity, Epoch, GroupId, LeafIndex};
use mimi_room_policy::{Action, RoomPolicy, Roster};
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::{RequestHash, Timestamp};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::lanes::Followers;
use crate::leaves::Leaves;
use crate::past::PastEpochs;
use crate::pending::PendingActions;
use crate::refusal::Fault;

/// The first byte: the layout of what follows.
const VERSION: u8 = 1;

pub(crate) struct Header {
    pub(crate) uri: RoomUri,
    pub(crate) founded: Founded,
    pub(crate) group_id: GroupId,
    pub(crate) epoch: Epoch,
    /// The committed components (I2), parsed.
    pub(crate) policy: RoomPolicy,
    pub(crate) leaves: Leaves,
    pub(crate) pending: PendingActions,
    pub(crate) past: PastEpochs,
    /// The effective state: list, leaves and what is pending, taken together.
    pub(crate) roster: Roster,
}

/// By which request, and when, the room was founded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Founded {
    pub(crate) by: RequestHash,
    pub(crate) at: Timestamp,
}

impl Header {
    /// Who gets what the room logs.
    pub(crate) fn followers(&self) -> Followers {
        Followers::of(&self.roster, self.hub())
    }

    pub(crate) fn hub(&self) -> &Domain {
        self.uri.domain()
    }

    /// Whether somebody of this provider is on the list.
    pub(crate) fn lists(&self, provider: &Domain) -> bool {
        self.policy.participants.participants.iter().any(|pair| pair.user.domain() == provider)
    }

    /// The oldest epoch whose messages are still accepted.
    pub(crate) fn oldest_epoch(&self) -> Epoch {
        let tolerance = u64::from(self.policy.epoch_tolerance()).min(self.past.known());
        Epoch(self.epoch.0.saturating_sub(tolerance))
    }

    /// The people of the room without what is pending.
    pub(crate) fn committed(&self) -> Roster {
        Roster::new(&self.policy.participants, self.leaves.users())
    }

    /// What these actions bring about counts from now on.
    pub(crate) fn propose(&mut self, actions: &[Action]) {
        for action in actions {
            self.pending.note(action);
            self.roster.propose(action);
        }
    }

    /// The next epoch begins: nothing is pending in it.
    pub(crate) fn begin_epoch(&mut self, epoch: Epoch, policy: RoomPolicy, leaves: Leaves) {
        self.past.end(self.epoch, &self.leaves.active(), &leaves.active(), policy.epoch_tolerance());
        self.epoch = epoch;
        self.roster = Roster::new(&policy.participants, leaves.users());
        self.policy = policy;
        self.leaves = leaves;
        self.pending = PendingActions::default();
    }

    /// The header as bytes, versioned.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let stored = Stored {
            founded_by: serde_bytes::ByteArray::new(self.founded.by.0),
            founded_at: self.founded.at,
            group_id: ByteBuf::from(self.group_id.as_bytes()),
            epoch: self.epoch.0,
            components: self.policy.components().map(|(id, bytes)| (id.0, ByteBuf::from(bytes))).collect(),
            leaves: self.leaves.iter().map(StoredLeaf::of).collect(),
            pending: self.pending.clone(),
            past: self.past.clone(),
        };
        let mut bytes = vec![VERSION];
        #[expect(
            clippy::expect_used,
            reason = "writing to memory cannot fail, and every field has an encoding"
        )]
        rmp_serde::encode::write(&mut bytes, &stored).expect("a header has an encoding");
        bytes
    }

    /// The header that [`encode`](Self::encode) wrote.
    pub(crate) fn decode(uri: RoomUri, bytes: &[u8]) -> Result<Self, Fault> {
        let fault =
            |why: &dyn std::fmt::Display| Fault(format!("the stored header of {uri} does not decode: {why}"));
        let Some((&VERSION, stored)) = bytes.split_first() else {
            return Err(fault(&"unknown version"));
        };
        let stored: Stored = rmp_serde::from_slice(stored).map_err(|why| fault(&why))?;
        let components = stored.components.iter().map(|(id, bytes)| (*id, bytes.as_slice()));
        let policy = RoomPolicy::from_components(components).map_err(|why| fault(&why))?;
        let leaves: Leaves = stored.leaves.into_iter().map(StoredLeaf::leaf).collect();
        let mut roster = Roster::new(&policy.participants, leaves.users());
        stored.pending.apply(&mut roster);
        Ok(Self {
            uri,
            founded: Founded { by: RequestHash(stored.founded_by.into_array()), at: stored.founded_at },
            group_id: GroupId::new(&stored.group_id),
            epoch: Epoch(stored.epoch),
            policy,
            leaves,
            pending: stored.pending,
            past: stored.past,
            roster,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    founded_by: serde_bytes::ByteArray<32>,
    founded_at: Timestamp,
    group_id: ByteBuf,
    epoch: u64,
    components: Vec<(u16, ByteBuf)>,
    leaves: Vec<StoredLeaf>,
    pending: PendingActions,
    past: PastEpochs,
}

#[derive(Serialize, Deserialize)]
struct StoredLeaf(u32, UserUri, ClientUri);

impl StoredLeaf {
    fn of((leaf, identity): (LeafIndex, &ClientIdentity)) -> Self {
        Self(leaf.0, identity.user.clone(), identity.client.clone())
    }

    fn leaf(self) -> (LeafIndex, ClientIdentity) {
        (LeafIndex(self.0), ClientIdentity { user: self.1, client: self.2 })
    }
}
