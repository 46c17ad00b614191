//! Framing by hand (RFC 9420 §6): what is signed, what is sealed, and the bytes on the wire.
//!
//! A hosted leaf speaks without an MLS group object of its own, so the few structures a speaker needs are written here.

use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::types::HashType;

use super::epoch::EpochSecrets;
use super::faults::HostedFault;
use crate::ids::LeafIndex;
use crate::tls::{Reading, put_vector};

const PROTOCOL_VERSION: u16 = 1;
const WIRE_FORMAT_PUBLIC: u16 = 1;
const WIRE_FORMAT_PRIVATE: u16 = 2;
const SENDER_TYPE_MEMBER: u8 = 1;
const CONTENT_TYPE_APPLICATION: u8 = 1;
const CONTENT_TYPE_PROPOSAL: u8 = 2;

/// The label under which framed content is signed (RFC 9420 §6.1).
pub(super) const FRAMED_CONTENT_LABEL: &str = "FramedContentTBS";

/// What a member says, before it is signed.
pub(super) struct FramedContent<'a> {
    pub(super) secrets: &'a EpochSecrets,
    pub(super) leaf: LeafIndex,
    pub(super) authenticated_data: &'a [u8],
    pub(super) content: Content<'a>,
}

pub(super) enum Content<'a> {
    Application(&'a [u8]),
    /// A serialised `Proposal`.
    Proposal(&'a [u8]),
}

impl FramedContent<'_> {
    /// `FramedContentTBS`: the bytes under the signature.
    pub(super) fn to_be_signed(&self) -> Vec<u8> {
        let mut out = header(match self.content {
            Content::Application(_) => WIRE_FORMAT_PRIVATE,
            Content::Proposal(_) => WIRE_FORMAT_PUBLIC,
        });
        self.put(&mut out);
        out.extend_from_slice(&self.secrets.group_context.0);
        out
    }

    /// The `PublicMessage` of a proposal: content, signature, membership tag (RFC 9420 §6.2).
    pub(super) fn public_message(
        &self,
        crypto: &RustCrypto,
        signature: &[u8],
    ) -> Result<Vec<u8>, HostedFault> {
        let mut to_be_tagged = self.to_be_signed();
        put_vector(&mut to_be_tagged, signature);
        let membership_tag = crypto
            .hmac(HashType::Sha2_256, self.secrets.membership_key.as_slice(), &to_be_tagged)
            .map_err(HostedFault::internal)?;
        let mut message = header(WIRE_FORMAT_PUBLIC);
        self.put(&mut message);
        put_vector(&mut message, signature);
        put_vector(&mut message, membership_tag.as_slice());
        Ok(message)
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_vector(out, &self.secrets.group_id.0);
        out.extend_from_slice(&self.secrets.epoch.to_be_bytes());
        out.push(SENDER_TYPE_MEMBER);
        out.extend_from_slice(&self.leaf.0.to_be_bytes());
        put_vector(out, self.authenticated_data);
        match self.content {
            Content::Application(data) => {
                out.push(CONTENT_TYPE_APPLICATION);
                put_vector(out, data);
            }
            Content::Proposal(proposal) => {
                out.push(CONTENT_TYPE_PROPOSAL);
                out.extend_from_slice(proposal);
            }
        }
    }
}

/// The cleartext and sealed parts of an application message (RFC 9420 §6.3).
#[derive(Debug, Clone, Copy)]
pub(super) struct PrivateFrame<'a> {
    pub(super) authenticated_data: &'a [u8],
    pub(super) encrypted_sender_data: &'a [u8],
    pub(super) ciphertext: &'a [u8],
}

impl<'a> PrivateFrame<'a> {
    /// Reads the parts of a whole `MLSMessage` that holds an application message.
    pub(super) fn decode(message: &'a [u8]) -> Option<Self> {
        let mut reading = Reading(message);
        let version: [u8; 2] = reading.array()?;
        let wire_format: [u8; 2] = reading.array()?;
        let _group_id = reading.vector()?;
        let _epoch: [u8; 8] = reading.array()?;
        let content_type = reading.byte()?;
        let frame = Self {
            authenticated_data: reading.vector()?,
            encrypted_sender_data: reading.vector()?,
            ciphertext: reading.vector()?,
        };
        let is_application = u16::from_be_bytes(version) == PROTOCOL_VERSION
            && u16::from_be_bytes(wire_format) == WIRE_FORMAT_PRIVATE
            && content_type == CONTENT_TYPE_APPLICATION
            && reading.is_empty();
        is_application.then_some(frame)
    }

    pub(super) fn encode(&self, secrets: &EpochSecrets) -> Vec<u8> {
        let mut out = header(WIRE_FORMAT_PRIVATE);
        put_epoch(&mut out, secrets);
        put_vector(&mut out, self.authenticated_data);
        put_vector(&mut out, self.encrypted_sender_data);
        put_vector(&mut out, self.ciphertext);
        out
    }
}

/// `PrivateContentAAD`: what the content's seal also covers.
pub(super) fn private_content_aad(secrets: &EpochSecrets, authenticated_data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_epoch(&mut out, secrets);
    put_vector(&mut out, authenticated_data);
    out
}

/// `SenderDataAAD`: what the sender data's seal also covers.
pub(super) fn sender_data_aad(secrets: &EpochSecrets) -> Vec<u8> {
    let mut out = Vec::new();
    put_epoch(&mut out, secrets);
    out
}

fn header(wire_format: u16) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&PROTOCOL_VERSION.to_be_bytes());
    out.extend_from_slice(&wire_format.to_be_bytes());
    out
}

/// Group, epoch and content type, as every sealed structure of an application message begins.
fn put_epoch(out: &mut Vec<u8>, secrets: &EpochSecrets) {
    put_vector(out, &secrets.group_id.0);
    out.extend_from_slice(&secrets.epoch.to_be_bytes());
    out.push(CONTENT_TYPE_APPLICATION);
}
