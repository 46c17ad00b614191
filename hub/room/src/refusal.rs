//! The room's no, and why.

use mimi_mls::{Epoch, IdentityError, InvalidSafeAad, MlsFault, MlsRefusal};
use mimi_room_policy::{ComponentError, DenyReason, Finding, PolicyError};
use mimi_uri::{Domain, UserUri};

/// The protocol's own no: an answer to the peer, not an error. The room has not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The handshake is of another epoch than the room.
    #[error("the room is in epoch {current}")]
    WrongEpoch {
        /// The room's epoch.
        current: Epoch,
    },
    /// The message is of an epoch that has passed for too long.
    #[error("the message is too old for epoch {current}")]
    EpochTooOld {
        /// The room's epoch.
        current: Epoch,
    },
    /// Policy or authorization forbids it, or it makes no sense.
    #[error("{0}")]
    NotAllowed(Reason),
    /// A proposal in it is invalid, or its author may not make it.
    #[error("a proposal is invalid: {0}")]
    InvalidProposal(Reason),
    /// Nobody can say yet: the identity roots of a provider are needed first, then ask again.
    #[error("the identity roots of {0} are needed")]
    UnknownRoots(Domain),
}

/// Why something is refused. For the log, and for the peer's developer where the answer has room for words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The provider speaks for a user of another one (G2).
    #[error("a provider speaks for its own users only")]
    NotThatProvider,
    /// The message is for another group than the room's.
    #[error("the message is for another group")]
    OtherGroup,
    /// The key that an answer is to be sealed for is none.
    #[error("the HPKE key is none of the suite")]
    HpkeKey,
    /// The request is about another room.
    #[error("the request is about another room")]
    OtherRoom,
    /// "Nonsensical inputs such as an MLS epoch more recent than the hub's".
    #[error("epoch {0} has not begun")]
    EpochNotBegun(Epoch),
    /// The sender had no client in the group in the message's epoch.
    #[error("the sender had no client in the group in epoch {0}")]
    NotActiveThen(Epoch),
    /// Only a `PrivateMessage` with application content is submitted.
    #[error("not an application message")]
    NotAnApplicationMessage,
    /// The message is longer than a message may be.
    #[error("an application message has at most {} bytes", crate::limits::MESSAGE_LENGTH_MAX)]
    MessageTooLong,
    /// The room demands a `SafeAAD`, and the authenticated data is none (EM6).
    #[error(transparent)]
    SafeAad(#[from] InvalidSafeAad),
    /// The `SafeAAD` has an item of a component that neither we nor the room know.
    #[error("component {0:#06x} has no place in this room's SafeAAD")]
    UnknownAad(u16),
    /// The franking tag is not one.
    #[error("a franking tag has 32 bytes")]
    FrankingTag,
    /// The policy denies it.
    #[error(transparent)]
    Denied(#[from] Box<DenyReason>),
    /// MLS does not allow it, or what came with it does not belong to it.
    #[error(transparent)]
    Mls(#[from] Box<MlsRefusal>),
    /// The commit leaves out pending proposals that it must cover (I5).
    #[error("missing-pending-proposals")]
    MissingPendingProposals,
    /// An external commit would void what members have proposed against somebody; a member commits that first \[I\].
    #[error("pending-proposals-come-first")]
    PendingProposalsFirst,
    /// The updates do not fit their component.
    #[error(transparent)]
    Component(#[from] Box<ComponentError>),
    /// A member cannot prove who he is.
    #[error(transparent)]
    Identity(#[from] Box<IdentityError>),
    /// A leaf would change its user or client (A12).
    #[error("a leaf keeps its user and its client")]
    OtherIdentity,
    /// An external commit removes a leaf that is not the joiner's own old one (G11).
    #[error("an external commit removes the joiner's own old leaf and no other")]
    ForeignLeaf,
    /// A proposal is about a leaf without a member.
    #[error("the leaf has no member")]
    NoSuchLeaf,
    /// The `KeyPackage` is not valid now, or for longer than the room allows (G7).
    #[error("the KeyPackage has expired, or lives longer than the room allows")]
    KeyPackageLifetime,
    /// The proposer is an external sender that the hub does not know.
    #[error("only the hub proposes from outside as an external sender")]
    UnknownExternalSender,
    /// The hub would not be an external sender any more (I8).
    #[error("the hub is an external sender of every room")]
    HubNotExternalSender,
    /// The proposals of one request are not of one user \[I\].
    #[error("the proposals of a request have one author")]
    SeveralAuthors,
    /// The same thing is proposed twice in one request.
    #[error("a request proposes nothing twice")]
    ProposedTwice,
    /// As many proposals are pending as may be.
    #[error("too many proposals are pending")]
    TooManyPending,
    /// The new group of a `ReInit` is not followed here yet \[I\].
    #[error("this hub does not follow a ReInit")]
    ReInit,
    /// The ratchet tree is where the hub does not fetch it.
    #[error("the ratchet tree must be full or left to the hub")]
    RatchetTreeElsewhere,
    /// The room's franking agent is not the hub's (A6).
    #[error("the franking agent is the hub's")]
    FrankingAgent,
    /// The hub could not read the room's handshakes.
    #[error("handshakes must be public messages")]
    HandshakeFormats,
    /// More people than this hub takes into a room (I9).
    #[error("more participants or clients than this hub allows")]
    Envelope,
    /// The components make no policy.
    #[error(transparent)]
    Policy(#[from] Box<PolicyError>),
    /// The policy contradicts itself.
    #[error("{0}")]
    Inconsistent(Box<Finding>),
    /// A user would have clients in the group that he may not have (I1).
    #[error("{0} may not have these clients in the group")]
    Preemption(UserUri),
    /// The room to be founded is of another domain, or its creator is.
    #[error("a hub founds rooms of its own domain, for its own users")]
    OtherDomain,
    /// The room to be founded has other members than its creator.
    #[error("a room is founded with its creator as the only member")]
    NotCreatorAlone,
    /// The creator is not on the list, or in a role without clients (G30).
    #[error("the creator is not an active participant")]
    CreatorNotListed,
}

/// We failed. Drop the room and load it again: it may be half changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub(crate) String);

/// Either no, while a decision is made.
pub(crate) enum No {
    Refusal(Refusal),
    Fault(Fault),
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Reason> for No {
    fn from(reason: Reason) -> Self {
        Self::Refusal(Refusal::NotAllowed(reason))
    }
}

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<MlsFault> for No {
    fn from(fault: MlsFault) -> Self {
        Self::Fault(Fault(fault.to_string()))
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::NotAllowed(reason)
    }
}

impl From<DenyReason> for Refusal {
    fn from(reason: DenyReason) -> Self {
        Self::NotAllowed(Reason::Denied(Box::new(reason)))
    }
}

impl From<IdentityError> for Refusal {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::UnknownRoot(domain) => Self::UnknownRoots(domain),
            error => Self::InvalidProposal(Reason::Identity(Box::new(error))),
        }
    }
}
