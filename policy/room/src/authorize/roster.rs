use std::collections::BTreeMap;

use mimi_uri::UserUri;

use super::Action;
use crate::RoleIndex;
use crate::components::ParticipantListData;

/// The effective state of a room's people: what is committed, and what is pending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster(BTreeMap<UserUri, Standing>);

/// Where a user stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The role on the committed list; none if the user is not on it.
    pub role: Option<RoleIndex>,
    /// The accepted, uncommitted change of the user's place.
    pub pending: Option<Pending>,
    /// Leaves in the group.
    pub leaves: u32,
    /// Leaves whose addition is accepted and not committed.
    pub arriving: u32,
    /// Leaves whose removal is accepted and not committed.
    pub leaving: u32,
}

/// An accepted, uncommitted change of a user's place on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// The user goes.
    Removal,
    /// The user comes, or changes, to this role.
    Role(RoleIndex),
}

impl Standing {
    /// Leaves that count as being there: those that are not about to go.
    pub fn effective_leaves(&self) -> u32 {
        self.leaves.saturating_sub(self.leaving)
    }

    /// Leaves once everything pending is committed.
    pub(super) fn leaves_to_be(&self) -> u32 {
        self.effective_leaves().saturating_add(self.arriving)
    }

    /// The role, if the user surely keeps it: what minima count.
    pub(super) fn role_kept(&self) -> Option<RoleIndex> {
        self.role.filter(|role| self.pending.is_none_or(|pending| pending == Pending::Role(*role)))
    }

    /// The roles in which the user takes up a place: what maxima count.
    pub(super) fn roles_taken(&self) -> impl Iterator<Item = RoleIndex> {
        let pending = match self.pending {
            Some(Pending::Role(role)) if Some(role) != self.role => Some(role),
            Some(Pending::Role(_) | Pending::Removal) | None => None,
        };
        self.role.into_iter().chain(pending)
    }

    fn apply(&mut self, pending: Pending) {
        self.pending = None;
        self.role = match pending {
            Pending::Removal => None,
            Pending::Role(role) => Some(role),
        };
    }
}

impl Roster {
    /// The roster of a room in which nothing is pending; `leaves` has the user of every leaf of the group.
    pub fn new<'u>(list: &ParticipantListData, leaves: impl IntoIterator<Item = &'u UserUri>) -> Self {
        let mut roster = Self::default();
        for pair in &list.participants {
            roster.entry(&pair.user).role = Some(pair.role_index);
        }
        for user in leaves {
            let standing = roster.entry(user);
            standing.leaves = standing.leaves.saturating_add(1);
        }
        roster
    }

    /// Where a user stands; nothing is known of most.
    pub fn standing(&self, user: &UserUri) -> Option<&Standing> {
        self.0.get(user)
    }

    /// All users with their standing, ascending by URI.
    pub fn iter(&self) -> impl Iterator<Item = (&UserUri, &Standing)> {
        self.0.iter()
    }

    /// Notes the effect of an action whose proposal was accepted.
    pub fn propose(&mut self, action: &Action) {
        let Some(user) = action.user() else {
            return;
        };
        let standing = self.entry(user);
        standing.pending = action.pending().or(standing.pending);
        let (added, removed) = leaves(action);
        standing.arriving = standing.arriving.saturating_add(added);
        standing.leaving = standing.leaving.saturating_add(removed).min(standing.leaves);
    }

    /// Notes the effect of an action that was committed; whatever was pending of its user has been settled by it.
    pub fn commit(&mut self, action: &Action) {
        let Some(user) = action.user() else {
            return;
        };
        let standing = self.entry(user);
        if let Some(pending) = action.pending() {
            standing.apply(pending);
        }
        let (added, removed) = leaves(action);
        standing.arriving = standing.arriving.saturating_sub(added);
        standing.leaving = standing.leaving.saturating_sub(removed);
        standing.leaves = standing.leaves.saturating_add(added).saturating_sub(removed);
        if *standing == Standing::default() {
            self.0.remove(user);
        }
    }

    fn entry(&mut self, user: &UserUri) -> &mut Standing {
        self.0.entry(user.clone()).or_default()
    }
}

/// Leaves that an action adds and removes.
fn leaves(action: &Action) -> (u32, u32) {
    match action {
        Action::AddParticipant { clients, .. } | Action::AddClients { clients, .. } => (*clients, 0),
        Action::RemoveParticipant { clients, .. } | Action::RemoveClients { clients, .. } => (0, *clients),
        Action::ChangeRole { removed_clients, .. } => (0, *removed_clients),
        Action::Resync { .. } => (1, 1),
        Action::UpdateComponent { .. }
        | Action::RemoveComponent { .. }
        | Action::ChangeExtensions(_)
        | Action::ReInit
        | Action::Update
        | Action::Psk(_)
        | Action::AppEphemeral(_)
        | Action::Destroy => (0, 0),
    }
}
