//! Thirty-two secret bytes, and the one way to derive more from them.

use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::types::HashType;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::faults::HostedFault;
use crate::tls::put_vector;

/// Output length of the suite's hash, and so of every secret of the key schedule (`KDF.Nh`).
pub(super) const SECRET_LENGTH: usize = 32;

/// A secret of the key schedule; wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(Zeroizing<[u8; SECRET_LENGTH]>);

impl Secret {
    /// Takes `bytes` over, if they are as long as the suite's hash.
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// `ExpandWithLabel(self, label, context, N)` of RFC 9420 §8.
    pub(super) fn expand<const N: usize>(
        &self,
        crypto: &RustCrypto,
        label: &str,
        context: &[u8],
    ) -> Result<Zeroizing<[u8; N]>, HostedFault> {
        let length =
            u16::try_from(N).map_err(|_| HostedFault::internal("a derived length beyond 16 bits"))?;
        let mut info = Vec::with_capacity(48 + context.len());
        info.extend_from_slice(&length.to_be_bytes());
        put_vector(&mut info, [b"MLS 1.0 ", label.as_bytes()].concat().as_slice());
        put_vector(&mut info, context);
        let derived = crypto
            .hkdf_expand(HashType::Sha2_256, self.as_slice(), &info, N)
            .map_err(HostedFault::internal)?;
        let derived: [u8; N] = derived
            .as_slice()
            .try_into()
            .map_err(|_| HostedFault::internal("a derived secret of another length"))?;
        Ok(Zeroizing::new(derived))
    }

    /// A secret derived from this one, of the same length.
    pub(super) fn derive(
        &self,
        crypto: &RustCrypto,
        label: &str,
        context: &[u8],
    ) -> Result<Self, HostedFault> {
        Ok(Self(self.expand::<SECRET_LENGTH>(crypto, label, context)?))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.as_slice())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?;
        Self::from_slice(&bytes.0).ok_or_else(|| serde::de::Error::invalid_length(bytes.0.len(), &"32 bytes"))
    }
}

/// Bytes that serialise as bytes, not as a list of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}
