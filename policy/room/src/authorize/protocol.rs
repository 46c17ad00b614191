//! The rows about the group itself.

use super::actor::Rights;
use super::{DenyReason, Ephemeral, ExtensionsChange, PskUse};
use crate::Capability;

/// `GroupContextExtensions`.
pub(super) fn change_extensions(rights: &Rights<'_>, change: &ExtensionsChange) -> Result<(), DenyReason> {
    // EM4: "the proposal must leave the app_data_dictionary alone".
    if change.app_data_dictionary {
        return Err(DenyReason::DictionaryByExtensions);
    }
    // PM22, PM23: there are external senders, and the hub is one.
    if change.drops_hub {
        return Err(DenyReason::DropsHub);
    }
    let is_hub_business = change.external_senders && !change.required_capabilities && !change.others;
    if rights.is_hub() && is_hub_business {
        return Ok(());
    }
    rights.require(Capability::CHANGE_MLS_OPERATIONAL_POLICIES)
}

/// `ReInit`.
pub(super) fn reinit(rights: &Rights<'_>) -> Result<(), DenyReason> {
    rights.require(Capability::SEND_MLS_REINIT_PROPOSAL)
}

/// Update: every member, of the own leaf.
pub(super) fn update(rights: &Rights<'_>) -> Result<(), DenyReason> {
    if rights.is_member() && rights.is_listed() { Ok(()) } else { Err(DenyReason::NotAMember) }
}

/// `PreSharedKey`: of an earlier epoch, or of a component that we know \[I\].
pub(super) fn psk(rights: &Rights<'_>, psk: PskUse) -> Result<(), DenyReason> {
    let is_known = match psk {
        PskUse::Resumption => true,
        PskUse::Application(component) => component.name().is_some(),
        PskUse::Other => false,
    };
    if is_known && rights.is_listed() { Ok(()) } else { Err(DenyReason::Psk) }
}

/// `AppEphemeral`.
pub(super) fn app_ephemeral(rights: &Rights<'_>, ephemeral: Ephemeral) -> Result<(), DenyReason> {
    match ephemeral {
        Ephemeral::AppAck if rights.is_member() => Ok(()),
        Ephemeral::AppAck => Err(DenyReason::NotAMember),
        // The hub cannot tell a reaction from a message.
        Ephemeral::HubDeleted if rights.has(Capability::DELETE_OTHER_REACTION) => Ok(()),
        Ephemeral::HubDeleted => rights.require(Capability::DELETE_OTHER_MESSAGE),
        Ephemeral::Other(component) => Err(DenyReason::Ephemeral(component)),
    }
}

/// The end of the room, by the hub's own interface.
pub(super) fn destroy(rights: &Rights<'_>) -> Result<(), DenyReason> {
    rights.require(Capability::DESTROY_ROOM)
}
