use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// Whether messages expire (`message_expiration_policy`), and then when.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum MessageExpiration {
    /// They may.
    Optional(ExpirationBounds),
    /// They do.
    Required(ExpirationBounds),
    /// They do not.
    Forbidden,
}

/// How long a message may live.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ExpirationBounds {
    /// Shortest life in seconds.
    pub min_expiration_duration_s: u32,
    /// Longest life in seconds.
    pub max_expiration_duration_s: u32,
    /// Preferred life in seconds.
    pub default_expiration_duration_s: Option<u32>,
}

impl Consistent for MessageExpiration {
    /// R13: shortest ≤ preferred ≤ longest.
    fn check(&self) -> Result<(), DecodeError> {
        let (Self::Optional(bounds) | Self::Required(bounds)) = self else {
            return Ok(());
        };
        let (min, max) = (bounds.min_expiration_duration_s, bounds.max_expiration_duration_s);
        let preferred = bounds.default_expiration_duration_s.unwrap_or(min);
        if (min..=max).contains(&preferred) {
            Ok(())
        } else {
            Err(DecodeError::Invalid("the bounds of expiration contradict each other"))
        }
    }
}

doors!(MessageExpiration);
