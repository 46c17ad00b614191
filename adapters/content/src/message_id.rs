//! The name of a message: a hash over its exact octets, its sender and its room.

use std::fmt;

use aws_lc_rs::digest;
use thiserror::Error;

use crate::content::Salt;
use crate::external::SHA_256;

/// A message's name, 32 octets: the number of a hash algorithm, then 31 octets of its output.
///
/// Ids order as the draft breaks ties within a topic: "the lexically lowest message ID sorts earlier".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 32]);

/// A URI that does not fit the 16-bit length that an id hashes in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a URI of {octets} octets has no message id")]
pub struct OversizedUri {
    /// Octets of the URI.
    pub octets: usize,
}

impl MessageId {
    /// Names the message `bytes`, as received.
    ///
    /// This is the formula of -08, in which each URI follows its length. Up to -07 there were no lengths, so
    /// two pairs of sender and room could share an id; peers that still compute that id name every message
    /// differently.
    pub fn derive(sender_uri: &str, room_uri: &str, bytes: &[u8], salt: &Salt) -> Result<Self, OversizedUri> {
        let mut hash = digest::Context::new(&digest::SHA256);
        for uri in [sender_uri, room_uri] {
            let length = u16::try_from(uri.len()).map_err(|_| OversizedUri { octets: uri.len() })?;
            hash.update(&length.to_be_bytes());
            hash.update(uri.as_bytes());
        }
        hash.update(bytes);
        // Again, although it is within the message: so that nobody can extend the hashed message (draft,
        // Message ID).
        hash.update(salt);
        let mut id = [SHA_256; 32];
        id[1..].copy_from_slice(&hash.finish().as_ref()[..31]);
        Ok(Self(id))
    }

    /// The octets of the id.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The IANA named-information number of the hash that made the id; 1 is SHA-256, the only one in use.
    pub fn hash_algorithm(&self) -> u8 {
        self.0[0]
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(formatter, "{octet:02x}"))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MessageId({self})")
    }
}
