use std::collections::BTreeSet;

use mimi_uri::UserUri;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::RoleIndex;
use crate::DecodeError;
use crate::codec::{Consistent, always_consistent, doors};

/// A participant: a user in a role.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct UserRolePair {
    /// The user.
    #[tls_codec(with = "crate::codec::user_uri")]
    pub user: UserUri,
    /// The user's only role.
    pub role_index: RoleIndex,
}

/// Who participates (`participant_list`): every user at most once, in the order of joining.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ParticipantListData {
    /// The participants; updates name them by their position.
    pub participants: Vec<UserRolePair>,
}

impl ParticipantListData {
    /// The role of a user on the list.
    pub fn role_of(&self, user: &UserUri) -> Option<RoleIndex> {
        self.participants.iter().find(|pair| pair.user == *user).map(|pair| pair.role_index)
    }

    /// The position of a user on the list, as updates name it.
    pub fn index_of(&self, user: &UserUri) -> Option<u32> {
        self.participants.iter().position(|pair| pair.user == *user).and_then(|at| u32::try_from(at).ok())
    }

    /// The participant at a position.
    pub fn at(&self, user_index: u32) -> Option<&UserRolePair> {
        self.participants.get(usize::try_from(user_index).ok()?)
    }
}

impl Consistent for ParticipantListData {
    /// One user has one role, and nobody on the list has the role of those who are not (R2).
    fn check(&self) -> Result<(), DecodeError> {
        let mut seen = BTreeSet::new();
        if !self.participants.iter().all(|pair| seen.insert(&pair.user)) {
            return Err(DecodeError::Invalid("a user is on the participant list twice"));
        }
        if self.participants.iter().any(|pair| pair.role_index == RoleIndex::OUTSIDER) {
            return Err(DecodeError::Invalid("a participant has the role of those who are not on the list"));
        }
        Ok(())
    }
}

/// A new role for the participant at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct UserIndexRolePair {
    /// Position in the participant list *before* the commit.
    pub user_index: u32,
    /// The new role.
    pub role_index: RoleIndex,
}

/// A change of the participant list.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct ParticipantListUpdate {
    /// Who changes role.
    pub changed_role_participants: Vec<UserIndexRolePair>,
    /// Positions of those who leave the list.
    pub removed_indices: Vec<u32>,
    /// Who is appended.
    pub added_participants: Vec<UserRolePair>,
}

always_consistent!(ParticipantListUpdate);
doors!(ParticipantListData, ParticipantListUpdate);
