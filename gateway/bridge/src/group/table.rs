//! The one table between the roles that all networks share and those of a bridged room.

use mimi_adapter::Role;
use mimi_room_policy::RoleIndex;
use mimi_room_policy::template::{GROUP_ADMIN, ORDINARY_USER, SUPER_ADMIN};

const TABLE: [(Role, RoleIndex); 3] =
    [(Role::Member, ORDINARY_USER), (Role::Moderator, GROUP_ADMIN), (Role::Owner, SUPER_ADMIN)];

/// The role in the room for what somebody may do natively.
pub(super) fn in_room(role: Role) -> RoleIndex {
    TABLE.iter().find(|(native, _)| *native == role).map_or(ORDINARY_USER, |(_, index)| *index)
}

/// What somebody may do natively for his role in the room; any other role is that of a member.
pub(super) fn natively(index: RoleIndex) -> Role {
    TABLE.iter().find(|(_, it)| *it == index).map_or(Role::Member, |(role, _)| *role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_room_policy::template::GATEWAY;

    #[test]
    fn every_native_role_leads_back_to_itself_and_all_other_roles_are_members() {
        for role in [Role::Member, Role::Moderator, Role::Owner] {
            assert_eq!(natively(in_room(role)), role);
        }
        assert_eq!(natively(GATEWAY), Role::Member);
    }
}
