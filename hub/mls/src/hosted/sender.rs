//! The leaf sender: seals application messages as one hosted leaf, without an MLS group object.

use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::random::OpenMlsRand as _;
use openmls_traits::types::AeadType;

use super::epoch::EpochSecrets;
use super::faults::HostedFault;
use super::framing::{Content, FRAMED_CONTENT_LABEL, FramedContent, PrivateFrame, private_content_aad};
use super::limits::GENERATION_MAX;
use super::ratchet::Ratchet;
use super::sender_data::{SenderData, guarded_nonce};
use crate::ids::LeafIndex;
use crate::key_package::SigningKey;
use crate::label::sign_with_label;
use crate::tls::put_vector;

/// A hosted leaf's way to speak in one epoch: 36 bytes beside the epoch's secrets.
#[derive(Debug, Clone)]
pub(super) struct LeafSender {
    leaf: LeafIndex,
    ratchet: Ratchet,
}

/// An application message before it is sealed.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    /// What stays in clear.
    pub(super) authenticated_data: &'a [u8],
    pub(super) data: &'a [u8],
}

impl LeafSender {
    /// Derives the sender of `leaf` at the first generation of the epoch.
    pub(super) fn derive(
        crypto: &RustCrypto,
        secrets: &EpochSecrets,
        leaf: LeafIndex,
    ) -> Result<Self, HostedFault> {
        let secret = secrets.application_ratchet(crypto, leaf)?.ok_or(HostedFault::NotHosted(leaf))?;
        Ok(Self { leaf, ratchet: Ratchet::new(secret, 0) })
    }

    /// The generation the next message will have.
    pub(super) fn generation(&self) -> u32 {
        self.ratchet.generation()
    }

    /// Gives up all generations before `generation`; never goes back.
    pub(super) fn advance_to(&mut self, crypto: &RustCrypto, generation: u32) -> Result<(), HostedFault> {
        if generation > GENERATION_MAX {
            return Err(HostedFault::GenerationsSpent(self.leaf));
        }
        self.ratchet.advance_to(crypto, generation)
    }

    /// Seals a message as a `PrivateMessage` in the next generation (RFC 9420 §6.3).
    pub(super) fn seal(
        &mut self,
        crypto: &RustCrypto,
        secrets: &EpochSecrets,
        key: &SigningKey,
        said: &Said<'_>,
    ) -> Result<Vec<u8>, HostedFault> {
        if self.generation() >= GENERATION_MAX {
            return Err(HostedFault::GenerationsSpent(self.leaf));
        }
        let Said { authenticated_data, data } = *said;
        let content = Content::Application(data);
        let framed = FramedContent { secrets, leaf: self.leaf, authenticated_data, content };
        let mut plain = Vec::with_capacity(data.len() + 72);
        put_vector(&mut plain, data);
        put_vector(&mut plain, &sign_with_label(key, FRAMED_CONTENT_LABEL, &framed.to_be_signed()));

        let sender = SenderData {
            leaf: self.leaf,
            generation: self.generation(),
            reuse_guard: crypto.random_array().map_err(HostedFault::internal)?,
        };
        let message_key = self.ratchet.advance(crypto)?;
        let ciphertext = crypto
            .aead_encrypt(
                AeadType::Aes128Gcm,
                message_key.key.as_slice(),
                &plain,
                &guarded_nonce(&message_key, sender.reuse_guard),
                &private_content_aad(secrets, authenticated_data),
            )
            .map_err(HostedFault::internal)?;
        let encrypted_sender_data = sender.seal(crypto, secrets, &ciphertext)?;
        let frame = PrivateFrame {
            authenticated_data,
            encrypted_sender_data: &encrypted_sender_data,
            ciphertext: &ciphertext,
        };
        Ok(frame.encode(secrets))
    }
}
