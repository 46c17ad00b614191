use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::RoleIndex;
use crate::DecodeError;
use crate::codec::{Consistent, doors};

/// Whether newcomers may be given history (`chat_history_policy`), and then by whom.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum HistoryPolicy {
    /// They may.
    Optional(HistorySharing),
    /// They must.
    Required(HistorySharing),
    /// They must not; then nothing else is said (R11).
    Forbidden,
}

/// Who shares how much history.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct HistorySharing {
    /// The roles that may share.
    pub roles_that_can_share: Vec<RoleIndex>,
    /// Clients share without being told to.
    #[tls_codec(with = "crate::codec::boolean")]
    pub automatically_share: bool,
    /// Seconds of history.
    pub max_time_period_s: u32,
}

impl HistoryPolicy {
    /// What is shared, unless nothing is.
    pub fn sharing(&self) -> Option<&HistorySharing> {
        match self {
            Self::Optional(sharing) | Self::Required(sharing) => Some(sharing),
            Self::Forbidden => None,
        }
    }
}

impl Consistent for HistoryPolicy {
    /// R11: neither outsiders nor the banned share history.
    fn check(&self) -> Result<(), DecodeError> {
        let shut_out = [RoleIndex::OUTSIDER, RoleIndex::BANNED];
        let mut roles = self.sharing().into_iter().flat_map(|sharing| &sharing.roles_that_can_share);
        if roles.any(|role| shut_out.contains(role)) {
            return Err(DecodeError::Invalid("outsiders or the banned share history"));
        }
        Ok(())
    }
}

doors!(HistoryPolicy);
