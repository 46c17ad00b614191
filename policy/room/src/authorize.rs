//! Who may do what now: the table B4, the one evaluator of hub and clients.
//!
//! A handshake is expanded into [`Action`]s, each with its [`Actor`]. Every action must be allowed by its row of the
//! table, and what all of them come to must keep the room's constraints. Judged is against the *effective* state:
//! restrictive effects of proposals that were accepted but not yet committed (a ban, a demotion, a leave) count at
//! once; additive ones (a new participant, a promotion) take up places and give no right.

mod action;
mod actor;
mod components;
mod constraints;
mod denied;
mod expand;
mod membership;
mod protocol;
mod queries;
mod roster;

use std::collections::BTreeSet;

pub use action::{Action, Ephemeral, ExtensionsChange, PskUse};
pub use actor::{Actor, ExternalSender};
pub use denied::{Denied, DenyReason};
pub use expand::{Proposal, expand};
pub use queries::{can_receive, can_send, may_claim_key_material, may_commit, may_read_group_info};
pub use roster::{Pending, Roster, Standing};

use crate::{ComponentId, RoomPolicy};
use actor::Rights;

/// Decides whether `actor` may *propose* these actions, taken together.
///
/// What they would bring takes effect as [`Roster::propose`] says, once they are accepted.
pub fn authorize(
    policy: &RoomPolicy,
    roster: &Roster,
    actor: &Actor,
    actions: &[Action],
) -> Result<(), Denied> {
    let attributed: Vec<_> = actions.iter().map(|action| (actor, action)).collect();
    let mut after = roster.clone();
    for action in actions {
        after.propose(action);
    }
    Request { policy, roster, attributed: &attributed, is_commit: false }.authorize(&after)
}

/// Decides whether all these actions may be *committed* together, each by its own proposer: the committer for what it
/// carries by value, the sender of the proposal for what it refers to (judged again, by the role of now).
pub fn authorize_commit(
    policy: &RoomPolicy,
    roster: &Roster,
    attributed: &[(&Actor, &Action)],
) -> Result<(), Denied> {
    let mut after = roster.clone();
    for (_, action) in attributed {
        after.commit(action);
    }
    Request { policy, roster, attributed, is_commit: true }.authorize(&after)
}

/// What is asked, and against which state.
struct Request<'r> {
    policy: &'r RoomPolicy,
    roster: &'r Roster,
    attributed: &'r [(&'r Actor, &'r Action)],
    is_commit: bool,
}

impl Request<'_> {
    fn authorize(&self, after: &Roster) -> Result<(), Denied> {
        for (at, (actor, action)) in self.attributed.iter().enumerate() {
            self.row(actor, action).map_err(|reason| Denied { reason, action: Some(at) })?;
        }
        self.exclusions()?;
        components::check_result(self).map_err(Denied::of_the_whole)?;
        let touched = self.attributed.iter().filter_map(|(_, action)| action.user()).collect();
        constraints::check(self.policy, self.roster, after, &touched).map_err(Denied::of_the_whole)
    }

    /// The row of the table for one action.
    fn row(&self, actor: &Actor, action: &Action) -> Result<(), DenyReason> {
        self.check_not_pending(action)?;
        let rights = Rights::of(self, actor, action)?;
        match action {
            Action::AddParticipant { user, role, .. } => membership::add_participant(&rights, user, *role),
            Action::RemoveParticipant { user, .. } => membership::remove_participant(&rights, user),
            Action::ChangeRole { user, role, removed_clients } => {
                membership::change_role(&rights, user, *role, *removed_clients)
            }
            Action::AddClients { user, .. } => membership::add_clients(&rights, user),
            Action::RemoveClients { user, .. } => membership::remove_clients(&rights, user),
            Action::Resync { user } => membership::resync(&rights, user),
            Action::UpdateComponent { component, update } => components::update(&rights, *component, update),
            Action::RemoveComponent { component } => components::remove(&rights, *component),
            Action::ChangeExtensions(change) => protocol::change_extensions(&rights, change),
            Action::ReInit => protocol::reinit(&rights),
            Action::Update => protocol::update(&rights),
            Action::Psk(psk) => protocol::psk(&rights, *psk),
            Action::AppEphemeral(ephemeral) => protocol::app_ephemeral(&rights, *ephemeral),
            Action::Destroy => protocol::destroy(&rights),
        }
    }

    /// A participant that a pending proposal touches is not touched otherwise in this epoch; a commit may, and does,
    /// bring about exactly what is pending.
    fn check_not_pending(&self, action: &Action) -> Result<(), DenyReason> {
        let Some(change) = action.pending() else {
            return Ok(());
        };
        let pending = action.user().and_then(|user| self.roster.standing(user)).and_then(|it| it.pending);
        match pending {
            Some(pending) if !(self.is_commit && pending == change) => Err(DenyReason::AlreadyPending),
            Some(_) | None => Ok(()),
        }
    }

    /// What must not stand together in one commit (R18).
    fn exclusions(&self) -> Result<(), Denied> {
        let mut touched = BTreeSet::new();
        let updates = |component| {
            let mut actions = self.attributed.iter();
            actions.any(|(_, action)| matches!(action, Action::UpdateComponent { component: it, .. } if *it == component))
        };
        let (roles, preauth) = (updates(ComponentId::ROLES_LIST), updates(ComponentId::PREAUTH_LIST));
        for (at, (_, action)) in self.attributed.iter().enumerate() {
            let Some(change) = action.pending() else {
                continue;
            };
            let denied = |reason| Err(Denied { reason, action: Some(at) });
            // PM25: a commit touches each user at most once.
            if !action.user().is_some_and(|user| touched.insert(user)) {
                return denied(DenyReason::TouchedTwice);
            }
            // RM3: a role update is never beside a change of the list.
            if roles {
                return denied(DenyReason::NotBesideRoleUpdate);
            }
            // RM4: a preauthorization update is beside removals only.
            if preauth && change != Pending::Removal {
                return denied(DenyReason::NotBesidePreAuthUpdate);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
