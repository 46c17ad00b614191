//! The one openmls provider of this workspace: `RustCrypto`, and a storage that is a table in memory.
//!
//! openmls is generic over its provider, and every new one recompiles much of it; so there is one, and it stays in this
//! crate.

mod scratch;

use openmls::prelude::Ciphersuite;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;

pub(crate) use scratch::{Scratch, ScratchFault};

/// The one ciphersuite of our rooms, 0x0001: mandatory to implement in MLS, and what every MIMI client speaks.
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// Crypto, randomness and storage for openmls.
///
/// What openmls stores is believed when it loads, and is laid open here for that: entries are (key, value) bytes, the
/// value being the entity in compact `MessagePack`, so a `Serialize`/`Deserialize` struct with the same fields in the same
/// order reads or writes it. A typed access goes through [`Scratch`]'s implementation of openmls' `StorageProvider`.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    crypto: RustCrypto,
    storage: Scratch,
}

impl Provider {
    /// A provider with the same entries that goes its own way from here; costs a pointer per entry.
    pub(crate) fn fork(&self) -> Self {
        Self { crypto: RustCrypto::default(), storage: self.storage.fork() }
    }

    /// A provider with these entries; see [`entries`](Self::entries).
    pub(crate) fn restore(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        Self { crypto: RustCrypto::default(), storage: Scratch::restore(entries) }
    }

    /// Everything that is stored, in ascending order of the keys.
    pub(crate) fn entries(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.storage.entries()
    }

    /// The storage, without the provider trait in scope.
    pub(crate) fn storage_ref(&self) -> &Scratch {
        &self.storage
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = Scratch;

    fn storage(&self) -> &Scratch {
        &self.storage
    }

    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }

    fn rand(&self) -> &RustCrypto {
        &self.crypto
    }
}
