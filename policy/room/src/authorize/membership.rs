//! The rows about people and their clients.

use mimi_uri::UserUri;

use super::actor::Rights;
use super::{DenyReason, Pending, Standing};
use crate::components::Role;
use crate::{Capability, RoleIndex};

/// `listAdd(v, t)`.
pub(super) fn add_participant(
    rights: &Rights<'_>,
    user: &UserUri,
    role: RoleIndex,
) -> Result<(), DenyReason> {
    // RM5: the participants of a fixed-membership room are those it was founded with.
    check_not_fixed(rights)?;
    if standing(rights, user).role.is_some() {
        return Err(DenyReason::AlreadyAParticipant);
    }
    check_exists(rights, role)?;
    if rights.is_self(user) {
        return join(rights, role);
    }
    // The list may start with a ban: a ban of somebody who is not there needs no right to add [I].
    if !(role == RoleIndex::BANNED && rights.has(Capability::BAN)) {
        rights.require(Capability::ADD_PARTICIPANT)?;
    }
    // RM12: adding uses the adder's (0 -> t).
    rights.require_change(RoleIndex::OUTSIDER, role)
}

/// `listAdd(u itself)`: the room is open, or expects the credential, or the code is good.
fn join(rights: &Rights<'_>, role: RoleIndex) -> Result<(), DenyReason> {
    if !rights.is_new_client() || role == RoleIndex::BANNED {
        return Err(DenyReason::NotAdmitted);
    }
    check_external_commit(rights)?;
    // RM13: open to everybody whom role 0 lets take that role.
    let is_open =
        rights.has(Capability::OPEN_JOIN) && rights.require_change(RoleIndex::OUTSIDER, role).is_ok();
    // RM14: the role itself says that it may be joined so; transitions are not consulted.
    let is_expected = rights.preauthorized() == Some(role)
        && rights.policy.role(role).is_some_and(|role| role.has(Capability::JOIN_IF_PREAUTHORIZED));
    let has_code = rights.code() == Some(role) && rights.has(Capability::USE_JOIN_CODE);
    if is_open || is_expected || has_code { Ok(()) } else { Err(DenyReason::NotAdmitted) }
}

/// `listRemove(v)`: that no leaf of `v` stays (RM15, RM16) is checked on the result.
pub(super) fn remove_participant(rights: &Rights<'_>, user: &UserUri) -> Result<(), DenyReason> {
    // RM5: nobody leaves a fixed-membership room, and nobody is removed from it.
    check_not_fixed(rights)?;
    let from = standing(rights, user).role.ok_or(DenyReason::TargetNotAParticipant)?;
    let capability =
        if rights.is_self(user) { Capability::REMOVE_SELF } else { Capability::REMOVE_PARTICIPANT };
    rights.require(capability)?;
    rights.require_change(from, RoleIndex::OUTSIDER)
}

/// `roleChange(v, a -> b)`, of which a ban and an unban are cases.
pub(super) fn change_role(
    rights: &Rights<'_>,
    user: &UserUri,
    to: RoleIndex,
    removed_clients: u32,
) -> Result<(), DenyReason> {
    let from = standing(rights, user).role.ok_or(DenyReason::TargetNotAParticipant)?;
    let target = check_exists(rights, to)?;
    if from == RoleIndex::BANNED || to == RoleIndex::BANNED {
        check_not_fixed(rights)?;
        check_has_ban(rights)?;
    }
    if rights.is_self(user) {
        return change_own_role(rights, to);
    }
    if to == RoleIndex::BANNED && rights.has(Capability::BAN) {
        return rights.require_change(from, to);
    }
    // RM17: an unban is from role 1 only.
    if !(from == RoleIndex::BANNED && rights.has(Capability::UNBAN)) {
        rights.require(Capability::CHANGE_USER_ROLE)?;
    }
    // A ban without canBan is a change and a kick; so is taking leaves from a role that may have them.
    if removed_clients > 0 && (to == RoleIndex::BANNED || target.may_be_active()) {
        rights.require(Capability::KICK)?;
    }
    rights.require_change(from, to)
}

/// RM18: the own role changes to the first one that the credential is preauthorized for; transitions are not consulted.
fn change_own_role(rights: &Rights<'_>, to: RoleIndex) -> Result<(), DenyReason> {
    rights.require(Capability::CHANGE_OWN_ROLE)?;
    if to != RoleIndex::BANNED && rights.preauthorized() == Some(to) {
        Ok(())
    } else {
        Err(DenyReason::NotPreauthorized)
    }
}

/// An Add without a change of the list.
pub(super) fn add_clients(rights: &Rights<'_>, user: &UserUri) -> Result<(), DenyReason> {
    let standing = standing(rights, user);
    // PM10, I1: who has a leaf is on the committed list.
    let role = standing.role.ok_or(DenyReason::TargetNotAParticipant)?;
    if rights.is_self(user) {
        if rights.is_new_client() {
            check_external_commit(rights)?;
        }
        return rights.require(Capability::ADD_OWN_CLIENT);
    }
    if role == RoleIndex::BANNED || standing.pending == Some(Pending::Role(RoleIndex::BANNED)) {
        return Err(DenyReason::TargetBanned);
    }
    if standing.pending == Some(Pending::Removal) {
        return Err(DenyReason::TargetNotAParticipant);
    }
    // "While clients of existing participants can be added": in a fixed-membership room by every participant, for nobody
    // could ever be brought in otherwise. In other rooms no capability covers it (RM19).
    if rights.policy.base.fixed_membership && rights.is_listed() {
        return Ok(());
    }
    // Except where the room says that gateways bring their own people in [X].
    if rights.has(Capability::ADD_CLIENT_OF_OWN_PROVIDER) && rights.is_of_own_provider(user) {
        return Ok(());
    }
    Err(DenyReason::NotOwnClient)
}

/// A Remove or `SelfRemove` without a change of the list.
pub(super) fn remove_clients(rights: &Rights<'_>, user: &UserUri) -> Result<(), DenyReason> {
    if !rights.is_self(user) {
        return rights.require(Capability::KICK);
    }
    // PM13: the banned, the leaving and the unlisted may always take their own leaves away.
    if rights.is_listed() { rights.require(Capability::REMOVE_OWN_CLIENT) } else { Ok(()) }
}

/// An external commit of a client that is a member already, and lost its state.
pub(super) fn resync(rights: &Rights<'_>, user: &UserUri) -> Result<(), DenyReason> {
    if !rights.is_self(user) {
        return Err(DenyReason::NotOwnClient);
    }
    if standing(rights, user).leaves == 0 {
        return Err(DenyReason::Inactive);
    }
    check_external_commit(rights)?;
    rights.require(Capability::ADD_OWN_CLIENT)
}

fn standing(rights: &Rights<'_>, user: &UserUri) -> Standing {
    rights.request.roster.standing(user).copied().unwrap_or_default()
}

fn check_not_fixed(rights: &Rights<'_>) -> Result<(), DenyReason> {
    if rights.policy.base.fixed_membership { Err(DenyReason::FixedMembership) } else { Ok(()) }
}

/// A role that somebody on the list can have.
fn check_exists<'r>(rights: &Rights<'r>, role: RoleIndex) -> Result<&'r Role, DenyReason> {
    let exists = rights.policy.role(role).filter(|role| role.role_index != RoleIndex::OUTSIDER);
    exists.ok_or(DenyReason::UnknownRole(role))
}

/// RM2: banning needs a role 1 named `banned`.
fn check_has_ban(rights: &Rights<'_>) -> Result<(), DenyReason> {
    let role = rights.policy.role(RoleIndex::BANNED).filter(|role| role.is_banned());
    role.map(drop).ok_or(DenyReason::UnknownRole(RoleIndex::BANNED))
}

/// What the operational policy says of those outside the group.
fn check_external_commit(rights: &Rights<'_>) -> Result<(), DenyReason> {
    match &rights.policy.operational {
        Some(policy) if rights.request.is_commit && !policy.external_commit_allowed => {
            Err(DenyReason::ExternalCommits)
        }
        Some(policy) if !rights.request.is_commit && !policy.external_proposal_allowed => {
            Err(DenyReason::ExternalProposals)
        }
        Some(_) | None => Ok(()),
    }
}
