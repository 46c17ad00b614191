use mimi_uri::UserUri;

use super::Pending;
use crate::{ComponentId, RoleIndex};

/// What somebody wants to do to a room: a row of the table B4 each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Put a user on the list, with some of the user's clients.
    AddParticipant {
        /// The user, who may be the actor.
        user: UserUri,
        /// The role.
        role: RoleIndex,
        /// Leaves added with the user.
        clients: u32,
    },
    /// Take a user off the list, with all of the user's leaves.
    RemoveParticipant {
        /// The user, who may be the actor.
        user: UserUri,
        /// Leaves removed with the user.
        clients: u32,
    },
    /// Give a participant another role; banning and unbanning are this too.
    ChangeRole {
        /// The user, who may be the actor.
        user: UserUri,
        /// The new role.
        role: RoleIndex,
        /// Leaves removed with the change.
        removed_clients: u32,
    },
    /// Add leaves of a user; the list stays.
    AddClients {
        /// The user, who may be the actor.
        user: UserUri,
        /// How many.
        clients: u32,
    },
    /// Remove leaves of a user (a kick, if it is not the actor); the list stays.
    RemoveClients {
        /// The user, who may be the actor.
        user: UserUri,
        /// How many.
        clients: u32,
    },
    /// Replace an own leaf by an external commit of the *same client*, which whoever builds this has checked \[I\].
    Resync {
        /// The user.
        user: UserUri,
    },
    /// Update a component other than the participant list, in its own format.
    UpdateComponent {
        /// The component.
        component: ComponentId,
        /// The update.
        update: Vec<u8>,
    },
    /// Take a component out of the dictionary.
    RemoveComponent {
        /// The component.
        component: ComponentId,
    },
    /// Replace the group's extensions.
    ChangeExtensions(ExtensionsChange),
    /// Start the group anew with other parameters.
    ReInit,
    /// Renew the own leaf, the identity unchanged (which MLS processing has checked).
    Update,
    /// Mix a pre-shared key in.
    Psk(PskUse),
    /// Carry something in the transcript that changes nothing.
    AppEphemeral(Ephemeral),
    /// End the room.
    Destroy,
}

impl Action {
    /// The user whose place in the room it changes.
    pub fn user(&self) -> Option<&UserUri> {
        match self {
            Self::AddParticipant { user, .. }
            | Self::RemoveParticipant { user, .. }
            | Self::ChangeRole { user, .. }
            | Self::AddClients { user, .. }
            | Self::RemoveClients { user, .. }
            | Self::Resync { user } => Some(user),
            Self::UpdateComponent { .. }
            | Self::RemoveComponent { .. }
            | Self::ChangeExtensions(_)
            | Self::ReInit
            | Self::Update
            | Self::Psk(_)
            | Self::AppEphemeral(_)
            | Self::Destroy => None,
        }
    }

    /// What it changes on the list, if anything.
    pub(super) fn pending(&self) -> Option<Pending> {
        match self {
            Self::AddParticipant { role, .. } | Self::ChangeRole { role, .. } => Some(Pending::Role(*role)),
            Self::RemoveParticipant { .. } => Some(Pending::Removal),
            Self::AddClients { .. }
            | Self::RemoveClients { .. }
            | Self::Resync { .. }
            | Self::UpdateComponent { .. }
            | Self::RemoveComponent { .. }
            | Self::ChangeExtensions(_)
            | Self::ReInit
            | Self::Update
            | Self::Psk(_)
            | Self::AppEphemeral(_)
            | Self::Destroy => None,
        }
    }
}

/// What a `GroupContextExtensions` proposal changes.
#[expect(clippy::struct_excessive_bools, reason = "one fact about each extension")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionsChange {
    /// The application data dictionary, in any way.
    pub app_data_dictionary: bool,
    /// The external senders, in any way.
    pub external_senders: bool,
    /// The hub is no longer an external sender.
    pub drops_hub: bool,
    /// The required capabilities.
    pub required_capabilities: bool,
    /// Any other extension.
    pub others: bool,
}

/// Which pre-shared key a proposal mixes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PskUse {
    /// Of an earlier epoch, for a `ReInit` or a branch.
    Resumption,
    /// Of an application component.
    Application(ComponentId),
    /// Anything else.
    Other,
}

/// What an `AppEphemeral` proposal carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ephemeral {
    /// Acknowledgements of application messages.
    AppAck,
    /// The hub is told to forget messages of others.
    HubDeleted,
    /// Something of another component.
    Other(ComponentId),
}
