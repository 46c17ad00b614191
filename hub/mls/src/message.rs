//! The `MLSMessage`: exact bytes of one message, and what stands on its envelope.

use std::fmt;
use std::sync::Arc;

use crate::ids::{Epoch, KeyPackageRef};
use crate::limits::MESSAGE_LENGTH_MAX;
use crate::structure::{
    Content, PROTOCOL_VERSION, read_group_info, read_key_package, read_public_message, read_sender,
};
use crate::tls::Reading;

const WIRE_FORMAT_PUBLIC: u16 = 1;
const WIRE_FORMAT_PRIVATE: u16 = 2;
const WIRE_FORMAT_WELCOME: u16 = 3;
const WIRE_FORMAT_GROUP_INFO: u16 = 4;
const WIRE_FORMAT_KEY_PACKAGE: u16 = 5;

/// One whole `MLSMessage` (RFC 9420 §6), kept as the bytes it came as. Cheap to clone.
///
/// It is well-framed: the version is known, every length is minimal, nothing is missing and nothing follows. Whether what
/// it says holds is another question.
#[derive(Clone, PartialEq, Eq)]
pub struct MlsMessage {
    bytes: Arc<[u8]>,
    kind: MessageKind,
}

/// What an `MLSMessage` carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A `PublicMessage`: signed, in clear. Never an application message.
    Public(ContentType),
    /// A `PrivateMessage`: sealed, its content type in clear.
    Private(ContentType),
    /// A `Welcome`.
    Welcome,
    /// A `GroupInfo`.
    GroupInfo,
    /// A `KeyPackage`.
    KeyPackage,
}

/// What a framed message is about (RFC 9420 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// Bytes of the application.
    Application,
    /// A proposal.
    Proposal,
    /// A commit.
    Commit,
}

/// Bytes that are no `MLSMessage` that may be sent in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MlsDecodeError {
    /// Longer than any message of a room may be.
    #[error("an MLSMessage has at most {MESSAGE_LENGTH_MAX} bytes")]
    TooLong,
    /// Cut short, or not of the shape that its wire format demands.
    #[error("the bytes are not a well-formed MLSMessage")]
    Malformed,
    /// Bytes follow where the message should have ended.
    #[error("bytes follow the MLSMessage")]
    TrailingBytes,
    /// The protocol version is not mls10.
    #[error("MLS protocol version {0} is not known")]
    UnknownVersion(u16),
    /// A wire format that is not spoken here: a SemiPrivateMessage, a targeted message, or unknown.
    #[error("wire format {0:#06x} is not supported")]
    UnsupportedWireFormat(u16),
}

impl MlsMessage {
    /// Reads the `MLSMessage` at the beginning of `bytes`, and says how long it is.
    pub fn split_first(bytes: &[u8]) -> Result<(Self, usize), MlsDecodeError> {
        let mut reading = Reading(bytes);
        let kind = skip_message(&mut reading)?;
        let length = bytes.len() - reading.0.len();
        if length > MESSAGE_LENGTH_MAX {
            return Err(MlsDecodeError::TooLong);
        }
        let own = bytes.get(..length).ok_or(MlsDecodeError::Malformed)?;
        Ok((Self { bytes: own.into(), kind }, length))
    }

    /// Reads an `MLSMessage` that ends where `bytes` end.
    pub fn decode(bytes: &[u8]) -> Result<Self, MlsDecodeError> {
        let (message, length) = Self::split_first(bytes)?;
        if length < bytes.len() {
            return Err(MlsDecodeError::TrailingBytes);
        }
        Ok(message)
    }

    /// Reads a bare `Welcome` at the beginning of `bytes`, as MIMI's bundles carry it, and says how long it is there.
    pub fn split_first_welcome(bytes: &[u8]) -> Result<(Self, usize), MlsDecodeError> {
        let mut reading = Reading(bytes);
        skip_welcome(&mut reading).ok_or(MlsDecodeError::Malformed)?;
        let length = bytes.len() - reading.0.len();
        let own = bytes.get(..length).ok_or(MlsDecodeError::Malformed)?;
        let mut message = header(WIRE_FORMAT_WELCOME);
        message.extend_from_slice(own);
        Ok((Self::decode(&message)?, length))
    }

    /// The exact bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes behind version and wire format: a bare `Welcome`, `GroupInfo`, `KeyPackage` or framed message.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_LENGTH..).unwrap_or_default()
    }

    /// What the message carries.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The group that a framed message is for.
    pub fn group_id(&self) -> Option<&[u8]> {
        Some(self.envelope()?.group_id)
    }

    /// The epoch that a framed message is of.
    pub fn epoch(&self) -> Option<Epoch> {
        Some(self.envelope()?.epoch)
    }

    /// The authenticated data of a framed message, in clear also in a `PrivateMessage`.
    pub fn authenticated_data(&self) -> Option<&[u8]> {
        Some(self.envelope()?.authenticated_data)
    }

    /// The KeyPackages whose owners a Welcome is for; none for any other message.
    pub fn welcome_references(&self) -> Vec<KeyPackageRef> {
        if self.kind != MessageKind::Welcome {
            return Vec::new();
        }
        skip_welcome(&mut Reading(self.body())).unwrap_or_default()
    }

    fn envelope(&self) -> Option<Envelope<'_>> {
        let mut reading = Reading(self.body());
        match self.kind {
            MessageKind::Public(_) => read_envelope(&mut reading, |sender| read_sender(sender).map(|_| ())),
            MessageKind::Private(_) => read_envelope(&mut reading, |kind| kind.byte().map(|_| ())),
            MessageKind::Welcome | MessageKind::GroupInfo | MessageKind::KeyPackage => None,
        }
    }
}

impl fmt::Debug for MlsMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MlsMessage")
            .field("kind", &self.kind)
            .field("epoch", &self.epoch())
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// What stands on a framed message: which group and epoch it is for, and the data beside its content.
struct Envelope<'a> {
    group_id: &'a [u8],
    epoch: Epoch,
    authenticated_data: &'a [u8],
}

/// Reads an envelope; between epoch and authenticated data the two framings differ.
fn read_envelope<'a>(
    reading: &mut Reading<'a>,
    skip_between: impl FnOnce(&mut Reading<'a>) -> Option<()>,
) -> Option<Envelope<'a>> {
    let group_id = reading.vector()?;
    let epoch = Epoch(reading.number64()?);
    skip_between(reading)?;
    Some(Envelope { group_id, epoch, authenticated_data: reading.vector()? })
}

const HEADER_LENGTH: usize = 4;

fn header(wire_format: u16) -> Vec<u8> {
    [PROTOCOL_VERSION.to_be_bytes(), wire_format.to_be_bytes()].concat()
}

fn skip_message(reading: &mut Reading<'_>) -> Result<MessageKind, MlsDecodeError> {
    let version = reading.number16().ok_or(MlsDecodeError::Malformed)?;
    if version != PROTOCOL_VERSION {
        return Err(MlsDecodeError::UnknownVersion(version));
    }
    let wire_format = reading.number16().ok_or(MlsDecodeError::Malformed)?;
    let kind = match wire_format {
        WIRE_FORMAT_PUBLIC => skip_public(reading).map(MessageKind::Public),
        WIRE_FORMAT_PRIVATE => skip_private(reading).map(MessageKind::Private),
        WIRE_FORMAT_WELCOME => skip_welcome(reading).map(|_| MessageKind::Welcome),
        WIRE_FORMAT_GROUP_INFO => read_group_info(reading).map(|_| MessageKind::GroupInfo),
        WIRE_FORMAT_KEY_PACKAGE => read_key_package(reading).map(|_| MessageKind::KeyPackage),
        _ => return Err(MlsDecodeError::UnsupportedWireFormat(wire_format)),
    };
    kind.ok_or(MlsDecodeError::Malformed)
}

fn skip_public(reading: &mut Reading<'_>) -> Option<ContentType> {
    match read_public_message(reading)?.content {
        Content::Proposal(_) => Some(ContentType::Proposal),
        Content::Commit { .. } => Some(ContentType::Commit),
    }
}

fn skip_private(reading: &mut Reading<'_>) -> Option<ContentType> {
    let _group_id = reading.vector()?;
    let _epoch = reading.number64()?;
    let content_type = match reading.byte()? {
        1 => ContentType::Application,
        2 => ContentType::Proposal,
        3 => ContentType::Commit,
        _ => return None,
    };
    let _authenticated_data = reading.vector()?;
    let _encrypted_sender_data = reading.vector()?;
    let _ciphertext = reading.vector()?;
    Some(content_type)
}

/// Reads a `Welcome` to its end and says whom it is for (RFC 9420 §12.4.3.1).
fn skip_welcome(reading: &mut Reading<'_>) -> Option<Vec<KeyPackageRef>> {
    let _ciphersuite = reading.number16()?;
    let references = reading.list(|secret| {
        let new_member = secret.vector()?;
        let _kem_output = secret.vector()?;
        let _ciphertext = secret.vector()?;
        Some(KeyPackageRef(new_member.to_vec()))
    })?;
    let _encrypted_group_info = reading.vector()?;
    Some(references)
}

#[cfg(test)]
mod tests {
    use super::{ContentType, MessageKind, MlsDecodeError, MlsMessage};
    use crate::ids::Epoch;
    use crate::tls::vector;

    fn private(epoch: u64, ciphertext: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 2];
        bytes.extend(vector(b"group"));
        bytes.extend(epoch.to_be_bytes());
        bytes.push(1);
        bytes.extend(vector(b"aad"));
        bytes.extend(vector(b"sender data"));
        bytes.extend(vector(ciphertext));
        bytes
    }

    #[test]
    fn a_private_message_shows_its_envelope() {
        let bytes = private(7, &[9; 300]);

        let message = MlsMessage::decode(&bytes).unwrap();

        assert_eq!(message.kind(), MessageKind::Private(ContentType::Application));
        assert_eq!(message.group_id(), Some(b"group".as_slice()));
        assert_eq!(message.epoch(), Some(Epoch(7)));
        assert_eq!(message.authenticated_data(), Some(b"aad".as_slice()));
        assert_eq!(message.as_bytes(), bytes);
    }

    #[test]
    fn messages_are_told_apart_where_one_follows_the_other() {
        let (first, second) = (private(1, b"one"), private(2, b"two"));
        let both = [first.as_slice(), &second].concat();

        let (message, length) = MlsMessage::split_first(&both).unwrap();

        assert_eq!((message.epoch(), length), (Some(Epoch(1)), first.len()));
        assert_eq!(MlsMessage::decode(&both), Err(MlsDecodeError::TrailingBytes));
    }

    #[test]
    fn a_message_cut_anywhere_is_malformed() {
        let bytes = private(1, b"ciphertext");

        for length in 0..bytes.len() {
            assert_eq!(
                MlsMessage::decode(&bytes[..length]),
                Err(MlsDecodeError::Malformed),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_length_that_is_not_minimal_is_malformed() {
        let mut bytes = private(1, b"ciphertext");
        bytes.splice(4..5, [0x40, 5]);

        assert_eq!(MlsMessage::decode(&bytes), Err(MlsDecodeError::Malformed));
    }

    #[test]
    fn semiprivate_and_unknown_wire_formats_are_not_spoken() {
        for wire_format in [0_u16, 6, 0xf003] {
            let mut bytes = private(1, b"ciphertext");
            bytes[2..4].copy_from_slice(&wire_format.to_be_bytes());

            assert_eq!(MlsMessage::decode(&bytes), Err(MlsDecodeError::UnsupportedWireFormat(wire_format)));
        }
        let mut bytes = private(1, b"ciphertext");
        bytes[1] = 2;
        assert_eq!(MlsMessage::decode(&bytes), Err(MlsDecodeError::UnknownVersion(2)));
    }

    #[test]
    fn a_bare_welcome_becomes_a_message_and_names_whom_it_is_for() {
        let secret = [vector(b"reference"), vector(b"kem"), vector(b"sealed")].concat();
        let bare = [&[0, 1], vector(&secret).as_slice(), &vector(b"info")].concat();
        let followed = [bare.as_slice(), b"rest"].concat();

        let (message, length) = MlsMessage::split_first_welcome(&followed).unwrap();

        assert_eq!(length, bare.len());
        assert_eq!(message.body(), bare);
        assert_eq!(message.welcome_references()[0].0, b"reference");
    }
}
