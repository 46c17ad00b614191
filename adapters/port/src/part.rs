//! [`NestedPart`] inside stored rows: its own canonical CBOR, as bytes.

use std::fmt;

use mimi_content::NestedPart;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(part: &NestedPart, serializer: S) -> Result<S::Ok, S::Error> {
    let bytes = part.encode().map_err(S::Error::custom)?;
    serializer.serialize_bytes(&bytes)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NestedPart, D::Error> {
    let bytes = deserializer.deserialize_byte_buf(ByteBuffer)?;
    NestedPart::decode(&bytes).map_err(D::Error::custom)
}

/// Bytes, also from the formats that write them as a list of numbers.
struct ByteBuffer;

impl<'de> Visitor<'de> for ByteBuffer {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the CBOR bytes of a NestedPart")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
        Ok(bytes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Self::Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}
