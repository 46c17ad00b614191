//! The opener: reads application messages of one epoch, whoever sent them.
//!
//! The reader's own group object is not asked: openmls cannot read what its own leaf sent, re-serialises the secrets of
//! all epochs it holds at every message, and here every hosted leaf is "own". The opener reads echoes of all hosted
//! leaves alike, and costs the same in a room of any size.

use std::collections::BTreeMap;

use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::types::AeadType;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::epoch::EpochSecrets;
use super::faults::{HostedFault, ProcessFault};
use super::framing::{Content, FRAMED_CONTENT_LABEL, FramedContent, PrivateFrame, private_content_aad};
use super::limits::{GENERATIONS_AHEAD_MAX, GENERATIONS_BEHIND_MAX};
use super::ratchet::{MessageKey, Ratchet};
use super::secret::{Bytes, Secret};
use super::sender_data::{SenderData, guarded_nonce};
use crate::ids::LeafIndex;
use crate::label::verify_with_label;
use crate::tls::Reading;

/// What an application message said, and who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) leaf: LeafIndex,
    pub(super) generation: u32,
    pub(super) data: Vec<u8>,
}

/// The receiving ratchets of one epoch, one per leaf that was heard.
#[derive(Debug, Clone, Default)]
pub(super) struct Opener {
    ratchets: BTreeMap<LeafIndex, OpeningRatchet>,
}

impl Opener {
    /// Opens a message once; a second copy is [`ProcessFault::AlreadyRead`].
    ///
    /// `signature_key` says whose signature a leaf's content must bear. Nothing changes unless all checks pass.
    pub(super) fn open<'k>(
        &mut self,
        crypto: &RustCrypto,
        secrets: &EpochSecrets,
        frame: &PrivateFrame<'_>,
        signature_key: impl FnOnce(LeafIndex) -> Option<&'k [u8]>,
    ) -> Result<Opened, ProcessFault> {
        let sender = SenderData::open(crypto, secrets, frame.encrypted_sender_data, frame.ciphertext)?
            .ok_or(ProcessFault::Undecryptable)?;
        let signature_key = signature_key(sender.leaf).ok_or(ProcessFault::UnknownSender(sender.leaf))?;
        let mut ratchet = match self.ratchets.get(&sender.leaf) {
            Some(ratchet) => ratchet.clone(),
            None => OpeningRatchet::derive(crypto, secrets, sender.leaf)?,
        };
        let message_key = ratchet.take(crypto, sender)?;
        let plain = crypto
            .aead_decrypt(
                AeadType::Aes128Gcm,
                message_key.key.as_slice(),
                frame.ciphertext,
                &guarded_nonce(&message_key, sender.reuse_guard),
                &private_content_aad(secrets, frame.authenticated_data),
            )
            .map(Zeroizing::new)
            .map_err(|_| ProcessFault::Undecryptable)?;
        let (data, signature) = decode_content(&plain).ok_or(ProcessFault::Malformed)?;
        let framed = FramedContent {
            secrets,
            leaf: sender.leaf,
            authenticated_data: frame.authenticated_data,
            content: Content::Application(data),
        };
        if !verify_with_label(signature_key, FRAMED_CONTENT_LABEL, &framed.to_be_signed(), signature) {
            return Err(ProcessFault::BadSignature(sender.leaf));
        }
        self.ratchets.insert(sender.leaf, ratchet);
        Ok(Opened { leaf: sender.leaf, generation: sender.generation, data: data.to_vec() })
    }

    pub(super) fn snapshot(&self) -> Vec<OpeningRatchetSnapshot> {
        self.ratchets.iter().map(|(leaf, ratchet)| ratchet.snapshot(*leaf)).collect()
    }

    pub(super) fn load(snapshot: Vec<OpeningRatchetSnapshot>) -> Option<Self> {
        let ratchets = snapshot.into_iter().map(OpeningRatchet::load).collect::<Option<_>>()?;
        Some(Self { ratchets })
    }
}

/// `PrivateMessageContent` of an application message: data, signature, and padding that must be zero (RFC 9420 §6.3.1).
fn decode_content(plain: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reading = Reading(plain);
    let data = reading.vector()?;
    let signature = reading.vector()?;
    reading.0.iter().all(|byte| *byte == 0).then_some((data, signature))
}

/// One sender's ratchet as his receivers walk it: forward, keeping what was skipped for a while.
#[derive(Clone)]
struct OpeningRatchet {
    ratchet: Ratchet,
    skipped: BTreeMap<u32, MessageKey>,
}

impl OpeningRatchet {
    fn derive(crypto: &RustCrypto, secrets: &EpochSecrets, leaf: LeafIndex) -> Result<Self, ProcessFault> {
        let secret = secrets.application_ratchet(crypto, leaf)?.ok_or(ProcessFault::UnknownSender(leaf))?;
        Ok(Self { ratchet: Ratchet::new(secret, 0), skipped: BTreeMap::new() })
    }

    fn take(&mut self, crypto: &RustCrypto, sender: SenderData) -> Result<MessageKey, ProcessFault> {
        let next = self.ratchet.generation();
        if sender.generation < next {
            return self
                .skipped
                .remove(&sender.generation)
                .ok_or(ProcessFault::AlreadyRead { leaf: sender.leaf, generation: sender.generation });
        }
        if sender.generation - next > GENERATIONS_AHEAD_MAX {
            return Err(ProcessFault::GenerationTooFarAhead {
                leaf: sender.leaf,
                generation: sender.generation,
            });
        }
        self.skip_to(crypto, sender.generation)?;
        Ok(self.ratchet.advance(crypto)?)
    }

    /// Walks to `generation`, keeping the keys of the last few generations passed over.
    fn skip_to(&mut self, crypto: &RustCrypto, generation: u32) -> Result<(), HostedFault> {
        let window = u32::try_from(GENERATIONS_BEHIND_MAX).unwrap_or(u32::MAX);
        self.ratchet.advance_to(crypto, generation.saturating_sub(window))?;
        while self.ratchet.generation() < generation {
            let passed = self.ratchet.generation();
            let message_key = self.ratchet.advance(crypto)?;
            self.skipped.insert(passed, message_key);
        }
        while self.skipped.len() > GENERATIONS_BEHIND_MAX {
            self.skipped.pop_first();
        }
        Ok(())
    }

    fn snapshot(&self, leaf: LeafIndex) -> OpeningRatchetSnapshot {
        OpeningRatchetSnapshot {
            leaf: leaf.0,
            secret: self.ratchet.secret().clone(),
            generation: self.ratchet.generation(),
            skipped: self
                .skipped
                .iter()
                .map(|(generation, message_key)| {
                    (*generation, Bytes(message_key.key.to_vec()), Bytes(message_key.nonce.to_vec()))
                })
                .collect(),
        }
    }

    fn load(snapshot: OpeningRatchetSnapshot) -> Option<(LeafIndex, Self)> {
        let mut skipped = BTreeMap::new();
        for (generation, key, nonce) in snapshot.skipped {
            let key = Zeroizing::new(key.0.try_into().ok()?);
            let nonce = Zeroizing::new(nonce.0.try_into().ok()?);
            skipped.insert(generation, MessageKey { key, nonce });
        }
        let ratchet = Ratchet::new(snapshot.secret, snapshot.generation);
        Some((LeafIndex(snapshot.leaf), Self { ratchet, skipped }))
    }
}

impl std::fmt::Debug for OpeningRatchet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpeningRatchet")
            .field("generation", &self.ratchet.generation())
            .finish_non_exhaustive()
    }
}

/// An opening ratchet as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OpeningRatchetSnapshot {
    leaf: u32,
    secret: Secret,
    generation: u32,
    skipped: Vec<(u32, Bytes, Bytes)>,
}
