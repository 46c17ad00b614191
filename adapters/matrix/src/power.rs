//! The one table between power levels and the roles that all networks share.

use std::collections::BTreeMap;

use mimi_adapter::Role;
use serde_json::Value;

/// The rungs that clients show as member, moderator and administrator; what lies between counts as the lower one.
const TABLE: [(Role, i64); 3] = [(Role::Owner, 100), (Role::Moderator, 50), (Role::Member, 0)];

/// The power level of a role.
pub(crate) fn level(role: Role) -> i64 {
    TABLE.iter().find(|(it, _)| *it == role).map_or(0, |(_, level)| *level)
}

/// The role of a power level.
pub(crate) fn role_at(level: i64) -> Role {
    TABLE.iter().find(|(_, least)| level >= *least).map_or(Role::Member, |(role, _)| *role)
}

/// The level of a user in the content of an `m.room.power_levels` event.
pub(crate) fn level_of(levels: &Value, user: &str) -> i64 {
    // Old rooms have levels as text.
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    number(&levels["users"][user]).or_else(|| number(&levels["users_default"])).unwrap_or(0)
}

/// The role of a user.
pub(crate) fn role_of(levels: &Value, user: &str) -> Role {
    role_at(level_of(levels, user))
}

/// Whose role another state of the power levels changes, of those whom either state names.
pub(crate) fn changed_roles(before: &Value, after: &Value) -> BTreeMap<String, Role> {
    let named = |levels: &Value| -> Vec<String> {
        levels["users"].as_object().map(|users| users.keys().cloned().collect()).unwrap_or_default()
    };
    let users = named(before).into_iter().chain(named(after));
    let roles = users.map(|user| (role_of(before, &user), role_of(after, &user), user));
    roles.filter(|(before, after, _)| before != after).map(|(_, after, user)| (user, after)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_lies_between_two_rungs_counts_as_the_lower_one() {
        assert_eq!([0, 49, 50, 99, 100, 1000, -1].map(role_at), {
            use Role::{Member, Moderator, Owner};
            [Member, Member, Moderator, Moderator, Owner, Owner, Member]
        });
        for role in [Role::Member, Role::Moderator, Role::Owner] {
            assert_eq!(role_at(level(role)), role);
        }
    }

    #[test]
    fn a_user_has_his_own_level_or_that_of_everybody() {
        let levels = json!({ "users": { "@alice:a": 100, "@old:a": "50" }, "users_default": 10 });

        assert_eq!(role_of(&levels, "@alice:a"), Role::Owner);
        assert_eq!(role_of(&levels, "@old:a"), Role::Moderator);
        assert_eq!(level_of(&levels, "@carol:a"), 10);
        assert_eq!(role_of(&json!({}), "@carol:a"), Role::Member);
    }

    #[test]
    fn only_a_change_from_rung_to_rung_is_one() {
        let before = json!({ "users": { "@alice:a": 100, "@bob:a": 50, "@carol:a": 10 } });
        let after = json!({ "users": { "@alice:a": 100, "@carol:a": 20, "@dave:a": 50 } });

        let changed = changed_roles(&before, &after);

        assert_eq!(
            changed.into_iter().collect::<Vec<_>>(),
            [("@bob:a".to_owned(), Role::Member), ("@dave:a".to_owned(), Role::Moderator)]
        );
    }
}
