//! `SenderData`: who speaks, in which generation, sealed under the epoch's sender data secret (RFC 9420 §6.3.2).

use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::types::AeadType;

use super::epoch::EpochSecrets;
use super::faults::HostedFault;
use super::framing::sender_data_aad;
use super::ratchet::{KEY_LENGTH, MessageKey, NONCE_LENGTH};
use super::secret::SECRET_LENGTH;
use crate::ids::LeafIndex;
use crate::tls::Reading;

/// The sender of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SenderData {
    pub(super) leaf: LeafIndex,
    pub(super) generation: u32,
    pub(super) reuse_guard: [u8; 4],
}

impl SenderData {
    pub(super) fn seal(
        &self,
        crypto: &RustCrypto,
        secrets: &EpochSecrets,
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, HostedFault> {
        let message_key = sender_data_key(crypto, secrets, ciphertext)?;
        let mut plain = self.leaf.0.to_be_bytes().to_vec();
        plain.extend_from_slice(&self.generation.to_be_bytes());
        plain.extend_from_slice(&self.reuse_guard);
        crypto
            .aead_encrypt(
                AeadType::Aes128Gcm,
                message_key.key.as_slice(),
                &plain,
                message_key.nonce.as_slice(),
                &sender_data_aad(secrets),
            )
            .map_err(HostedFault::internal)
    }

    /// Opens sender data; nothing if it was not sealed under this epoch's secret.
    pub(super) fn open(
        crypto: &RustCrypto,
        secrets: &EpochSecrets,
        sealed: &[u8],
        ciphertext: &[u8],
    ) -> Result<Option<Self>, HostedFault> {
        let message_key = sender_data_key(crypto, secrets, ciphertext)?;
        let opened = crypto.aead_decrypt(
            AeadType::Aes128Gcm,
            message_key.key.as_slice(),
            sealed,
            message_key.nonce.as_slice(),
            &sender_data_aad(secrets),
        );
        Ok(opened.ok().and_then(|plain| Self::decode(&plain)))
    }

    fn decode(plain: &[u8]) -> Option<Self> {
        let mut reading = Reading(plain);
        let sender = Self {
            leaf: LeafIndex(u32::from_be_bytes(reading.array()?)),
            generation: u32::from_be_bytes(reading.array()?),
            reuse_guard: reading.array()?,
        };
        reading.is_empty().then_some(sender)
    }
}

/// The nonce of a message: the ratchet's, guarded against accidental reuse (RFC 9420 §6.3.1).
pub(super) fn guarded_nonce(message_key: &MessageKey, reuse_guard: [u8; 4]) -> [u8; NONCE_LENGTH] {
    let mut nonce = *message_key.nonce;
    for (byte, guard) in nonce.iter_mut().zip(reuse_guard) {
        *byte ^= guard;
    }
    nonce
}

fn sender_data_key(
    crypto: &RustCrypto,
    secrets: &EpochSecrets,
    ciphertext: &[u8],
) -> Result<MessageKey, HostedFault> {
    let sample = &ciphertext[..ciphertext.len().min(SECRET_LENGTH)];
    Ok(MessageKey {
        key: secrets.sender_data_secret.expand::<KEY_LENGTH>(crypto, "key", sample)?,
        nonce: secrets.sender_data_secret.expand::<NONCE_LENGTH>(crypto, "nonce", sample)?,
    })
}
