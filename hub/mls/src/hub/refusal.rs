use crate::components::ComponentRefused;
use crate::ids::{Epoch, KeyPackageRef, LeafIndex, ProposalRef};
use crate::limits::PENDING_PROPOSALS_MAX;
use crate::safe_aad::InvalidSafeAad;

/// What a peer did wrong: its handshake, or what came with it, is not accepted. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MlsRefusal {
    /// The handshake is of another epoch than the group.
    #[error("the group is in epoch {current}")]
    WrongEpoch {
        /// The group's epoch.
        current: Epoch,
    },
    /// The handshake is for another group.
    #[error("the message is for another group")]
    OtherGroup,
    /// The message is not a proposal or commit in a `PublicMessage`, so it cannot be checked.
    #[error("a handshake is a PublicMessage with a proposal or commit")]
    NotAHandshake,
    /// Bytes that do not decode.
    #[error("{0} does not decode")]
    Malformed(&'static str),
    /// The group would not be of our ciphersuite.
    #[error("ciphersuite {0:#06x} is not spoken here")]
    Suite(u16),
    /// The rules of MLS are broken: a signature, the tree, the list of proposals.
    #[error("MLS does not allow this: {0}")]
    Invalid(String),
    /// The room demands a SafeAAD (EM6), and the authenticated data is none.
    #[error(transparent)]
    SafeAad(#[from] InvalidSafeAad),
    /// A commit refers to a proposal that is not pending.
    #[error("a referenced proposal is not pending")]
    UnknownProposal(ProposalRef),
    /// A `SelfRemove` by value, from outside, or a second one of the same member (EM7).
    #[error("a SelfRemove {0}")]
    SelfRemove(&'static str),
    /// An external commit that does more than joining (RFC 9420 §12.4.3.2, A4 check 5).
    #[error("an external commit {0}")]
    ExternalCommit(&'static str),
    /// A `GroupContextExtensions` that would change the components (EM4).
    #[error("GroupContextExtensions leave the app_data_dictionary alone")]
    DictionaryTouched,
    /// An accepted proposal is not covered by the commit (I5).
    #[error("{} pending proposals are not covered", .0.len())]
    Uncovered(Vec<ProposalRef>),
    /// A proposal that waits already.
    #[error("the proposal is pending already")]
    AlreadyPending,
    /// Too many proposals wait for a commit.
    #[error("at most {PENDING_PROPOSALS_MAX} proposals may be pending")]
    TooManyPending,
    /// The component updates of a commit do not go together, or their results are not those of its components.
    #[error(transparent)]
    Component(#[from] ComponentRefused),
    /// The GroupInfo is not that of the commit's epoch.
    #[error("the GroupInfo {0}")]
    GroupInfo(#[from] GroupInfoRefusal),
    /// The Welcome is not that of the commit's Adds.
    #[error("the Welcome {0}")]
    Welcome(#[from] WelcomeRefusal),
    /// The ratchet tree is not the one of the group's state.
    #[error("the ratchet tree is not that of the GroupInfo: {0}")]
    RatchetTree(String),
}

/// What is wrong with a GroupInfo (A4 check 7).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupInfoRefusal {
    /// The bytes are not a GroupInfo.
    #[error("does not decode")]
    Malformed,
    /// Its GroupContext is not what the commit makes of the group.
    #[error("is of another group state")]
    OtherContext,
    /// Its confirmation tag is not the commit's.
    #[error("has another confirmation tag than the commit")]
    OtherConfirmationTag,
    /// Its signer is not the committer.
    #[error("is by leaf {0}, who has not made the commit")]
    OtherSigner(LeafIndex),
    /// Its signature does not hold.
    #[error("has a signature that does not hold")]
    Signature,
    /// It carries the tree, which belongs beside it.
    #[error("carries a ratchet tree")]
    HasRatchetTree,
    /// Nobody could join with it.
    #[error("has no external_pub")]
    NoExternalPub,
}

/// What is wrong with a Welcome (A4 check 8).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WelcomeRefusal {
    /// The commit adds somebody, and there is no Welcome; or the other way round.
    #[error("is missing, or nobody is added")]
    MissingOrIdle,
    /// The message is not a Welcome of our ciphersuite.
    #[error("is something else")]
    NotAWelcome,
    /// Members that the commit adds, and that the Welcome does not let in.
    #[error("lets {} added members wait outside", .0.len())]
    Missing(Vec<KeyPackageRef>),
    /// The Welcome is for somebody whom the commit does not add, or twice for the same.
    #[error("is for {} who are not added", .0.len())]
    Extra(Vec<KeyPackageRef>),
}
