use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Role, RoleIndex};
use crate::codec::{always_consistent, doors};

/// Which claim of a credential is meant.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ClaimId {
    /// The type of the credential that has it.
    pub credential_type: u16,
    /// The OID of an X.509 extension, the name of a JWT claim, or the key of a CWT claim.
    pub id: Vec<u8>,
}

/// A claim and the value that it must have.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Claim {
    /// The claim.
    pub claim_id: ClaimId,
    /// Its value, compared byte-wise.
    pub claim_value: Vec<u8>,
}

/// Claims that together give a role.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct PreAuthRoleEntry {
    /// What a credential must claim, all of it.
    pub claimset: Vec<Claim>,
    /// The role that it gives; only the index counts, and it must be a role of the room.
    pub target_role: Role,
}

/// Who may take a role without being listed (`preauth_list`); an update replaces it.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct PreAuthData {
    /// The entries, tried in order.
    pub preauthorized_entries: Vec<PreAuthRoleEntry>,
}

impl PreAuthData {
    /// The role of the first entry all of whose claims are among `claims` (RM18).
    pub fn first_match(&self, claims: &[Claim]) -> Option<RoleIndex> {
        self.preauthorized_entries
            .iter()
            .find(|entry| entry.claimset.iter().all(|claim| claims.contains(claim)))
            .map(|entry| entry.target_role.role_index)
    }
}

always_consistent!(PreAuthData);
doors!(PreAuthData);
