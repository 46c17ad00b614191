use std::collections::BTreeMap;

use mimi_uri::UserUri;

use super::Action;
use crate::components::{ParticipantListData, ParticipantListUpdate};
use crate::{ComponentError, ComponentId, ComponentOperation, ParticipantListError, participants};

/// A proposal of one proposer, as far as it matters who may make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposal<'a> {
    /// Add a client of this user.
    Add(&'a UserUri),
    /// Remove, or `SelfRemove`, a leaf of this user.
    Remove(&'a UserUri),
    /// Change a component.
    AppDataUpdate(ComponentId, ComponentOperation<'a>),
    /// What is an action as it stands.
    Other(Action),
}

/// Turns the proposals of *one* proposer into the actions that they are together: an addition to the list with the Adds
/// of that user's clients is one action, and so is a ban with its Removes.
///
/// `list` is the committed participant list, to which all positions refer.
pub fn expand(list: &ParticipantListData, proposals: &[Proposal<'_>]) -> Result<Vec<Action>, ComponentError> {
    let mut leaves = Leaves::default();
    let mut updates = Vec::new();
    let mut rest = Vec::new();
    for proposal in proposals {
        match proposal {
            Proposal::Add(user) => *leaves.added.entry((*user).clone()).or_default() += 1,
            Proposal::Remove(user) => *leaves.removed.entry((*user).clone()).or_default() += 1,
            Proposal::AppDataUpdate(ComponentId::PARTICIPANT_LIST, ComponentOperation::Update(update)) => {
                updates.push(ParticipantListUpdate::decode(update)?);
            }
            Proposal::AppDataUpdate(component, ComponentOperation::Update(update)) => {
                rest.push(Action::UpdateComponent { component: *component, update: update.to_vec() });
            }
            Proposal::AppDataUpdate(component, ComponentOperation::Remove) => {
                rest.push(Action::RemoveComponent { component: *component });
            }
            Proposal::Other(action) => rest.push(action.clone()),
        }
    }
    participants::apply(list, &updates)?;
    let mut actions = Vec::new();
    for update in &updates {
        leaves.list_actions(list, update, &mut actions)?;
    }
    actions.extend(leaves.own_actions());
    actions.extend(rest);
    Ok(actions)
}

/// Leaves that are added and removed and not yet part of an action.
#[derive(Default)]
struct Leaves {
    added: BTreeMap<UserUri, u32>,
    removed: BTreeMap<UserUri, u32>,
}

impl Leaves {
    fn list_actions(
        &mut self,
        list: &ParticipantListData,
        update: &ParticipantListUpdate,
        actions: &mut Vec<Action>,
    ) -> Result<(), ParticipantListError> {
        let user_at =
            |at: u32| list.at(at).map(|pair| pair.user.clone()).ok_or(ParticipantListError::NobodyAt(at));
        for change in &update.changed_role_participants {
            let user = user_at(change.user_index)?;
            let removed_clients = self.removed.remove(&user).unwrap_or_default();
            actions.push(Action::ChangeRole { user, role: change.role_index, removed_clients });
        }
        for user_index in &update.removed_indices {
            let user = user_at(*user_index)?;
            let clients = self.removed.remove(&user).unwrap_or_default();
            actions.push(Action::RemoveParticipant { user, clients });
        }
        for pair in &update.added_participants {
            let clients = self.added.remove(&pair.user).unwrap_or_default();
            actions.push(Action::AddParticipant { user: pair.user.clone(), role: pair.role_index, clients });
        }
        Ok(())
    }

    /// What changes no list: clients that come and go.
    fn own_actions(self) -> impl Iterator<Item = Action> {
        let removed = self.removed.into_iter().map(|(user, clients)| Action::RemoveClients { user, clients });
        let added = self.added.into_iter().map(|(user, clients)| Action::AddClients { user, clients });
        removed.chain(added)
    }
}
