//! Franking: the hub's stamp on a message that it cannot read (A6).

use aws_lc_rs::hmac;
use mimi_uri::{RoomUri, UserUri};

use crate::codec::{Reader, Wire, body, encoded, put_opaque};
use crate::decode_error::DecodeError;
use crate::identifier::put_uri;
use crate::mls_parts::{CipherSuite, Credential};
use crate::timestamp::Timestamp;

/// The label that [`FrankingIntegrityTbs`] is signed with.
pub const FRANKING_INTEGRITY_LABEL: &str = "FrankingIntegrityTBS";

/// The sender's commitment to the content: `HMAC-SHA256(salt, application_data)`, in clear beside the ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrankingTag(pub [u8; 32]);

impl FrankingTag {
    /// The tag of application data under the salt of its content.
    pub fn of(salt: &[u8], application_data: &[u8]) -> Self {
        Self(hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, salt), application_data))
    }
}

impl Wire for FrankingTag {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// The hub's stamp, as the sender and every receiver get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frank {
    /// What only the hub can check.
    pub server_frank: ServerFrank,
    /// The suite of the group when the message was franked.
    pub franking_signature_ciphersuite: CipherSuite,
    /// The franking agent's signature over [`FrankingIntegrityTbs`], which everyone can check.
    pub franking_integrity_signature: Vec<u8>,
}

impl Wire for Frank {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            server_frank: ServerFrank(reader.array()?),
            franking_signature_ciphersuite: CipherSuite::read(reader)?,
            franking_integrity_signature: reader.key("franking_integrity_signature")?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.server_frank.0);
        self.franking_signature_ciphersuite.write(out);
        put_opaque(out, &self.franking_integrity_signature);
    }
}

/// `HMAC-SHA256(hub_key, franking_tag ‖ context)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerFrank(pub [u8; 32]);

/// What the hub vouches for: who sent where, and when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFrankingContext {
    /// The sender, as his provider named him.
    pub sender: UserUri,
    /// The room.
    pub room: RoomUri,
    /// When the hub accepted the message.
    pub accepted_timestamp: Timestamp,
}

impl Wire for ServerFrankingContext {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sender: reader.uri("sender_uri")?,
            room: reader.uri("room_uri")?,
            accepted_timestamp: Timestamp::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_uri(out, &self.sender);
        put_uri(out, &self.room);
        self.accepted_timestamp.write(out);
    }
}

/// What the franking agent signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrankingIntegrityTbs {
    /// The server frank.
    pub server_frank: ServerFrank,
    /// The suite of the group.
    pub franking_signature_ciphersuite: CipherSuite,
    /// What the hub vouches for.
    pub context: ServerFrankingContext,
}

impl Wire for FrankingIntegrityTbs {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            server_frank: ServerFrank(reader.array()?),
            franking_signature_ciphersuite: CipherSuite::read(reader)?,
            context: ServerFrankingContext::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.server_frank.0);
        self.franking_signature_ciphersuite.write(out);
        self.context.write(out);
    }
}

/// The component `franking_agent`: the key that a room's franks are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrankingAgentData {
    /// The public key, of the group's signature algorithm.
    pub franking_signature_key: Vec<u8>,
    /// The hub's credential.
    pub credential: Credential,
}

impl Wire for FrankingAgentData {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            franking_signature_key: reader.key("franking_signature_key")?,
            credential: Credential::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_opaque(out, &self.franking_signature_key);
        self.credential.write(out);
    }
}

/// The hub's secret by which it knows its own franks.
#[derive(Clone)]
pub struct HubKey(hmac::Key);

impl HubKey {
    /// The key with these bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Stamps a tag.
    pub fn frank(&self, tag: FrankingTag, context: &ServerFrankingContext) -> ServerFrank {
        ServerFrank(hmac_sha256(&self.0, &stamped(tag, context)))
    }

    /// Whether this key made the stamp, compared in constant time.
    pub fn made(&self, frank: ServerFrank, tag: FrankingTag, context: &ServerFrankingContext) -> bool {
        hmac::verify(&self.0, &stamped(tag, context), &frank.0).is_ok()
    }
}

impl std::fmt::Debug for HubKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HubKey(..)")
    }
}

fn stamped(tag: FrankingTag, context: &ServerFrankingContext) -> Vec<u8> {
    [tag.0.as_slice(), &encoded(context)].concat()
}

fn hmac_sha256(key: &hmac::Key, bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(key, bytes).as_ref());
    out
}

body!(Frank, FrankingTag, FrankingAgentData, FrankingIntegrityTbs, ServerFrankingContext);
