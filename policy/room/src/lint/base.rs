//! Rules about the kind of room, and about the group beneath it.

use std::collections::BTreeSet;

use super::{Facts, Findings};
use crate::{Capability, ComponentId, RoleIndex, RoomPolicy};

/// Types of the MLS extensions draft that every client of a MIMI group supports.
const APP_DATA_DICTIONARY: u16 = 0x0006;
const APP_DATA_UPDATE: u16 = 0x0008;
const SELF_REMOVE: u16 = 0x000a;

/// R7: in a fixed-membership room nobody comes.
pub(super) fn membership(policy: &RoomPolicy, findings: &mut Findings) {
    if !policy.base.fixed_membership {
        return;
    }
    let ways_in = [Capability::OPEN_JOIN, Capability::USE_JOIN_CODE];
    let ways_out = [Capability::REMOVE_PARTICIPANT, Capability::REMOVE_SELF];
    for role in policy.roles.roles.iter().filter(|role| role.role_index != RoleIndex::BANNED) {
        let index = role.role_index;
        if index == RoleIndex::OUTSIDER && ways_in.iter().any(|way| role.has(*way)) {
            findings.fatal("R7", "the participants are fixed, and outsiders may join");
        }
        // RM5: "none of its non-zero, non-banned roles can contain the canAddParticipant capability".
        if index != RoleIndex::OUTSIDER && role.has(Capability::ADD_PARTICIPANT) {
            findings
                .fatal("R7", format!("the participants are fixed, and role {index} has canAddParticipant"));
        }
        if ways_out.iter().any(|way| role.has(*way)) {
            findings.warning(
                "R7",
                format!("the participants are fixed, so what role {index} has to remove any is void"),
            );
        }
    }
}

/// R8: a child lives at its parent's hub, with fewer participants.
pub(super) fn parent(policy: &RoomPolicy, facts: &Facts<'_>, findings: &mut Findings) {
    let Some(parent) = policy.base.parent() else {
        return;
    };
    if parent.domain() != policy.metadata.room_uri.domain() || *parent == policy.metadata.room_uri {
        findings.fatal("R8", "the parent room is at another hub, or is the room itself");
    }
    let Some(of_parent) = facts.parent_participants else {
        return;
    };
    let own: BTreeSet<_> = policy.participants.participants.iter().map(|pair| &pair.user).collect();
    if own.len() >= of_parent.len() || !own.iter().all(|user| of_parent.contains(user)) {
        findings.fatal("R8", "the participants are not a strict subset of the parent's");
    }
}

/// R16: the base policy lists the policies that are there.
pub(super) fn listed_components(policy: &RoomPolicy, findings: &mut Findings) {
    for (component, _) in policy.components().filter(|(component, _)| component.is_listed_policy()) {
        if !policy.base.lists(component) {
            findings.fatal("R16", format!("{component} is there, and the base policy does not list it"));
        }
    }
    for component in policy.base.policy_component_ids.iter().copied().map(ComponentId) {
        if policy.component(component).is_none() {
            findings.fatal("R16", format!("the base policy lists {component}, which is not there"));
        }
    }
}

/// R17, R21, PM22, PM23: what the group beneath must have.
pub(super) fn group(policy: &RoomPolicy, facts: &Facts<'_>, findings: &mut Findings) {
    let Some(group) = facts.group else {
        return;
    };
    let has_dictionary = group.required_extensions.contains(&APP_DATA_DICTIONARY);
    let mut proposals = [APP_DATA_UPDATE, SELF_REMOVE].into_iter();
    if !has_dictionary || !proposals.all(|proposal| group.required_proposals.contains(&proposal)) {
        findings.fatal("R17", "app_data_dictionary, app_data_update and self_remove are not all required");
    }
    if !group.has_hub {
        findings.fatal("R17", "the hub is no external sender of the group");
    }
    if group.has_pseudonym && !policy.base.pseudonyms_allowed {
        findings.fatal("R21", "there is a pseudonym, and the room allows none");
    }
}

/// R20: the room's own maxima.
pub(super) fn totals(policy: &RoomPolicy, facts: &Facts<'_>, findings: &mut Findings) {
    let list = policy.participants.participants.iter();
    let users = list.filter(|pair| pair.role_index != RoleIndex::BANNED).count();
    let is_above = |count: usize, max: Option<u32>| {
        max.is_some_and(|max| u32::try_from(count).unwrap_or(u32::MAX) > max)
    };
    if is_above(users, policy.base.max_users) {
        findings.fatal("R20", format!("{users} participants are more than max_users"));
    }
    let Some(roster) = facts.roster else {
        return;
    };
    let leaves = roster.iter().fold(0u32, |sum, (_, standing)| sum.saturating_add(standing.leaves));
    if policy.base.max_clients.is_some_and(|max| leaves > max) {
        findings.fatal("R20", format!("{leaves} clients are more than max_clients"));
    }
    let has_several = roster.iter().any(|(_, standing)| standing.leaves > 1);
    if has_several && !policy.base.multi_device {
        findings.fatal("I1", "a user has several clients, and the room allows one");
    }
}

/// R23: nothing in the protocol makes a room discoverable.
pub(super) fn discoverable(policy: &RoomPolicy, findings: &mut Findings) {
    if policy.base.discoverable {
        findings.note("R23", "the room is discoverable, but only the hub's own search can find it");
    }
}

/// I11: the policy is of this room.
pub(super) fn address(policy: &RoomPolicy, facts: &Facts<'_>, findings: &mut Findings) {
    if facts.room.is_some_and(|room| *room != policy.metadata.room_uri) {
        findings.fatal("I11", format!("the policy is of the room {}", policy.metadata.room_uri));
    }
}
