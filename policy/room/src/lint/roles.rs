//! Rules about roles.

use super::{Facts, Findings};
use crate::authorize::Standing;
use crate::components::Role;
use crate::{Capability, RoleIndex, RoomPolicy};

/// R2, R3: role 0 is there; role 1 is nothing but the role of the banned.
pub(super) fn outsiders_and_banned(policy: &RoomPolicy, findings: &mut Findings) {
    if policy.role(RoleIndex::OUTSIDER).is_none() {
        findings.fatal("R2", "role 0, of those who are not on the list, is missing");
    }
    let Some(banned) = policy.role(RoleIndex::BANNED) else {
        return;
    };
    if !banned.is_banned() {
        findings.fatal("R3", format!("role 1 is named {:?}, not \"banned\"", banned.role_name.as_str()));
    }
    if !banned.role_capabilities.is_empty() || banned.may_be_active() {
        findings.fatal("R3", "the banned have capabilities, or may have clients in the group");
    }
}

/// R4: who may use the ways in from outside; and capabilities that mean nothing.
pub(super) fn capabilities(policy: &RoomPolicy, findings: &mut Findings) {
    for role in &policy.roles.roles {
        let index = role.role_index;
        // RM13: "canOpenJoin MUST NOT appear in any non-zero role".
        if role.has(Capability::OPEN_JOIN) && index != RoleIndex::OUTSIDER {
            findings.fatal("R4", format!("role {index} has canOpenJoin, which is for role 0"));
        }
        if role.has(Capability::JOIN_IF_PREAUTHORIZED) && index == RoleIndex::OUTSIDER {
            findings.fatal("R4", "role 0 has canJoinIfPreauthorized, which is for the role that is joined");
        }
        let means_nothing =
            |it: &Capability| it.registration().is_none() && *it != Capability::ADD_CLIENT_OF_OWN_PROVIDER;
        for capability in role.capabilities().iter().filter(means_nothing) {
            findings.note("B2", format!("role {index} has capability {capability}, which allows nothing"));
        }
    }
}

/// R5: every role that is spoken of is there.
pub(super) fn references(policy: &RoomPolicy, findings: &mut Findings) {
    let mut check = |index: RoleIndex, whose: String| {
        if policy.role(index).is_none() {
            findings.fatal("R5", format!("{whose} names role {index}, which is missing"));
        }
    };
    for pair in &policy.participants.participants {
        check(pair.role_index, "the participant list".to_owned());
    }
    for role in &policy.roles.roles {
        for change in &role.authorized_role_changes {
            let targets = change.target_role_indexes.iter().copied();
            targets
                .chain([change.from_role_index])
                .for_each(|it| check(it, format!("role {}", role.role_index)));
        }
    }
    for entry in &policy.preauth.preauthorized_entries {
        check(entry.target_role.role_index, "a preauthorization".to_owned());
    }
    for role in policy.history.iter().filter_map(|it| it.sharing()).flat_map(|it| &it.roles_that_can_share) {
        check(*role, "the history policy".to_owned());
    }
    for bot in policy.bots.iter().flat_map(|it| &it.allowed_bots) {
        check(bot.bot_role_index, "a bot".to_owned());
    }
}

/// R6, R12: bounds that make sense, maxima that are kept, minima that are at least worth a note.
pub(super) fn bounds(policy: &RoomPolicy, facts: &Facts<'_>, findings: &mut Findings) {
    for role in &policy.roles.roles {
        let index = role.role_index;
        let pairs = [
            (role.minimum_participants_constraint, role.maximum_participants_constraint),
            (role.minimum_active_participants_constraint, role.maximum_active_participants_constraint),
        ];
        if pairs.into_iter().any(|(min, max)| max.is_some_and(|max| max < min)) {
            findings.fatal("R6", format!("role {index} has a minimum above its maximum"));
        }
        let list = policy.participants.participants.iter();
        let holders = list.filter(|pair| pair.role_index == index);
        let count = holders.clone().count();
        check_counts(role, "participants", count, pairs[0], findings);
        if let Some(roster) = facts.roster {
            let leaves = |user| roster.standing(user).map_or(0, Standing::effective_leaves);
            let active = holders.filter(|pair| leaves(&pair.user) > 0).count();
            check_counts(role, "active participants", active, pairs[1], findings);
        }
    }
}

fn check_counts(role: &Role, whom: &str, count: usize, bounds: (u32, Option<u32>), findings: &mut Findings) {
    let (min, max) = bounds;
    let index = role.role_index;
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    if max.is_some_and(|max| count > max) {
        findings.fatal("R6", format!("role {index} has {count} {whom}, more than it takes"));
    }
    // A room starts with one participant; so a minimum binds what is done, not what is.
    if count < min {
        findings.note("R12", format!("role {index} has {count} {whom}, {min} are asked for"));
    }
}
