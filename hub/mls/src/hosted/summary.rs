//! What a processed message meant.

use openmls::prelude::tls_codec::Serialize as _;
use openmls::prelude::{Sender, SenderExtensionIndex};

use crate::Member;
use crate::ids::{Epoch, LeafIndex};

/// The outcome of [`HostedRoom::process`](super::HostedRoom::process).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processed {
    /// Somebody said something.
    Application(Application),
    /// The room entered a new epoch.
    Commit(CommitSummary),
    /// A proposal waits for a commit.
    Proposal(ProposalSummary),
    /// Nothing happened, and nothing had to.
    Ignored(Ignored),
}

/// An application message, read once for all hosted leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The sender's leaf; also of our own echoes.
    pub leaf: LeafIndex,
    /// The sender's TLS `Credential` in the message's epoch.
    pub credential: Vec<u8>,
    /// The epoch it was sent in: the room's, or the one before.
    pub epoch: Epoch,
    /// The sender's generation in that epoch.
    pub generation: u32,
    /// The authenticated data in clear, a `SafeAAD` where the room demands one.
    pub authenticated_data: Vec<u8>,
    /// The content.
    pub data: Vec<u8>,
}

/// What a commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSummary {
    /// The epoch that it began.
    pub epoch: Epoch,
    /// Who committed.
    pub sender: HandshakeSender,
    /// Members that were not at their leaf before.
    pub added: Vec<Member>,
    /// Members that are not at their leaf any more.
    pub removed: Vec<Member>,
    /// Components that were updated or removed, ascending.
    pub components: Vec<u16>,
    /// Hosted leaves that lost their place; they are forgotten.
    pub hosted_removed: Vec<LeafIndex>,
    /// What became of our reader.
    pub reader: ReaderFate,
}

/// Whether the room can still be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderFate {
    /// The reader follows, at the same leaf or at that of our own committer.
    Following,
    /// The reader was removed; this hosted leaf has taken over.
    TakenOver(LeafIndex),
    /// The reader was removed and no hosted leaf could take over: [`resync`](super::HostedRoom::resync) is needed.
    NeedsResync,
    /// No hosted leaf is left in the room; there is nothing to follow it for.
    Gone,
}

/// Who sent a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeSender {
    /// A member.
    Member(LeafIndex),
    /// Somebody who joined, or came back, by external commit, and now holds this leaf.
    Joiner(LeafIndex),
    /// An external sender of the room, by its place in the list: the hub.
    External(u32),
    /// Somebody outside who asks to be added.
    Applicant,
}

/// A proposal that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalSummary {
    /// Who proposed.
    pub sender: HandshakeSender,
    /// The `ProposalType`.
    pub proposal_type: u16,
    /// The leaf that would lose its place.
    pub removes: Option<LeafIndex>,
    /// The component that would be updated.
    pub component: Option<u16>,
}

/// Why nothing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// A handshake of an epoch that has ended: a late copy, or one that lost the race.
    EpochEnded,
    /// The proposal waits already.
    KnownProposal,
    /// Welcome, `GroupInfo` and `KeyPackage` change no room.
    NotOfTheRoom,
}

impl HandshakeSender {
    pub(super) fn of_proposal(sender: &Sender) -> Self {
        match sender {
            Sender::Member(leaf) => Self::Member(LeafIndex(leaf.u32())),
            Sender::External(index) => Self::External(external_index(*index)),
            Sender::NewMemberCommit | Sender::NewMemberProposal => Self::Applicant,
        }
    }

    /// The sender's leaf, if he has one.
    pub fn leaf(self) -> Option<LeafIndex> {
        match self {
            Self::Member(leaf) | Self::Joiner(leaf) => Some(leaf),
            Self::External(_) | Self::Applicant => None,
        }
    }

    /// The leaf of a sender that was a member before.
    pub(super) fn member(self) -> Option<LeafIndex> {
        match self {
            Self::Member(leaf) => Some(leaf),
            Self::Joiner(_) | Self::External(_) | Self::Applicant => None,
        }
    }
}

/// openmls keeps the number to itself, but not its encoding.
fn external_index(index: SenderExtensionIndex) -> u32 {
    let encoded = index.tls_serialize_detached().unwrap_or_default();
    encoded.try_into().map_or(u32::MAX, u32::from_be_bytes)
}
