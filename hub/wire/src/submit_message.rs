//! `submitMessage`: an application message for a room (A5).

use mimi_mls::{ContentType, Epoch, MessageKind, MlsMessage};
use mimi_uri::UserUri;

use crate::codec::{Reader, Wire, body, codes, put_optional};
use crate::decode_error::DecodeError;
use crate::franking::Frank;
use crate::identifier::put_uri;
use crate::mls_parts::Protocol;
use crate::request_hash::RequestHash;
use crate::timestamp::Timestamp;

/// A participant sends a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitMessageRequest {
    /// A `PrivateMessage` with application content.
    pub app_message: MlsMessage,
    /// The user who says he sent it; only receivers can check that.
    pub sending_user: UserUri,
}

impl SubmitMessageRequest {
    /// What a repeated submission is known by: the hash of the message alone.
    pub fn hash(&self) -> RequestHash {
        RequestHash::of(self.app_message.as_bytes())
    }
}

impl Wire for SubmitMessageRequest {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Protocol::read(reader)?;
        let app_message = MlsMessage::read(reader)?;
        // A5: "an MLSMessage with a WireFormat of PrivateMessage, and a content_type of application".
        if app_message.kind() != MessageKind::Private(ContentType::Application) {
            return Err(DecodeError::WrongMessage {
                of: "appMessage",
                expected: "a PrivateMessage with application content",
            });
        }
        Ok(Self { app_message, sending_user: reader.uri("sendingUri")? })
    }

    fn length_hint(&self) -> usize {
        self.app_message.as_bytes().len() + 256
    }

    fn write(&self, out: &mut Vec<u8>) {
        Protocol::Mls10.write(out);
        self.app_message.write(out);
        put_uri(out, &self.sending_user);
    }
}

codes! {
    /// What a hub says to a message.
    SubmitResponseCode("SubmitResponseCode") {
        /// Accepted; it will be distributed.
        Accepted = 0 "accepted",
        /// Policy or authorization forbids it, or it makes no sense.
        NotAllowed = 1 "notAllowed",
        /// Its epoch has passed.
        EpochTooOld = 2 "epochTooOld",
    }
}

/// The answer to a [`SubmitMessageRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmitMessageResponse {
    /// Accepted; it will be distributed.
    Accepted {
        /// When: one value for this event, also in its fan-out.
        accepted: Timestamp,
        /// The hub's stamp, if the room has franking and the message a tag.
        frank: Option<Frank>,
    },
    /// Policy or authorization forbids it, or it makes no sense.
    NotAllowed,
    /// Its epoch has passed.
    EpochTooOld {
        /// The room's epoch.
        current: Epoch,
    },
}

impl SubmitMessageResponse {
    /// The code that says so.
    pub const fn code(&self) -> SubmitResponseCode {
        match self {
            Self::Accepted { .. } => SubmitResponseCode::Accepted,
            Self::NotAllowed => SubmitResponseCode::NotAllowed,
            Self::EpochTooOld { .. } => SubmitResponseCode::EpochTooOld,
        }
    }
}

impl Wire for SubmitMessageResponse {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Protocol::read(reader)?;
        Ok(match SubmitResponseCode::read(reader)? {
            SubmitResponseCode::Accepted => {
                Self::Accepted { accepted: Timestamp::read(reader)?, frank: reader.optional(Frank::read)? }
            }
            SubmitResponseCode::NotAllowed => Self::NotAllowed,
            SubmitResponseCode::EpochTooOld => Self::EpochTooOld { current: Epoch(u64::read(reader)?) },
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        Protocol::Mls10.write(out);
        self.code().write(out);
        match self {
            Self::Accepted { accepted, frank } => {
                accepted.write(out);
                put_optional(out, frank.as_ref(), Frank::write);
            }
            Self::NotAllowed => {}
            Self::EpochTooOld { current } => current.0.write(out),
        }
    }
}

body!(SubmitMessageRequest, SubmitMessageResponse);
