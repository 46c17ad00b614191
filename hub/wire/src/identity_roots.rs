use crate::codec::{Reader, Wire, body, put_list_with, put_opaque};
use crate::decode_error::DecodeError;
use crate::limits::{IDENTITY_ROOT_LENGTH_MAX, IDENTITY_ROOTS_MAX};

/// The identity roots of a provider, as it publishes them behind `x-identityRoots`.
///
/// An extension of ours: the draft says nothing of how a receiver comes to know which certificates vouch for the users
/// of a provider. A root of a domain vouches only for names of that domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityRootsDocument {
    /// The certificates, each as DER.
    pub roots: Vec<Vec<u8>>,
}

impl Wire for IdentityRootsDocument {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let roots = reader.list_with("identity roots", IDENTITY_ROOTS_MAX, |reader| {
            reader.opaque_max("identity root", IDENTITY_ROOT_LENGTH_MAX).map(<[u8]>::to_vec)
        })?;
        Ok(Self { roots })
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_list_with(out, &self.roots, |root, out| put_opaque(out, root));
    }
}

body!(IdentityRootsDocument);
