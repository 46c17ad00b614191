//! Sealing at rest: what the database holds is of no use without the instance key, which is kept outside it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The length of the instance secret and of every key derived from it, in bytes.
pub const KEY_LENGTH: usize = 32;

/// The instance secret and what is derived from it: sealing keys, salts, unguessable names.
///
/// It is backed up with the database, never stored in it.
#[derive(Clone)]
pub struct Vault {
    root: Prk,
}

/// What a sealed value is; part of what is authenticated, so that one cannot stand in for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Private keys of a minted `KeyPackage`.
    KeyPackage,
    /// The group state of a hosted room.
    RoomState,
    /// The key of one day's payloads.
    DataKey,
    /// The private key of the identity CA.
    Authority,
}

/// A sealed value did not open: another instance key, or the bytes were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open with this instance key")]
pub struct NotOurs;

/// One day's key for native payloads; destroying it destroys them.
#[derive(Clone)]
pub struct DataKey {
    day: u32,
    key: Zeroizing<[u8; KEY_LENGTH]>,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::KeyPackage => b"key package",
            Self::RoomState => b"room state",
            Self::DataKey => b"data key",
            Self::Authority => b"authority",
        }
    }
}

impl Vault {
    /// The vault of an instance.
    pub fn new(secret: &[u8; KEY_LENGTH]) -> Self {
        Self { root: Salt::new(HKDF_SHA256, b"drawbridge instance").extract(secret) }
    }

    /// Seals a value for a purpose, bound to the row it is kept in.
    pub fn seal(&self, purpose: Purpose, row: &[u8], plain: &[u8]) -> Vec<u8> {
        seal_with(&self.sealing_key(purpose), row, plain)
    }

    /// Opens a value sealed for the same purpose and row.
    pub fn open(&self, purpose: Purpose, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
        open_with(&self.sealing_key(purpose), row, sealed)
    }

    /// The salt of a hosted user's message: the same native message always yields the same MIMI message id, and
    /// nobody without the instance secret can guess it.
    pub fn message_salt(&self, link: &[u8], native_id: &[u8], part: u32, revision: u32) -> [u8; 16] {
        self.derive(&[b"salt", link, native_id, &part.to_be_bytes(), &revision.to_be_bytes()])
    }

    /// An unguessable name for something made on behalf of `parts`; the same parts yield the same name.
    pub fn name(&self, kind: &str, parts: &[&[u8]]) -> String {
        let mut all = vec![b"name".as_slice(), kind.as_bytes()];
        all.extend(parts);
        let bytes: [u8; 16] = self.derive(&all);
        hex::encode(bytes)
    }

    /// Makes the key of a day, with the sealed form in which it is stored.
    pub fn new_data_key(&self, day: u32) -> (DataKey, Vec<u8>) {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        fill_random(key.as_mut_slice());
        let sealed = self.seal(Purpose::DataKey, &day.to_be_bytes(), key.as_slice());
        (DataKey { day, key }, sealed)
    }

    /// Opens the stored key of a day.
    pub fn open_data_key(&self, day: u32, sealed: &[u8]) -> Result<DataKey, NotOurs> {
        let plain = Zeroizing::new(self.open(Purpose::DataKey, &day.to_be_bytes(), sealed)?);
        let key = <[u8; KEY_LENGTH]>::try_from(plain.as_slice()).map_err(|_| NotOurs)?;
        Ok(DataKey { day, key: Zeroizing::new(key) })
    }

    fn sealing_key(&self, purpose: Purpose) -> Zeroizing<[u8; KEY_LENGTH]> {
        Zeroizing::new(self.derive(&[b"seal", purpose.label()]))
    }

    fn derive<const N: usize>(&self, parts: &[&[u8]]) -> [u8; N] {
        let framed: Vec<u8> = parts
            .iter()
            .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()))
            .collect();
        let mut out = [0; N];
        expand(&self.root, &framed, &mut out);
        out
    }
}

impl DataKey {
    /// The day (since the UNIX epoch) whose payloads the key seals.
    pub fn day(&self) -> u32 {
        self.day
    }

    /// Seals a payload, bound to the row it is kept in.
    pub fn seal(&self, row: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = self.day.to_be_bytes().to_vec();
        sealed.extend(seal_with(&self.key, row, plain));
        sealed
    }

    /// Opens a payload that this key sealed.
    pub fn open(&self, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
        let (day, sealed) = sealed.split_first_chunk::<4>().ok_or(NotOurs)?;
        if u32::from_be_bytes(*day) != self.day {
            return Err(NotOurs);
        }
        open_with(&self.key, row, sealed)
    }

    /// The day whose key a sealed payload needs.
    pub fn day_of(sealed: &[u8]) -> Result<u32, NotOurs> {
        sealed.first_chunk::<4>().map(|day| u32::from_be_bytes(*day)).ok_or(NotOurs)
    }
}

fn seal_with(key: &[u8; KEY_LENGTH], row: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    fill_random(&mut nonce);
    let mut sealed = plain.to_vec();
    #[expect(clippy::expect_used, reason = "AES-GCM seals any plaintext that fits in memory")]
    aead_key(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(row), &mut sealed)
        .expect("sealing cannot fail");
    [nonce.as_slice(), &sealed].concat()
}

fn open_with(key: &[u8; KEY_LENGTH], row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOurs> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(NotOurs)?;
    let mut plain = sealed.to_vec();
    let length = aead_key(key)
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(row), &mut plain)
        .map_err(|_| NotOurs)?
        .len();
    plain.truncate(length);
    Ok(plain)
}

#[expect(clippy::expect_used, reason = "the key has the algorithm's length by its type")]
fn aead_key(key: &[u8; KEY_LENGTH]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("a 32-byte key"))
}

#[expect(clippy::expect_used, reason = "the operating system's randomness does not fail on a running system")]
fn fill_random(out: &mut [u8]) {
    SystemRandom::new().fill(out).expect("randomness");
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[expect(clippy::expect_used, reason = "HKDF yields far more than the few bytes asked for")]
fn expand(root: &Prk, info: &[u8], out: &mut [u8]) {
    root.expand(&[info], Length(out.len())).and_then(|okm| okm.fill(out)).expect("a short output");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(&[7; KEY_LENGTH])
    }

    #[test]
    fn a_sealed_value_opens_for_its_purpose_and_row_only() {
        let sealed = vault().seal(Purpose::RoomState, b"row", b"secret");

        assert_eq!(vault().open(Purpose::RoomState, b"row", &sealed).unwrap(), b"secret");
        assert_eq!(vault().open(Purpose::KeyPackage, b"row", &sealed), Err(NotOurs));
        assert_eq!(vault().open(Purpose::RoomState, b"other", &sealed), Err(NotOurs));
        assert_eq!(Vault::new(&[8; KEY_LENGTH]).open(Purpose::RoomState, b"row", &sealed), Err(NotOurs));
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let sealed = vault().seal(Purpose::RoomState, b"row", b"secret");

        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(vault().open(Purpose::RoomState, b"row", &changed), Err(NotOurs));
            assert_eq!(vault().open(Purpose::RoomState, b"row", &sealed[..at]), Err(NotOurs));
        }
    }

    #[test]
    fn a_day_key_survives_storage_and_opens_its_day_only() {
        let (key, stored) = vault().new_data_key(20_000);
        let sealed = key.seal(b"row", b"hello");

        let reopened = vault().open_data_key(20_000, &stored).unwrap();
        let (other, _) = vault().new_data_key(20_001);

        assert_eq!(DataKey::day_of(&sealed), Ok(20_000));
        assert_eq!(reopened.open(b"row", &sealed).unwrap(), b"hello");
        assert_eq!(other.open(b"row", &sealed), Err(NotOurs));
        assert!(vault().open_data_key(20_001, &stored).is_err());
    }

    #[test]
    fn the_same_native_message_yields_the_same_salt_and_another_yields_another() {
        let salt = vault().message_salt(b"link", b"$event", 0, 0);

        assert_eq!(salt, vault().message_salt(b"link", b"$event", 0, 0));
        assert_ne!(salt, vault().message_salt(b"link", b"$event", 1, 0));
        assert_ne!(salt, vault().message_salt(b"link", b"$event", 0, 1));
        assert_ne!(salt, vault().message_salt(b"lin", b"k$event", 0, 0));
        assert_ne!(salt, Vault::new(&[8; KEY_LENGTH]).message_salt(b"link", b"$event", 0, 0));
    }
}
