//! What actions must not come to, whoever takes them.

use std::collections::{BTreeMap, BTreeSet};

use mimi_uri::UserUri;

use super::{DenyReason, Pending, Roster, Standing};
use crate::components::Role;
use crate::{RoleIndex, RoomPolicy};

/// Compares the room before and after. What was out of bounds before does not make everything else invalid: an action
/// must not *bring about* or worsen it (R12).
pub(super) fn check(
    policy: &RoomPolicy,
    before: &Roster,
    after: &Roster,
    touched: &BTreeSet<&UserUri>,
) -> Result<(), DenyReason> {
    if touched.is_empty() {
        return Ok(());
    }
    for user in touched {
        let standing = |roster: &Roster| roster.standing(user).copied().unwrap_or_default();
        check_clients(policy, user, standing(before), standing(after))?;
    }
    let (before, after) = (Counts::of_roster(before), Counts::of_roster(after));
    // R20: who is banned takes no place among max_users, but leaves count one by one.
    if exceeds(before.users, after.users, policy.base.max_users) {
        return Err(DenyReason::MaxUsers);
    }
    if exceeds(before.clients, after.clients, policy.base.max_clients) {
        return Err(DenyReason::MaxClients);
    }
    policy.roles.roles.iter().try_for_each(|role| check_role(role, &before, &after))
}

/// I1: every leaf's user is on the list, in a role that may have leaves; one leaf, if the room allows only one.
fn check_clients(
    policy: &RoomPolicy,
    user: &UserUri,
    before: Standing,
    after: Standing,
) -> Result<(), DenyReason> {
    let role = match after.pending {
        Some(Pending::Removal) => None,
        Some(Pending::Role(role)) => Some(role),
        None => after.role,
    };
    let leaves = after.leaves_to_be();
    let may_have_any = role
        .and_then(|role| policy.role(role))
        .is_some_and(|role| role.role_index != RoleIndex::BANNED && role.may_be_active());
    if leaves > 0 && !may_have_any {
        return Err(DenyReason::ClientsRemain(user.clone()));
    }
    if !policy.base.multi_device && leaves > 1 && leaves > before.leaves_to_be() {
        return Err(DenyReason::OneClientOnly(user.clone()));
    }
    Ok(())
}

fn check_role(role: &Role, before: &Counts, after: &Counts) -> Result<(), DenyReason> {
    let index = role.role_index;
    let (was, is) = (before.of(index), after.of(index));
    if exceeds(was.taken, is.taken, role.maximum_participants_constraint) {
        return Err(DenyReason::MaximumParticipants(index));
    }
    if exceeds(was.active_taken, is.active_taken, role.maximum_active_participants_constraint) {
        return Err(DenyReason::MaximumActive(index));
    }
    if falls_short(was.kept, is.kept, role.minimum_participants_constraint) {
        return Err(DenyReason::MinimumParticipants(index));
    }
    if falls_short(was.active_kept, is.active_kept, role.minimum_active_participants_constraint) {
        return Err(DenyReason::MinimumActive(index));
    }
    Ok(())
}

fn exceeds(before: u32, after: u32, max: Option<u32>) -> bool {
    max.is_some_and(|max| after > max && after > before)
}

fn falls_short(before: u32, after: u32, min: u32) -> bool {
    before >= min && after < min
}

/// How many there are of whom.
#[derive(Default)]
struct Counts {
    users: u32,
    clients: u32,
    roles: BTreeMap<RoleIndex, RoleCount>,
}

/// The people of a role. Maxima count whoever may yet be there, minima whoever surely stays.
#[derive(Clone, Copy, Default)]
struct RoleCount {
    taken: u32,
    active_taken: u32,
    kept: u32,
    active_kept: u32,
}

impl Counts {
    fn of_roster(roster: &Roster) -> Self {
        let mut counts = Self::default();
        for (_, standing) in roster.iter() {
            counts.add(standing);
        }
        counts
    }

    fn of(&self, role: RoleIndex) -> RoleCount {
        self.roles.get(&role).copied().unwrap_or_default()
    }

    fn add(&mut self, standing: &Standing) {
        let leaves = standing.leaves.saturating_add(standing.arriving);
        self.clients = self.clients.saturating_add(leaves);
        self.users += u32::from(standing.roles_taken().any(|role| role != RoleIndex::BANNED));
        for role in standing.roles_taken() {
            // Who is about to change comes to the new role without the leaves that are about to go.
            let is_committed = standing.role == Some(role);
            let brings = if is_committed { leaves } else { standing.leaves_to_be() };
            let count = self.roles.entry(role).or_default();
            count.taken += 1;
            count.active_taken += u32::from(brings > 0);
        }
        if let Some(role) = standing.role_kept() {
            let count = self.roles.entry(role).or_default();
            count.kept += 1;
            count.active_kept += u32::from(standing.effective_leaves() > 0);
        }
    }
}
