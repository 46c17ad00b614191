//! The symmetric ratchet of one sender in one epoch (RFC 9420 §9.1).

use openmls_rust_crypto::RustCrypto;
use zeroize::Zeroizing;

use super::faults::HostedFault;
use super::secret::Secret;

pub(super) const KEY_LENGTH: usize = 16;
pub(super) const NONCE_LENGTH: usize = 12;

/// The key and nonce of one generation: used for one message, then gone.
#[derive(Clone)]
pub(super) struct MessageKey {
    pub(super) key: Zeroizing<[u8; KEY_LENGTH]>,
    pub(super) nonce: Zeroizing<[u8; NONCE_LENGTH]>,
}

/// Where a sender's ratchet stands: 36 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ratchet {
    secret: Secret,
    generation: u32,
}

impl Ratchet {
    /// A ratchet whose `secret` belongs to `generation`.
    pub(super) fn new(secret: Secret, generation: u32) -> Self {
        Self { secret, generation }
    }

    /// The generation the next key belongs to.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Takes the key of this generation and steps on; the old secret is wiped.
    pub(super) fn advance(&mut self, crypto: &RustCrypto) -> Result<MessageKey, HostedFault> {
        let generation = self.generation.to_be_bytes();
        let message_key = MessageKey {
            key: self.secret.expand(crypto, "key", &generation)?,
            nonce: self.secret.expand(crypto, "nonce", &generation)?,
        };
        self.step(crypto)?;
        Ok(message_key)
    }

    /// Steps on to `generation` without taking the keys between; never back.
    pub(super) fn advance_to(&mut self, crypto: &RustCrypto, generation: u32) -> Result<(), HostedFault> {
        while self.generation < generation {
            self.step(crypto)?;
        }
        Ok(())
    }

    fn step(&mut self, crypto: &RustCrypto) -> Result<(), HostedFault> {
        self.secret = self.secret.derive(crypto, "secret", &self.generation.to_be_bytes())?;
        self.generation += 1;
        Ok(())
    }
}
