use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// An MLS credential, not looked into here.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Credential {
    /// The credential type; of those we carry (basic, X.509), each is one vector.
    pub credential_type: u16,
    /// The identity, or the chain of certificates.
    pub body: Vec<u8>,
}

/// The key with which the hub franks (`franking_agent`).
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct FrankingAgentData {
    /// The public key, of the group's signature scheme.
    pub franking_signature_key: Vec<u8>,
    /// Whose key it is.
    pub credential: Credential,
}

impl Consistent for FrankingAgentData {
    fn check(&self) -> Result<(), DecodeError> {
        if self.franking_signature_key.is_empty() {
            return Err(DecodeError::Invalid("the franking agent has no key"));
        }
        Ok(())
    }
}

doors!(FrankingAgentData);
