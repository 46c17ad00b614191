//! The one door between bytes and structures.
//!
//! Structures are encoded in the TLS presentation language as RFC 9420 uses it: vector lengths are minimal varints,
//! `optional` is 0 or 1, an enum has only its named values. A structure decodes from exactly one byte string, the one
//! that it encodes to: a hub and a client that hold equal structures hold equal bytes (I2).

use tls_codec::DeserializeBytes;

use crate::limits::COMPONENT_LENGTH_MAX;

/// Why bytes are not the structure that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Longer than any component may be.
    #[error("a component has at most {COMPONENT_LENGTH_MAX} bytes")]
    TooLong,
    /// Not the encoding of this structure: cut off, an unknown enum value, a length that is not minimal, a rest.
    #[error("not a well-formed structure: {0}")]
    Malformed(String),
    /// Well-formed, but against a rule that the structure states about itself.
    #[error("{0}")]
    Invalid(&'static str),
}

impl From<tls_codec::Error> for DecodeError {
    fn from(error: tls_codec::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// A structure that can say whether its fields agree with each other.
pub(crate) trait Consistent {
    /// Checks what the syntax alone does not.
    fn check(&self) -> Result<(), DecodeError>;
}

/// Decodes the whole of `bytes` and checks the result.
pub(crate) fn decode<T: DeserializeBytes + Consistent>(bytes: &[u8]) -> Result<T, DecodeError> {
    if bytes.len() > COMPONENT_LENGTH_MAX {
        return Err(DecodeError::TooLong);
    }
    let structure = T::tls_deserialize_exact_bytes(bytes)?;
    structure.check()?;
    Ok(structure)
}

#[expect(
    clippy::expect_used,
    reason = "only a vector of 2^30 bytes has no encoding, and no component is so long"
)]
pub(crate) fn encode<T: tls_codec::Serialize>(structure: &T) -> Vec<u8> {
    structure.tls_serialize_detached().expect("a structure of bounded size has an encoding")
}

/// Reads UTF-8 text as `opaque<V>`.
///
/// By way of a vector of bytes: the codec library's own strings and byte strings assert, in debug builds, that the input
/// is as long as it says.
pub(crate) fn text(bytes: &[u8]) -> Result<(String, &[u8]), tls_codec::Error> {
    let (text, rest) = Vec::<u8>::tls_deserialize_bytes(bytes)?;
    let text = String::from_utf8(text).map_err(|why| tls_codec::Error::DecodingError(why.to_string()))?;
    Ok((text, rest))
}

/// Gives structures their door: `decode` for the whole of some bytes, `encode` for the only bytes.
macro_rules! doors {
    ($($structure:ty),+ $(,)?) => {$(
        impl $structure {
            /// Decodes the structure from the whole of `bytes`.
            pub fn decode(bytes: &[u8]) -> Result<Self, crate::DecodeError> {
                crate::codec::decode(bytes)
            }

            /// Encodes the structure; there is only one encoding.
            pub fn encode(&self) -> Vec<u8> {
                crate::codec::encode(self)
            }
        }
    )+};
}

/// Structures whose syntax says all.
macro_rules! always_consistent {
    ($($structure:ty),+ $(,)?) => {$(
        impl crate::codec::Consistent for $structure {
            fn check(&self) -> Result<(), crate::DecodeError> {
                Ok(())
            }
        }
    )+};
}

pub(crate) use {always_consistent, doors};

/// Fields that are not as the codec library would encode them, for `#[tls_codec(with = "…")]`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the derive macro passes references")]
pub(crate) mod boolean {
    use std::io::Write;

    use tls_codec::{DeserializeBytes, Error};

    pub(crate) fn tls_serialized_len(_: &bool) -> usize {
        1
    }

    pub(crate) fn tls_serialize<W: Write>(value: &bool, writer: &mut W) -> Result<usize, Error> {
        writer.write_all(&[u8::from(*value)])?;
        Ok(1)
    }

    pub(crate) fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(bool, &[u8]), Error> {
        match u8::tls_deserialize_bytes(bytes)? {
            (0, rest) => Ok((false, rest)),
            (1, rest) => Ok((true, rest)),
            (value, _) => Err(Error::UnknownValue(value.into())),
        }
    }
}

/// An identifier of ours as `opaque<V>`: only its canonical form is one.
macro_rules! identifier_codec {
    ($module:ident, $identifier:ident) => {
        pub(crate) mod $module {
            use std::io::Write;

            use mimi_uri::$identifier;
            use tls_codec::{Error, Serialize, Size, VLByteSlice};

            pub(crate) fn tls_serialized_len(value: &$identifier) -> usize {
                VLByteSlice(value.as_str().as_bytes()).tls_serialized_len()
            }

            pub(crate) fn tls_serialize<W: Write>(
                value: &$identifier,
                writer: &mut W,
            ) -> Result<usize, Error> {
                VLByteSlice(value.as_str().as_bytes()).tls_serialize(writer)
            }

            pub(crate) fn tls_deserialize_bytes(bytes: &[u8]) -> Result<($identifier, &[u8]), Error> {
                let (text, rest) = crate::codec::text(bytes)?;
                let value = $identifier::parse(&text).map_err(|why| Error::DecodingError(why.to_string()))?;
                Ok((value, rest))
            }
        }
    };
}

identifier_codec!(user_uri, UserUri);
identifier_codec!(room_uri, RoomUri);
