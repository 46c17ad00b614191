//! Signing and sealing with labels (RFC 9420 §5.1): one key, many purposes, no confusion between them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::random::OpenMlsRand as _;
use openmls_traits::types::HpkeCiphertext as GroupCiphertext;
use zeroize::Zeroizing;

use crate::fault::MlsFault;
use crate::key_package::SigningKey;
use crate::provider::SUITE;
use crate::tls::put_vector;

/// `SignWithLabel`: an Ed25519 signature over label and content.
pub fn sign_with_label(key: &SigningKey, label: &str, content: &[u8]) -> Vec<u8> {
    key.sign_bytes(&labelled(label, content))
}

/// `VerifyWithLabel`: whether `signature` over label and content is by the owner of an Ed25519 public key.
pub fn verify_with_label(public_key: &[u8], label: &str, content: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(&labelled(label, content), signature).is_ok()
}

/// What `EncryptWithLabel` makes (RFC 9420 §7.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HpkeCiphertext {
    /// The encapsulated key.
    pub kem_output: Vec<u8>,
    /// The ciphertext, with its tag.
    pub ciphertext: Vec<u8>,
}

/// Sealed bytes do not open: another key, label or context, or altered on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed bytes do not open with this key, label and context")]
pub struct CannotOpen;

/// An HPKE key pair of the suite, for answers that only its owner may read.
#[derive(Clone)]
pub struct HpkeKeyPair {
    /// The public key.
    pub public: Vec<u8>,
    /// The private key, wiped when dropped.
    pub private: Zeroizing<Vec<u8>>,
}

impl HpkeKeyPair {
    /// A fresh key pair.
    pub fn generate() -> Result<Self, MlsFault> {
        let crypto = RustCrypto::default();
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(crypto.random_array().map_err(MlsFault::internal)?);
        let pair =
            crypto.derive_hpke_keypair(SUITE.hpke_config(), seed.as_slice()).map_err(MlsFault::internal)?;
        Ok(Self { public: pair.public, private: Zeroizing::new(pair.private.to_vec()) })
    }
}

impl std::fmt::Debug for HpkeKeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HpkeKeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

/// `EncryptWithLabel` for the owner of an HPKE public key.
pub fn seal_with_label(
    public_key: &[u8],
    label: &str,
    context: &[u8],
    plain: &[u8],
) -> Result<HpkeCiphertext, MlsFault> {
    let sealed = RustCrypto::default()
        .hpke_seal(SUITE.hpke_config(), public_key, &labelled(label, context), &[], plain)
        .map_err(MlsFault::internal)?;
    Ok(HpkeCiphertext { kem_output: sealed.kem_output.into(), ciphertext: sealed.ciphertext.into() })
}

/// `DecryptWithLabel` with an HPKE private key.
pub fn open_with_label(
    private_key: &[u8],
    label: &str,
    context: &[u8],
    sealed: &HpkeCiphertext,
) -> Result<Vec<u8>, CannotOpen> {
    let input = GroupCiphertext {
        kem_output: sealed.kem_output.as_slice().into(),
        ciphertext: sealed.ciphertext.as_slice().into(),
    };
    RustCrypto::default()
        .hpke_open(SUITE.hpke_config(), &input, private_key, &labelled(label, context), &[])
        .map_err(|_| CannotOpen)
}

/// `RefHash`: the hash that names an object of one kind (RFC 9420 §5.2).
pub(crate) fn reference_hash(label: &str, value: &[u8]) -> Vec<u8> {
    let mut input = Vec::with_capacity(label.len() + value.len() + 8);
    put_vector(&mut input, label.as_bytes());
    put_vector(&mut input, value);
    digest(&SHA256, &input).as_ref().to_vec()
}

/// `SignContent` and `EncryptContext`: label with the protocol's name in front, then the content.
fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(label.len() + content.len() + 16);
    put_vector(&mut out, [b"MLS 1.0 ", label.as_bytes()].concat().as_slice());
    put_vector(&mut out, content);
    out
}

#[cfg(test)]
mod tests {
    use super::{
        CannotOpen, HpkeKeyPair, open_with_label, seal_with_label, sign_with_label, verify_with_label,
    };
    use crate::key_package::SigningKey;

    #[test]
    fn a_signature_holds_for_its_key_label_and_content_only() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());

        let signature = sign_with_label(&key, "Label", b"content");

        assert!(verify_with_label(&key.public(), "Label", b"content", &signature));
        assert!(!verify_with_label(&other.public(), "Label", b"content", &signature));
        assert!(!verify_with_label(&key.public(), "Labe1", b"content", &signature));
        assert!(!verify_with_label(&key.public(), "Label", b"c0ntent", &signature));
    }

    #[test]
    fn sealed_bytes_open_with_their_key_label_and_context_only() {
        let (pair, other) = (HpkeKeyPair::generate().unwrap(), HpkeKeyPair::generate().unwrap());

        let sealed = seal_with_label(&pair.public, "Label", b"context", b"plain").unwrap();

        assert_eq!(open_with_label(&pair.private, "Label", b"context", &sealed), Ok(b"plain".to_vec()));
        assert_eq!(open_with_label(&other.private, "Label", b"context", &sealed), Err(CannotOpen));
        assert_eq!(open_with_label(&pair.private, "Labe1", b"context", &sealed), Err(CannotOpen));
        assert_eq!(open_with_label(&pair.private, "Label", b"other", &sealed), Err(CannotOpen));
    }
}
