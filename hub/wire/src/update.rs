//! `update`: a proposal or a commit for a room (A4).

use mimi_mls::{ContentType, Epoch, MessageKind, MlsMessage, ProposalRef};

use crate::codec::{Reader, Wire, body, codes, put_list, put_list_with, put_opaque, put_optional};
use crate::decode_error::DecodeError;
use crate::limits::{ERROR_DESCRIPTION_LENGTH_MAX, PROPOSALS_MAX};
use crate::text::ErrorDescription;
use crate::timestamp::Timestamp;
use crate::tree_option::{GroupInfoOption, RatchetTreeOption};

/// A change that a participant, or somebody who wants to become one, brings to the room's hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRequest {
    /// The change.
    pub bundle: HandshakeBundle,
}

/// A commit or proposals, with what belongs to them.
///
/// Which of both it is stands in the message itself; no byte on the wire tells it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandshakeBundle {
    /// A commit begins a new epoch.
    Commit {
        /// The commit, a `PublicMessage`.
        commit: MlsMessage,
        /// The Welcome for the clients that it adds.
        welcome: Option<MlsMessage>,
        /// The GroupInfo of the new epoch.
        group_info: GroupInfoOption,
        /// The ratchet tree of the new epoch.
        ratchet_tree: RatchetTreeOption,
    },
    /// Proposals wait for a commit.
    Proposal {
        /// The first proposal, a `PublicMessage`.
        proposal: MlsMessage,
        /// Proposals that belong to it.
        more_proposals: Vec<MlsMessage>,
    },
}

impl HandshakeBundle {
    /// The commit or first proposal.
    pub const fn proposal_or_commit(&self) -> &MlsMessage {
        match self {
            Self::Commit { commit, .. } => commit,
            Self::Proposal { proposal, .. } => proposal,
        }
    }
}

impl Wire for HandshakeBundle {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let message = MlsMessage::read(reader)?;
        match message.kind() {
            MessageKind::Public(ContentType::Commit) => Ok(Self::Commit {
                commit: message,
                welcome: reader.optional(Reader::welcome)?,
                group_info: GroupInfoOption::read(reader)?,
                ratchet_tree: RatchetTreeOption::read(reader)?,
            }),
            MessageKind::Public(ContentType::Proposal) => {
                Ok(Self::Proposal { proposal: message, more_proposals: reader.proposals("moreProposals")? })
            }
            MessageKind::Public(ContentType::Application)
            | MessageKind::Private(_)
            | MessageKind::Welcome
            | MessageKind::GroupInfo
            | MessageKind::KeyPackage => Err(DecodeError::WrongMessage {
                of: "proposalOrCommit",
                expected: "a PublicMessage with a proposal or a commit",
            }),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Commit { commit, welcome, group_info, ratchet_tree } => {
                commit.write(out);
                put_optional(out, welcome.as_ref(), |welcome, out| out.extend_from_slice(welcome.body()));
                group_info.write(out);
                ratchet_tree.write(out);
            }
            Self::Proposal { proposal, more_proposals } => {
                proposal.write(out);
                put_list(out, more_proposals);
            }
        }
    }
}

impl Reader<'_> {
    /// A proposal, a `PublicMessage`.
    pub(crate) fn proposal(&mut self, of: &'static str) -> Result<MlsMessage, DecodeError> {
        let message = MlsMessage::read(self)?;
        if message.kind() == MessageKind::Public(ContentType::Proposal) {
            Ok(message)
        } else {
            Err(DecodeError::WrongMessage { of, expected: "a PublicMessage with a proposal" })
        }
    }

    /// A vector of proposals.
    pub(crate) fn proposals(&mut self, of: &'static str) -> Result<Vec<MlsMessage>, DecodeError> {
        self.list_with(of, PROPOSALS_MAX, |reader| reader.proposal(of))
    }
}

impl Wire for UpdateRequest {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { bundle: HandshakeBundle::read(reader)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.bundle.write(out);
    }
}

codes! {
    /// What a hub says to an update.
    UpdateResponseCode("UpdateResponseCode") {
        /// Accepted; it will be distributed.
        Success = 0 "success",
        /// It is for another epoch than the room's.
        WrongEpoch = 1 "wrongEpoch",
        /// Policy or authorization forbids it.
        NotAllowed = 2 "notAllowed",
        /// A proposal in it is invalid.
        InvalidProposal = 3 "invalidProposal",
    }
}

/// The answer to an [`UpdateRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRoomResponse {
    /// Why, in words; empty on success.
    pub error_description: ErrorDescription,
    /// What became of the update.
    pub verdict: UpdateVerdict,
}

/// What became of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateVerdict {
    /// Accepted; it will be distributed.
    Success {
        /// When: one value for this event, also in its fan-out.
        accepted: Timestamp,
    },
    /// It is for another epoch than the room's.
    WrongEpoch {
        /// The room's epoch.
        current: Epoch,
    },
    /// Policy or authorization forbids it.
    NotAllowed,
    /// A proposal in it is invalid.
    InvalidProposal {
        /// Those that have a name.
        invalid_proposals: Vec<ProposalRef>,
    },
}

impl UpdateVerdict {
    /// The code that says so.
    pub const fn code(&self) -> UpdateResponseCode {
        match self {
            Self::Success { .. } => UpdateResponseCode::Success,
            Self::WrongEpoch { .. } => UpdateResponseCode::WrongEpoch,
            Self::NotAllowed => UpdateResponseCode::NotAllowed,
            Self::InvalidProposal { .. } => UpdateResponseCode::InvalidProposal,
        }
    }
}

// A13: this answer has no protocol byte, others do.
impl Wire for UpdateRoomResponse {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = UpdateResponseCode::read(reader)?;
        let error_description =
            ErrorDescription::new(reader.text("errorDescription", ERROR_DESCRIPTION_LENGTH_MAX)?);
        let verdict = match code {
            UpdateResponseCode::Success => UpdateVerdict::Success { accepted: Timestamp::read(reader)? },
            UpdateResponseCode::WrongEpoch => {
                UpdateVerdict::WrongEpoch { current: Epoch(u64::read(reader)?) }
            }
            UpdateResponseCode::NotAllowed => UpdateVerdict::NotAllowed,
            UpdateResponseCode::InvalidProposal => UpdateVerdict::InvalidProposal {
                invalid_proposals: reader.list_with("invalidProposals", PROPOSALS_MAX, |reader| {
                    Ok(ProposalRef(reader.opaque()?.to_vec()))
                })?,
            },
        };
        Ok(Self { error_description, verdict })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.verdict.code().write(out);
        put_opaque(out, self.error_description.as_str().as_bytes());
        match &self.verdict {
            UpdateVerdict::Success { accepted } => accepted.write(out),
            UpdateVerdict::WrongEpoch { current } => current.0.write(out),
            UpdateVerdict::NotAllowed => {}
            UpdateVerdict::InvalidProposal { invalid_proposals } => {
                put_list_with(out, invalid_proposals, |reference, out| put_opaque(out, &reference.0));
            }
        }
    }
}

body!(HandshakeBundle, UpdateRequest, UpdateRoomResponse);
