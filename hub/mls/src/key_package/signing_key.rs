use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;
use zeroize::Zeroizing;

use crate::fault::MlsFault;
use crate::provider::SUITE;

const SEED_LENGTH: usize = 32;

/// An Ed25519 key that signs for one MLS client. Its seed is wiped when the last clone is dropped.
#[derive(Clone)]
pub struct SigningKey {
    seed: Arc<Zeroizing<[u8; SEED_LENGTH]>>,
    pair: Arc<Ed25519KeyPair>,
}

/// The bytes are not the seed of an Ed25519 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an Ed25519 seed has {SEED_LENGTH} bytes")]
pub struct InvalidSigningKey;

impl SigningKey {
    /// A fresh key.
    pub fn generate() -> Result<Self, MlsFault> {
        let mut seed = Zeroizing::new([0; SEED_LENGTH]);
        aws_lc_rs::rand::fill(seed.as_mut_slice()).map_err(MlsFault::internal)?;
        Self::from_bytes(seed.as_slice()).map_err(MlsFault::internal)
    }

    /// The key with this seed; see [`to_bytes`](Self::to_bytes).
    pub fn from_bytes(seed: &[u8]) -> Result<Self, InvalidSigningKey> {
        let seed: [u8; SEED_LENGTH] = seed.try_into().map_err(|_| InvalidSigningKey)?;
        let seed = Zeroizing::new(seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|_| InvalidSigningKey)?;
        Ok(Self { seed: Arc::new(seed), pair: Arc::new(pair) })
    }

    /// The seed: secret.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.seed.to_vec())
    }

    /// The public key.
    pub fn public(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// A plain signature over `bytes`; the labels are `sign_with_label`'s business.
    pub(crate) fn sign_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.pair.public_key()).finish_non_exhaustive()
    }
}

/// openmls signs through this.
impl Signer for SigningKey {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.sign_bytes(payload))
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SUITE.signature_algorithm()
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidSigningKey, SigningKey};

    #[test]
    fn a_key_comes_back_from_its_seed() {
        let key = SigningKey::generate().unwrap();

        let same = SigningKey::from_bytes(&key.to_bytes()).unwrap();

        assert_eq!(same.public(), key.public());
        assert_eq!(SigningKey::from_bytes(&[1; 31]).unwrap_err(), InvalidSigningKey);
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = SigningKey::from_bytes(&[0xab; 32]).unwrap();

        assert!(!format!("{key:?}").contains("abab"));
    }
}
