//! `IdentifierUri` inside structs: one vector, which must be a canonical URI of the class that belongs there (G4).

use mimi_uri::{ClientUri, InvalidUri, RoomUri, UserUri};

use crate::codec::{Reader, put_opaque};
use crate::decode_error::DecodeError;

/// A URI that stands in an `IdentifierUri`.
pub(crate) trait Identifier: Sized {
    fn parse_bytes(bytes: &[u8]) -> Result<Self, InvalidUri>;
    fn as_str(&self) -> &str;
}

macro_rules! identifiers {
    ($($name:ident),+) => {$(
        impl Identifier for $name {
            fn parse_bytes(bytes: &[u8]) -> Result<Self, InvalidUri> {
                $name::parse_bytes(bytes)
            }

            fn as_str(&self) -> &str {
                $name::as_str(self)
            }
        }
    )+};
}
identifiers!(UserUri, ClientUri, RoomUri);

impl Reader<'_> {
    /// An `IdentifierUri`.
    pub(crate) fn uri<T: Identifier>(&mut self, of: &'static str) -> Result<T, DecodeError> {
        T::parse_bytes(self.opaque()?).map_err(|why| DecodeError::Uri { of, why })
    }

    /// An `IdentifierUri` that is empty when there is none to name.
    pub(crate) fn uri_or_empty<T: Identifier>(&mut self, of: &'static str) -> Result<Option<T>, DecodeError> {
        match self.opaque()? {
            [] => Ok(None),
            bytes => T::parse_bytes(bytes).map(Some).map_err(|why| DecodeError::Uri { of, why }),
        }
    }
}

/// Appends an `IdentifierUri`.
pub(crate) fn put_uri<T: Identifier>(out: &mut Vec<u8>, uri: &T) {
    put_opaque(out, uri.as_str().as_bytes());
}

/// Appends an `IdentifierUri` that is empty when there is none to name.
pub(crate) fn put_uri_or_empty<T: Identifier>(out: &mut Vec<u8>, uri: Option<&T>) {
    put_opaque(out, uri.map_or(&[], |uri| uri.as_str().as_bytes()));
}
