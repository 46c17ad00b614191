use std::collections::BTreeSet;
use std::fmt;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::Text;
use crate::codec::{Consistent, doors};
use crate::{Capabilities, Capability, DecodeError};

/// The number of a role within its room.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, TlsSize, TlsSerialize, TlsDeserializeBytes,
)]
pub struct RoleIndex(pub u32);

impl RoleIndex {
    /// The pseudo-role of everybody who is not on the list (RM1).
    pub const OUTSIDER: Self = Self(0);
    /// The role of the banned, if the room has it (RM2).
    pub const BANNED: Self = Self(1);
    /// The name that role 1 must have to be the role of the banned.
    pub const BANNED_NAME: &str = "banned";
}

impl fmt::Display for RoleIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// From one role, the roles that somebody may be moved to.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct SingleSourceRoleChangeTargets {
    /// The role that is left.
    pub from_role_index: RoleIndex,
    /// The roles that may be taken.
    pub target_role_indexes: Vec<RoleIndex>,
}

/// A role: what its holders may do, and how many of them there may be.
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct Role {
    /// Its number, unique in the room but not necessarily contiguous.
    pub role_index: RoleIndex,
    /// Its name for people.
    pub role_name: Text,
    /// Its description for people; may be empty.
    pub role_description: Text,
    /// What its holders may do.
    pub role_capabilities: Vec<u16>,
    /// Fewest participants with this role; 0 means no minimum.
    pub minimum_participants_constraint: u32,
    /// Most participants with this role.
    pub maximum_participants_constraint: Option<u32>,
    /// Fewest active participants with this role; 0 means no minimum.
    pub minimum_active_participants_constraint: u32,
    /// Most active participants with this role; 0 means that none may have a client in the group.
    pub maximum_active_participants_constraint: Option<u32>,
    /// Which role changes of others its holders may make.
    pub authorized_role_changes: Vec<SingleSourceRoleChangeTargets>,
}

impl Role {
    /// Whether the role itself names the capability.
    pub fn has(&self, capability: Capability) -> bool {
        self.role_capabilities.contains(&capability.0)
    }

    /// All that the role allows.
    pub fn capabilities(&self) -> Capabilities {
        self.role_capabilities.iter().copied().map(Capability).collect()
    }

    /// Whether its holders may move somebody from one role to another.
    pub fn may_change(&self, from: RoleIndex, to: RoleIndex) -> bool {
        self.authorized_role_changes
            .iter()
            .any(|change| change.from_role_index == from && change.target_role_indexes.contains(&to))
    }

    /// Whether it is the role of the banned: by number *and* name (RM2).
    pub fn is_banned(&self) -> bool {
        self.role_index == RoleIndex::BANNED && self.role_name.as_str() == RoleIndex::BANNED_NAME
    }

    /// Whether its holders may have clients in the group.
    pub fn may_be_active(&self) -> bool {
        self.maximum_active_participants_constraint != Some(0)
    }
}

/// All roles of a room (`roles_list`); an update replaces them all.
#[derive(Debug, Clone, Default, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct RoleData {
    /// The roles.
    pub roles: Vec<Role>,
}

impl RoleData {
    /// The role of this number.
    pub fn role(&self, index: RoleIndex) -> Option<&Role> {
        self.roles.iter().find(|role| role.role_index == index)
    }
}

impl Consistent for RoleData {
    /// R1: a number names one role.
    fn check(&self) -> Result<(), DecodeError> {
        let mut seen = BTreeSet::new();
        if self.roles.iter().all(|role| seen.insert(role.role_index)) {
            Ok(())
        } else {
            Err(DecodeError::Invalid("two roles have one index"))
        }
    }
}

doors!(RoleData);
