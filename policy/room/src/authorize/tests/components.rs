//! Rows about components.

use super::*;
use crate::ComponentError;
use crate::components::{
    ComponentsList, Credential, FrankingAgentData, PreAuthData, RoomMetaData, StatusNotificationPolicy, Text,
    Uri,
};

fn update(component: ComponentId, update: Vec<u8>) -> Action {
    Action::UpdateComponent { component, update }
}

fn metadata(change: impl FnOnce(&mut RoomMetaData)) -> Action {
    let mut metadata = RoomMetaData::of(&room());
    change(&mut metadata);
    update(ComponentId::ROOM_METADATA, metadata.encode())
}

#[test]
fn every_changed_field_of_the_metadata_needs_its_capability() {
    let text = |text: &str| Text::new(text).unwrap();
    let world = cooperative();

    assert_eq!(world.ask("bob", metadata(|it| it.room_name = text("club"))), Ok(()));
    assert_eq!(world.ask("bob", metadata(|_| ())), Ok(()));
    let avatar = Uri::new("https://a.example/1.png").unwrap();
    assert_eq!(world.ask("bob", metadata(|it| it.room_avatar = avatar)), Ok(()));
    let description = crate::components::RichDescription {
        media_type: text(""),
        language_tag: text("en"),
        description_content: text("a club"),
    };
    let described = metadata(|it| it.room_descriptions = vec![description]);
    assert_eq!(world.ask("bob", described.clone()), lacks(Capability::CHANGE_ROOM_DESCRIPTION));
    assert_eq!(world.ask("adam", described), Ok(()));
    let capability = Capability::CHANGE_ROOM_NAME;
    let world = world.with_role(2, without(capability));
    assert_eq!(world.ask("bob", metadata(|it| it.room_name = text("club"))), lacks(capability));
    assert_eq!(world.ask("bob", metadata(|it| it.room_mood = text("fine"))), Ok(()));
}

#[test]
fn i11_a_room_keeps_its_address() {
    let elsewhere = metadata(|it| it.room_uri = RoomUri::parse("mimi://hub.example/r/2").unwrap());

    assert_eq!(cooperative().ask("alice", elsewhere), Err(DenyReason::RoomUriChanges));
}

#[test]
fn pm26_one_metadata_update_in_a_commit() {
    let twice = [metadata(|_| ()), metadata(|_| ())];

    let denied = cooperative().commit("alice", &twice);

    let reason = ComponentError::OneUpdateOnly(ComponentId::ROOM_METADATA);
    assert_eq!(denied, Err(DenyReason::Component(reason)));
}

#[test]
fn a_role_update_needs_0503_and_must_lint_clean() {
    let world = cooperative().with_role(4, having(Capability::CHANGE_ROLE_DEFINITIONS));
    let mut roles = world.policy.roles.clone();
    let same = update(ComponentId::ROLES_LIST, roles.encode());
    roles.roles.retain(|role| role.role_index != RoleIndex(2));
    let broken = update(ComponentId::ROLES_LIST, roles.encode());

    assert_eq!(world.ask("alice", same.clone()), Ok(()));
    assert_eq!(world.ask("bob", same.clone()), lacks(Capability::CHANGE_ROLE_DEFINITIONS));
    assert!(
        matches!(world.ask("alice", broken), Err(DenyReason::Inconsistent(finding)) if finding.rule == "R5")
    );
    // RM3: never beside a change of the list.
    assert_eq!(
        world.commit("alice", &[same.clone(), remove("bob", 1)]),
        Err(DenyReason::NotBesideRoleUpdate)
    );
    assert_eq!(world.commit("alice", &[same, add_clients("alice", 1)]), Ok(()));
}

#[test]
fn a_preauthorization_update_needs_0504_and_stands_beside_removals_only() {
    let world = cooperative();
    let preauth = update(ComponentId::PREAUTH_LIST, PreAuthData::default().encode());
    let mut base = world.policy.base.clone();
    base.policy_component_ids.push(ComponentId::PREAUTH_LIST.0);
    let base = update(ComponentId::BASE_ROOM_POLICY, base.encode());

    assert_eq!(world.ask("bob", preauth.clone()), lacks(Capability::CHANGE_PREAUTHORIZED_USER_LIST));
    // R16: what comes is listed.
    assert!(
        matches!(world.ask("alice", preauth.clone()), Err(DenyReason::Inconsistent(finding)) if finding.rule == "R16")
    );
    assert_eq!(world.commit("alice", &[preauth.clone(), base.clone()]), Ok(()));
    // RM4
    assert_eq!(world.commit("alice", &[preauth.clone(), base.clone(), remove("bob", 1)]), Ok(()));
    assert_eq!(
        world.commit("alice", &[preauth, base, add("dave", 2, 1)]),
        Err(DenyReason::NotBesidePreAuthUpdate)
    );
}

#[test]
fn a_base_policy_update_needs_0502() {
    let world = cooperative();
    let mut base = world.policy.base.clone();
    base.max_users = Some(100);
    let update = update(ComponentId::BASE_ROOM_POLICY, base.encode());

    assert_eq!(world.ask("alice", update.clone()), Ok(()));
    assert_eq!(world.ask("adam", update), lacks(Capability::CHANGE_ROOM_MEMBERSHIP_STYLE));
}

#[test]
fn other_policies_need_0505_and_the_operational_ones_0600() {
    let world = cooperative();
    let status = StatusNotificationPolicy {
        delivery_notifications: crate::components::Optionality::Optional,
        read_receipts: crate::components::Optionality::Forbidden,
    };
    let status = update(ComponentId::STATUS_NOTIFICATION_POLICY, status.encode());
    let aad = update(ComponentId::SAFE_AAD, ComponentsList::default().encode());

    assert_eq!(world.ask("alice", status), lacks(Capability::CHANGE_OTHER_POLICY_ATTRIBUTE));
    assert_eq!(world.ask("alice", aad.clone()), lacks(Capability::CHANGE_MLS_OPERATIONAL_POLICIES));
    let world = world.with_role(4, having(Capability::CHANGE_MLS_OPERATIONAL_POLICIES));
    assert_eq!(world.ask("alice", aad), Ok(()));
}

#[test]
fn a_removal_needs_the_same_and_never_takes_what_every_room_has() {
    let world = cooperative().with_role(4, |role| {
        role.role_capabilities.push(Capability::CHANGE_MLS_OPERATIONAL_POLICIES.0);
        role.role_capabilities.push(Capability::CHANGE_OTHER_POLICY_ATTRIBUTE.0);
    });
    let aad = Action::RemoveComponent { component: ComponentId::SAFE_AAD };
    let metadata = Action::RemoveComponent { component: ComponentId::ROOM_METADATA };

    assert_eq!(world.ask("alice", aad.clone()), Ok(()));
    assert_eq!(world.ask("adam", aad), lacks(Capability::CHANGE_MLS_OPERATIONAL_POLICIES));
    let reason = ComponentError::Indispensable(ComponentId::ROOM_METADATA);
    assert_eq!(world.ask("alice", metadata), Err(DenyReason::Component(reason)));
}

#[test]
fn the_franking_agent_is_set_once_by_the_hub_or_a_participant() {
    let world = cooperative();
    let credential = Credential { credential_type: 1, body: b"hub.example".to_vec() };
    let agent = FrankingAgentData { franking_signature_key: vec![7; 32], credential }.encode();
    let update = update(ComponentId::FRANKING_AGENT, agent.clone());

    assert_eq!(world.ask("bob", update.clone()), Ok(()));
    assert_eq!(world.ask_as(&Actor::hub(), update.clone()), Ok(()));
    let policy = world.policy.with(ComponentId::FRANKING_AGENT, Some(agent)).unwrap();
    let world = World { policy, ..world };
    assert_eq!(world.ask("bob", update.clone()), Err(DenyReason::HubOnly(ComponentId::FRANKING_AGENT)));
    let reason = ComponentError::SetOnce(ComponentId::FRANKING_AGENT);
    assert_eq!(world.ask_as(&Actor::hub(), update), Err(DenyReason::Component(reason)));
}

#[test]
fn the_participant_list_is_changed_user_by_user() {
    let list = update(ComponentId::PARTICIPANT_LIST, Vec::new());

    assert_eq!(cooperative().ask("alice", list), Err(DenyReason::NotExpanded));
}
