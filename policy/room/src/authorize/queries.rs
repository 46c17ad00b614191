use mimi_uri::UserUri;

use super::{DenyReason, Pending, Roster, Standing};
use crate::components::Role;
use crate::{Capability, RoleIndex, RoomPolicy};

/// Whether a user may send application messages now.
pub fn can_send(policy: &RoomPolicy, roster: &Roster, user: &UserUri) -> Result<(), DenyReason> {
    // PM11: a participant that was removed or banned sends nothing more.
    is_active_with(policy, roster, user, Capability::SEND_MESSAGE)
}

/// Whether a user is to be given application messages now; what is withheld is the hub's to withhold.
pub fn can_receive(policy: &RoomPolicy, roster: &Roster, user: &UserUri) -> Result<(), DenyReason> {
    // PM11: … nor receives anything.
    is_active_with(policy, roster, user, Capability::RECEIVE_MESSAGE)
}

/// Whether a member may commit at all, whatever the commit carries.
pub fn may_commit(policy: &RoomPolicy, roster: &Roster, user: &UserUri) -> Result<(), DenyReason> {
    // PM12: … and commits nothing.
    roles(policy, roster, user).map(drop)
}

/// Whether one user may claim `KeyPackages` of another for this room: whoever could add the clients that they are for.
pub fn may_claim_key_material(
    policy: &RoomPolicy,
    roster: &Roster,
    requester: &UserUri,
    target: &UserUri,
) -> Result<(), DenyReason> {
    let requester_roles = roles(policy, roster, requester)?;
    let require = |capability| {
        let has = requester_roles.iter().all(|role| role.has(capability));
        if has { Ok(()) } else { Err(DenyReason::MissingCapability(capability)) }
    };
    if requester == target {
        return require(Capability::ADD_OWN_CLIENT);
    }
    match roles(policy, roster, target) {
        // The listed may be brought in by anybody listed where the participants are fixed, and by themselves elsewhere.
        Ok(_) if policy.base.fixed_membership => Ok(()),
        // [X] Where gateways bring their own people in.
        Ok(_) => {
            let is_own = requester.domain() == target.domain();
            let may = is_own && require(Capability::ADD_CLIENT_OF_OWN_PROVIDER).is_ok();
            if may { Ok(()) } else { Err(DenyReason::NotOwnClient) }
        }
        Err(DenyReason::NotAParticipant) if policy.base.fixed_membership => Err(DenyReason::FixedMembership),
        Err(DenyReason::NotAParticipant) => {
            require(Capability::ADD_PARTICIPANT)?;
            may_add_somebody(policy, &requester_roles)
        }
        Err(DenyReason::Banned) => Err(DenyReason::TargetBanned),
        Err(reason) => Err(reason),
    }
}

/// Whether a participant may have what it takes to join by himself: whoever could then bring in his own client (A8).
///
/// \[I\] Outsiders are never answered here: no room lets them in by a link, a code or a preauthorisation yet.
pub fn may_read_group_info(policy: &RoomPolicy, roster: &Roster, user: &UserUri) -> Result<(), DenyReason> {
    let capability = Capability::ADD_OWN_CLIENT;
    let has = roles(policy, roster, user)?.iter().all(|role| role.has(capability));
    if has { Ok(()) } else { Err(DenyReason::MissingCapability(capability)) }
}

/// RM12: there is a role that all the adder's roles let outsiders take.
fn may_add_somebody(policy: &RoomPolicy, adder: &[&Role]) -> Result<(), DenyReason> {
    let mut targets = policy.roles.roles.iter().map(|role| role.role_index);
    let (from, banned) = (RoleIndex::OUTSIDER, RoleIndex::BANNED);
    let may =
        targets.any(|to| to != from && to != banned && adder.iter().all(|role| role.may_change(from, to)));
    if may { Ok(()) } else { Err(DenyReason::RoleChangeNotAuthorized { from, to: from }) }
}

fn is_active_with(
    policy: &RoomPolicy,
    roster: &Roster,
    user: &UserUri,
    capability: Capability,
) -> Result<(), DenyReason> {
    let roles = roles(policy, roster, user)?;
    if !roles.iter().all(|role| role.has(capability)) {
        return Err(DenyReason::MissingCapability(capability));
    }
    if standing(roster, user).effective_leaves() == 0 {
        return Err(DenyReason::Inactive);
    }
    Ok(())
}

fn standing(roster: &Roster, user: &UserUri) -> Standing {
    roster.standing(user).copied().unwrap_or_default()
}

/// The roles that all must allow something: the committed one and the pending one.
fn roles<'p>(policy: &'p RoomPolicy, roster: &Roster, user: &UserUri) -> Result<Vec<&'p Role>, DenyReason> {
    let standing = standing(roster, user);
    let committed = standing.role.ok_or(DenyReason::NotAParticipant)?;
    let pending = match standing.pending {
        Some(Pending::Removal) => return Err(DenyReason::Leaving),
        Some(Pending::Role(pending)) => Some(pending),
        None => None,
    };
    let indexes = [Some(committed), pending].into_iter().flatten();
    indexes
        .map(|index| match index {
            RoleIndex::BANNED => Err(DenyReason::Banned),
            index => policy.role(index).ok_or(DenyReason::UnknownRole(index)),
        })
        .collect()
}
