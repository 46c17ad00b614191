//! Why a hosted room could not do something: three audiences, three types.

use crate::components::ComponentRefused;
use crate::ids::{Epoch, LeafIndex};

/// A hosted room could not do what its owner asked.
#[derive(Debug, thiserror::Error)]
pub enum HostedFault {
    /// The leaf is not one of ours, or no longer.
    #[error("leaf {} is not hosted here", .0.0)]
    NotHosted(LeafIndex),
    /// The room cannot be followed until it was rejoined by external commit.
    #[error("the reader was removed and no hosted leaf could take over: resync first")]
    NeedsResync,
    /// A commit of ours waits for the hub's answer.
    #[error("a commit of ours is still unanswered")]
    CommitPending,
    /// There is no commit of ours that could be confirmed.
    #[error("no commit of ours is pending")]
    NoCommitPending,
    /// The group would not accept this commit or proposal; nothing changed.
    #[error("the group refuses this: {0}")]
    Refused(String),
    /// A component's rules refuse an update.
    #[error("a component refuses its update: {0}")]
    Component(#[from] ComponentRefused),
    /// A leaf has used all generations it may use in this epoch; the next epoch opens new ones.
    #[error("leaf {} has spent its generations of this epoch", .0.0)]
    GenerationsSpent(LeafIndex),
    /// The room's ciphersuite is not the one hosted leaves speak.
    #[error("the room's ciphersuite is not supported")]
    UnsupportedSuite,
    /// Received or stored bytes do not decode.
    #[error("{0} does not decode")]
    Malformed(&'static str),
    /// A Welcome that none of the given keys can open.
    #[error("the Welcome is for none of the given KeyPackages")]
    NotOurWelcome,
    /// The room has as many hosted leaves as one room may have.
    #[error("the room has too many hosted leaves")]
    TooManyLeaves,
    /// A bug, here or in a library; the room's state is unchanged.
    #[error("internal: {0}")]
    Internal(String),
}

impl HostedFault {
    pub(super) fn internal(why: impl std::fmt::Display) -> Self {
        Self::Internal(why.to_string())
    }

    pub(super) fn refused(why: impl std::fmt::Display) -> Self {
        Self::Refused(why.to_string())
    }
}

/// A received message could not be processed; the room is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ProcessFault {
    /// The bytes do not decode.
    #[error("the message does not decode")]
    Malformed,
    /// The message is for another group.
    #[error("the message is for another group")]
    OtherGroup,
    /// The message is of an epoch that we have not reached.
    #[error("the message is of epoch {}, the room is in epoch {}", epoch.0, current.0)]
    EpochNotBegun {
        /// The message's epoch.
        epoch: Epoch,
        /// Our epoch.
        current: Epoch,
    },
    /// The application message is of an epoch whose secrets were wiped.
    #[error("the message is of epoch {}, secrets are kept since epoch {}", epoch.0, oldest.0)]
    EpochTooOld {
        /// The message's epoch.
        epoch: Epoch,
        /// The oldest epoch that can still be read.
        oldest: Epoch,
    },
    /// The message was not sealed for this group and epoch, or was altered.
    #[error("the message cannot be decrypted")]
    Undecryptable,
    /// The message names a leaf that had no member in its epoch.
    #[error("leaf {} has no member", .0.0)]
    UnknownSender(LeafIndex),
    /// The signature is not the sender's.
    #[error("the signature is not that of leaf {}", .0.0)]
    BadSignature(LeafIndex),
    /// The generation was read before, or is too long past to tell.
    #[error("generation {generation} of leaf {} was read before", leaf.0)]
    AlreadyRead {
        /// The sender.
        leaf: LeafIndex,
        /// Its generation.
        generation: u32,
    },
    /// The generation is further ahead than a receiver walks.
    #[error("generation {generation} of leaf {} is too far ahead", leaf.0)]
    GenerationTooFarAhead {
        /// The sender.
        leaf: LeafIndex,
        /// Its generation.
        generation: u32,
    },
    /// The room demands a `SafeAAD` and the authenticated data is none.
    #[error("the authenticated data is not a SafeAAD")]
    MalformedSafeAad,
    /// A handshake that is not public: hubs could not have checked it, so rooms do not use it.
    #[error("a handshake message must be a PublicMessage")]
    PrivateHandshake,
    /// A proposal or commit that does not hold.
    #[error("the handshake is invalid: {0}")]
    InvalidHandshake(String),
    /// A commit changes a component against that component's rules.
    #[error("a component refuses its update: {0}")]
    Component(#[from] ComponentRefused),
    /// The room cannot be followed until it was rejoined by external commit.
    #[error("the room must be resynchronised first")]
    NeedsResync,
    /// A bug, here or in a library; the room's state is unchanged.
    #[error("internal: {0}")]
    Internal(String),
}

impl ProcessFault {
    pub(super) fn internal(why: impl std::fmt::Display) -> Self {
        Self::Internal(why.to_string())
    }

    pub(super) fn handshake(why: impl std::fmt::Display) -> Self {
        Self::InvalidHandshake(why.to_string())
    }
}

impl From<HostedFault> for ProcessFault {
    fn from(fault: HostedFault) -> Self {
        match fault {
            HostedFault::NeedsResync => Self::NeedsResync,
            HostedFault::Malformed(_) => Self::Malformed,
            HostedFault::Component(refused) => Self::Component(refused),
            HostedFault::Refused(why) => Self::InvalidHandshake(why),
            HostedFault::NotHosted(_)
            | HostedFault::CommitPending
            | HostedFault::NoCommitPending
            | HostedFault::GenerationsSpent(_)
            | HostedFault::UnsupportedSuite
            | HostedFault::NotOurWelcome
            | HostedFault::TooManyLeaves
            | HostedFault::Internal(_) => Self::Internal(fault.to_string()),
        }
    }
}
