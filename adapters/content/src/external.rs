//! Opening what lies at the URL of an external part.

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, digest};
use thiserror::Error;

use crate::part::ExternalPart;

/// IANA AEAD number of AES-128-GCM, which everyone implements (CM9).
pub const AES_128_GCM: u16 = 1;

/// IANA named-information number of SHA-256.
pub const SHA_256: u8 = 1;

/// How an external body is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption<'p> {
    /// Not at all: the URL is a service, or the body is no secret.
    None,
    /// AES-128-GCM.
    Aes128Gcm {
        /// The key.
        key: &'p [u8; 16],
        /// The nonce.
        nonce: &'p [u8; 12],
    },
}

/// Why a downloaded body is not what the sender meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExternalFault {
    /// Another length than announced.
    #[error("another size than announced")]
    Size,
    /// Another hash than announced: the body was swapped (F row 52).
    #[error("another hash than announced")]
    Hash,
    /// A hash algorithm we do not have: what cannot be checked is not taken.
    #[error("unknown hash algorithm {0}")]
    UnknownHash(u8),
    /// An AEAD we do not have.
    #[error("unknown encryption algorithm {0}")]
    UnknownEncryption(u16),
    /// A key or nonce of another length than the algorithm has.
    #[error("a key or nonce of the wrong length")]
    KeyLength,
    /// The body does not decrypt.
    #[error("the body does not decrypt")]
    Decryption,
}

impl ExternalPart {
    /// How the body is encrypted, with key and nonce of the right length.
    pub fn encryption(&self) -> Result<Encryption<'_>, ExternalFault> {
        match self.enc_alg {
            0 => Ok(Encryption::None),
            AES_128_GCM => match (self.key.as_slice().try_into(), self.nonce.as_slice().try_into()) {
                (Ok(key), Ok(nonce)) => Ok(Encryption::Aes128Gcm { key, nonce }),
                _ => Err(ExternalFault::KeyLength),
            },
            unknown => Err(ExternalFault::UnknownEncryption(unknown)),
        }
    }

    /// The body, from what was downloaded: checks size, then hash, then decrypts.
    pub fn open(&self, mut downloaded: Vec<u8>) -> Result<Vec<u8>, ExternalFault> {
        if self.size != 0 && self.size != downloaded.len() as u64 {
            return Err(ExternalFault::Size);
        }
        self.check_hash(&downloaded)?;
        match self.encryption()? {
            Encryption::None => Ok(downloaded),
            Encryption::Aes128Gcm { key, nonce } => {
                let nonce = Nonce::assume_unique_for_key(*nonce);
                let opened = gcm(key)?.open_in_place(nonce, Aad::from(&self.aad), &mut downloaded);
                let length = opened.map_err(|_| ExternalFault::Decryption)?.len();
                downloaded.truncate(length);
                Ok(downloaded)
            }
        }
    }

    /// Encrypts a body for upload and notes key, nonce, size and hash in the part.
    ///
    /// Key and nonce are drawn anew for every body: the caller never uses a pair twice.
    pub fn seal(
        &mut self,
        mut body: Vec<u8>,
        key: &[u8; 16],
        nonce: [u8; 12],
    ) -> Result<Vec<u8>, ExternalFault> {
        gcm(key)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut body)
            .map_err(|_| ExternalFault::Decryption)?;
        self.enc_alg = AES_128_GCM;
        self.key = key.to_vec();
        self.nonce = nonce.to_vec();
        self.aad = Vec::new();
        self.size = body.len() as u64;
        self.hash_alg = SHA_256;
        self.content_hash = digest::digest(&digest::SHA256, &body).as_ref().to_vec();
        Ok(body)
    }

    fn check_hash(&self, downloaded: &[u8]) -> Result<(), ExternalFault> {
        match self.hash_alg {
            0 => Ok(()),
            SHA_256 => {
                let hash = digest::digest(&digest::SHA256, downloaded);
                constant_time::verify_slices_are_equal(hash.as_ref(), &self.content_hash)
                    .map_err(|_| ExternalFault::Hash)
            }
            unknown => Err(ExternalFault::UnknownHash(unknown)),
        }
    }
}

fn gcm(key: &[u8; 16]) -> Result<LessSafeKey, ExternalFault> {
    UnboundKey::new(&aead::AES_128_GCM, key).map(LessSafeKey::new).map_err(|_| ExternalFault::KeyLength)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(body: &[u8]) -> (ExternalPart, Vec<u8>) {
        let mut part = ExternalPart::default();
        let uploaded = part.seal(body.to_vec(), &[7; 16], [9; 12]).unwrap();
        (part, uploaded)
    }

    #[test]
    fn what_is_sealed_opens() {
        let (part, uploaded) = sealed(b"holiday.jpg");

        assert_eq!(uploaded.len(), 11 + 16);
        assert_eq!(part.open(uploaded), Ok(b"holiday.jpg".to_vec()));
    }

    #[test]
    fn size_is_checked_before_hash_and_hash_before_decryption() {
        let (mut part, mut uploaded) = sealed(b"holiday.jpg");
        uploaded[0] ^= 1;

        assert_eq!(part.open(uploaded[1..].to_vec()), Err(ExternalFault::Size));
        assert_eq!(part.open(uploaded.clone()), Err(ExternalFault::Hash));
        part.hash_alg = 0;
        assert_eq!(part.open(uploaded), Err(ExternalFault::Decryption));
    }

    #[test]
    fn an_unknown_size_and_no_hash_still_decrypt() {
        let (mut part, uploaded) = sealed(b"x");
        part.size = 0;
        part.hash_alg = 0;

        assert_eq!(part.open(uploaded), Ok(b"x".to_vec()));
    }

    #[test]
    fn what_cannot_be_checked_is_not_taken() {
        let (part, uploaded) = sealed(b"x");
        let unknown_hash = ExternalPart { hash_alg: 7, ..part.clone() };
        let unknown_encryption = ExternalPart { enc_alg: 29, ..part.clone() };
        let short_key = ExternalPart { key: vec![7; 15], ..part };

        assert_eq!(unknown_hash.open(uploaded.clone()), Err(ExternalFault::UnknownHash(7)));
        assert_eq!(unknown_encryption.open(uploaded.clone()), Err(ExternalFault::UnknownEncryption(29)));
        assert_eq!(short_key.open(uploaded), Err(ExternalFault::KeyLength));
    }

    #[test]
    fn a_service_url_has_no_encryption() {
        let part = ExternalPart { url: "https://conference.example/1".to_owned(), ..ExternalPart::default() };

        assert_eq!(part.encryption(), Ok(Encryption::None));
        assert_eq!(part.open(b"page".to_vec()), Ok(b"page".to_vec()));
    }
}
