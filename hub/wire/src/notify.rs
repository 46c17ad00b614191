//! `notify`: what a hub accepted, on its way to the followers (A7).

use mimi_mls::{ContentType, MessageKind, MlsMessage};

use crate::codec::{Reader, Wire, body, put_list, put_optional};
use crate::decode_error::DecodeError;
use crate::franking::Frank;
use crate::limits::FANOUT_MESSAGES_MAX;
use crate::timestamp::Timestamp;
use crate::tree_option::RatchetTreeOption;

/// One event of a room, as its hub tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FanoutMessage {
    /// When the hub accepted it.
    pub timestamp: Timestamp,
    /// What it accepted.
    pub event: FanoutEvent,
}

/// What a hub accepted.
///
/// Which kind it is stands in the message itself; no byte on the wire tells it again. So a variant is made only with a
/// message of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FanoutEvent {
    /// An application message.
    Application {
        /// A `PrivateMessage` with application content.
        message: MlsMessage,
        /// The hub's stamp.
        frank: Option<Frank>,
    },
    /// A Welcome for clients that a commit added.
    Welcome {
        /// The Welcome.
        message: MlsMessage,
        /// The ratchet tree that they need.
        ratchet_tree: RatchetTreeOption,
    },
    /// Proposals that wait for a commit.
    Proposal {
        /// The first proposal, a `PublicMessage`.
        message: MlsMessage,
        /// The others, as the request had them (PM14).
        more_proposals: Vec<MlsMessage>,
    },
    /// A commit that began a new epoch.
    Commit {
        /// The commit, a `PublicMessage`.
        message: MlsMessage,
        /// The hub's proposals for the new epoch, in place of those that an external commit made void.
        external_proposals: Vec<MlsMessage>,
    },
}

impl FanoutMessage {
    /// Reads the messages of a whole `notify` body: one or more, one behind the other.
    pub fn decode_all(bytes: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut messages = Vec::new();
        while !reader.is_empty() {
            if messages.len() == FANOUT_MESSAGES_MAX {
                return Err(DecodeError::TooMany { of: "FanoutMessage", max: FANOUT_MESSAGES_MAX });
            }
            messages.push(Self::read(&mut reader)?);
        }
        if messages.is_empty() {
            return Err(DecodeError::Empty { of: "FanoutMessage" });
        }
        Ok(messages)
    }

    /// The message that the hub accepted.
    pub const fn message(&self) -> &MlsMessage {
        match &self.event {
            FanoutEvent::Application { message, .. }
            | FanoutEvent::Welcome { message, .. }
            | FanoutEvent::Proposal { message, .. }
            | FanoutEvent::Commit { message, .. } => message,
        }
    }
}

impl Wire for FanoutMessage {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let timestamp = Timestamp::read(reader)?;
        let message = MlsMessage::read(reader)?;
        let event = match message.kind() {
            MessageKind::Private(ContentType::Application) => {
                FanoutEvent::Application { message, frank: reader.optional(Frank::read)? }
            }
            MessageKind::Welcome => {
                FanoutEvent::Welcome { message, ratchet_tree: RatchetTreeOption::read(reader)? }
            }
            MessageKind::Public(ContentType::Proposal) => {
                FanoutEvent::Proposal { message, more_proposals: reader.proposals("moreProposals")? }
            }
            MessageKind::Public(ContentType::Commit) => {
                FanoutEvent::Commit { message, external_proposals: reader.proposals("externalProposals")? }
            }
            MessageKind::Private(ContentType::Proposal | ContentType::Commit)
            | MessageKind::Public(ContentType::Application)
            | MessageKind::GroupInfo
            | MessageKind::KeyPackage => {
                return Err(DecodeError::WrongMessage {
                    of: "message",
                    expected: "an application message, a public proposal or commit, or a Welcome",
                });
            }
        };
        Ok(Self { timestamp, event })
    }

    fn length_hint(&self) -> usize {
        self.message().as_bytes().len() + 256
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.timestamp.write(out);
        self.message().write(out);
        match &self.event {
            FanoutEvent::Application { frank, .. } => put_optional(out, frank.as_ref(), Frank::write),
            FanoutEvent::Welcome { ratchet_tree, .. } => ratchet_tree.write(out),
            FanoutEvent::Proposal { more_proposals, .. } => put_list(out, more_proposals),
            FanoutEvent::Commit { external_proposals, .. } => put_list(out, external_proposals),
        }
    }
}

body!(FanoutMessage);
