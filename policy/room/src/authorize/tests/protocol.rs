//! Rows about the group itself.

use super::*;

#[test]
fn em4_the_dictionary_is_left_alone_by_gce() {
    let change = ExtensionsChange { app_data_dictionary: true, ..ExtensionsChange::default() };

    assert_eq!(
        cooperative().ask_as(&Actor::hub(), Action::ChangeExtensions(change)),
        Err(DenyReason::DictionaryByExtensions)
    );
}

#[test]
fn external_senders_are_changed_by_the_hub_and_keep_it() {
    let senders = ExtensionsChange { external_senders: true, ..ExtensionsChange::default() };
    let drops_hub = ExtensionsChange { drops_hub: true, ..senders.clone() };
    let world = cooperative();

    assert_eq!(world.ask_as(&Actor::hub(), Action::ChangeExtensions(senders.clone())), Ok(()));
    assert_eq!(
        world.ask("alice", Action::ChangeExtensions(senders.clone())),
        lacks(Capability::CHANGE_MLS_OPERATIONAL_POLICIES)
    );
    // PM22, PM23
    assert_eq!(world.ask_as(&Actor::hub(), Action::ChangeExtensions(drops_hub)), Err(DenyReason::DropsHub));
    let world = world.with_role(4, having(Capability::CHANGE_MLS_OPERATIONAL_POLICIES));
    assert_eq!(world.ask("alice", Action::ChangeExtensions(senders)), Ok(()));
}

#[test]
fn required_capabilities_need_0600_even_of_the_hub() {
    let change =
        ExtensionsChange { external_senders: true, required_capabilities: true, ..Default::default() };

    let denied = cooperative().ask_as(&Actor::hub(), Action::ChangeExtensions(change));

    assert_eq!(denied, lacks(Capability::CHANGE_MLS_OPERATIONAL_POLICIES));
}

#[test]
fn reinit_needs_0601() {
    let capability = Capability::SEND_MLS_REINIT_PROPOSAL;
    let world = cooperative();

    assert_eq!(world.ask("alice", Action::ReInit), lacks(capability));
    assert_eq!(world.with_role(4, having(capability)).ask("alice", Action::ReInit), Ok(()));
}

#[test]
fn an_update_is_for_every_member() {
    let world = cooperative();

    assert_eq!(world.ask("bob", Action::Update), Ok(()));
    assert_eq!(world.ask_as(&Actor::new_user(&user("bob")), Action::Update), Err(DenyReason::NotAMember));
    assert_eq!(world.ask("dave", Action::Update), Err(DenyReason::NotAParticipant));
}

#[test]
fn a_psk_is_of_an_earlier_epoch_or_of_a_known_component() {
    let world = cooperative();

    assert_eq!(world.ask("bob", Action::Psk(PskUse::Resumption)), Ok(()));
    assert_eq!(world.ask("bob", Action::Psk(PskUse::Application(ComponentId::APP_ACK))), Ok(()));
    assert_eq!(world.ask("bob", Action::Psk(PskUse::Application(ComponentId(0x7777)))), Err(DenyReason::Psk));
    assert_eq!(world.ask("bob", Action::Psk(PskUse::Other)), Err(DenyReason::Psk));
}

#[test]
fn ephemerals_are_acknowledgements_and_deletions() {
    let world = cooperative();
    let deleted = Action::AppEphemeral(Ephemeral::HubDeleted);

    assert_eq!(world.ask("bob", Action::AppEphemeral(Ephemeral::AppAck)), Ok(()));
    assert_eq!(world.ask("adam", deleted.clone()), Ok(()));
    assert_eq!(world.ask("bob", deleted), lacks(Capability::DELETE_OTHER_MESSAGE));
    assert_eq!(
        world.ask("bob", Action::AppEphemeral(Ephemeral::Other(ComponentId(0x8D00)))),
        Err(DenyReason::Ephemeral(ComponentId(0x8D00)))
    );
}

#[test]
fn destroying_needs_0501() {
    let world = cooperative();

    assert_eq!(world.ask("alice", Action::Destroy), Ok(()));
    assert_eq!(world.ask("adam", Action::Destroy), lacks(Capability::DESTROY_ROOM));
}
