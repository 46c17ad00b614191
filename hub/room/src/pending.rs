use mimi_room_policy::{Action, RoleIndex, Roster};
use mimi_uri::UserUri;
use serde::{Deserialize, Serialize};

/// What is accepted and not committed, as far as it changes somebody's place in the room (B4, the effective state).
///
/// The proposals themselves wait in the group; this is what accepting messages needs to know of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingActions(Vec<PendingAction>);

/// An action on a user; a resync is never proposed, only committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum PendingAction {
    AddParticipant { user: UserUri, role: u32, clients: u32 },
    RemoveParticipant { user: UserUri, clients: u32 },
    ChangeRole { user: UserUri, role: u32, removed_clients: u32 },
    AddClients { user: UserUri, clients: u32 },
    RemoveClients { user: UserUri, clients: u32 },
}

impl PendingActions {
    pub(crate) fn note(&mut self, action: &Action) {
        self.0.extend(PendingAction::of(action));
    }

    /// Puts the effects into a roster in which nothing is pending.
    pub(crate) fn apply(&self, roster: &mut Roster) {
        for pending in &self.0 {
            roster.propose(&pending.action());
        }
    }
}

impl PendingAction {
    fn of(action: &Action) -> Option<Self> {
        match action.clone() {
            Action::AddParticipant { user, role, clients } => {
                Some(Self::AddParticipant { user, role: role.0, clients })
            }
            Action::RemoveParticipant { user, clients } => Some(Self::RemoveParticipant { user, clients }),
            Action::ChangeRole { user, role, removed_clients } => {
                Some(Self::ChangeRole { user, role: role.0, removed_clients })
            }
            Action::AddClients { user, clients } => Some(Self::AddClients { user, clients }),
            Action::RemoveClients { user, clients } => Some(Self::RemoveClients { user, clients }),
            Action::Resync { .. }
            | Action::UpdateComponent { .. }
            | Action::RemoveComponent { .. }
            | Action::ChangeExtensions(_)
            | Action::ReInit
            | Action::Update
            | Action::Psk(_)
            | Action::AppEphemeral(_)
            | Action::Destroy => None,
        }
    }

    fn action(&self) -> Action {
        match self.clone() {
            Self::AddParticipant { user, role, clients } => {
                Action::AddParticipant { user, role: RoleIndex(role), clients }
            }
            Self::RemoveParticipant { user, clients } => Action::RemoveParticipant { user, clients },
            Self::ChangeRole { user, role, removed_clients } => {
                Action::ChangeRole { user, role: RoleIndex(role), removed_clients }
            }
            Self::AddClients { user, clients } => Action::AddClients { user, clients },
            Self::RemoveClients { user, clients } => Action::RemoveClients { user, clients },
        }
    }
}
