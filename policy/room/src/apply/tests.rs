use mimi_uri::{RoomUri, UserUri};
use proptest::prelude::*;

use super::*;
use crate::RoleIndex;
use crate::components::{Credential, JoinLink, UserIndexRolePair, UserRolePair};

fn metadata() -> Vec<u8> {
    RoomMetaData::of(&RoomUri::parse("mimi://a.example/r/1").unwrap()).encode()
}

fn list(names: &[&str]) -> ParticipantListData {
    let pair = |name: &&str| UserRolePair {
        user: UserUri::parse(&format!("mimi://a.example/u/{name}")).unwrap(),
        role_index: RoleIndex(2),
    };
    ParticipantListData { participants: names.iter().map(pair).collect() }
}

#[test]
fn em2_a_removal_stands_alone() {
    let current = [0];
    let both = [ComponentOperation::Update(&[0]), ComponentOperation::Remove];
    let twice = [ComponentOperation::Remove; 2];

    assert_eq!(
        apply_component(ComponentId::SAFE_AAD, Some(&current), &both),
        Err(ComponentError::RemovalNotAlone)
    );
    assert_eq!(
        apply_component(ComponentId::SAFE_AAD, Some(&current), &twice),
        Err(ComponentError::RemovalNotAlone)
    );
    assert_eq!(apply_component(ComponentId::SAFE_AAD, Some(&current), &both[1..]), Ok(None));
}

#[test]
fn em3_a_removal_needs_state() {
    let removed = apply_component(ComponentId::SAFE_AAD, None, &[ComponentOperation::Remove]);

    assert_eq!(removed, Err(ComponentError::NothingToRemove));
}

#[test]
fn what_every_room_has_is_never_removed() {
    for component in [0x0022, 0x0023, 0x0025, 0x0027].map(ComponentId) {
        let removed = apply_component(component, Some(&[]), &[ComponentOperation::Remove]);

        assert_eq!(removed, Err(ComponentError::Indispensable(component)));
    }
}

#[test]
fn components_that_a_group_does_not_have_are_refused() {
    for component in [0x0004, 0x0020, 0x0031, 0x0040, 0x0A0A, 0x8D00].map(ComponentId) {
        let applied = apply_component(component, None, &[ComponentOperation::Update(&[])]);

        assert_eq!(applied, Err(ComponentError::Unknown(component)));
    }
}

#[test]
fn no_operation_is_refused() {
    assert_eq!(apply_component(ComponentId::SAFE_AAD, None, &[]), Err(ComponentError::NoOperation));
}

#[test]
fn an_update_replaces_the_whole_and_every_update_is_checked() {
    let good = ComponentOperation::Update(&[2, 0, 0x20]);
    let bad = ComponentOperation::Update(&[1, 0]);

    assert_eq!(apply_component(ComponentId::SAFE_AAD, Some(&[0]), &[good]), Ok(Some(vec![2, 0, 0x20])));
    assert!(matches!(
        apply_component(ComponentId::SAFE_AAD, Some(&[0]), &[bad, good]),
        Err(ComponentError::Decode(_))
    ));
}

#[test]
fn pm26_one_metadata_update_in_a_commit() {
    let update = metadata();
    let once = [ComponentOperation::Update(&update)];
    let twice = [once[0], once[0]];

    assert_eq!(apply_component(ComponentId::ROOM_METADATA, None, &once), Ok(Some(update.clone())));
    assert_eq!(
        apply_component(ComponentId::ROOM_METADATA, None, &twice),
        Err(ComponentError::OneUpdateOnly(ComponentId::ROOM_METADATA))
    );
}

#[test]
fn ps4_the_franking_agent_is_set_once() {
    let agent = FrankingAgentData {
        franking_signature_key: vec![7; 32],
        credential: Credential { credential_type: 1, body: vec![] },
    }
    .encode();
    let update = [ComponentOperation::Update(&agent)];

    assert_eq!(apply_component(ComponentId::FRANKING_AGENT, None, &update), Ok(Some(agent.clone())));
    assert_eq!(
        apply_component(ComponentId::FRANKING_AGENT, Some(&agent), &update),
        Err(ComponentError::SetOnce(ComponentId::FRANKING_AGENT))
    );
}

#[test]
fn updates_of_the_participant_list_are_applied_together() {
    let current = list(&["alice", "bob"]).encode();
    let first = ParticipantListUpdate { removed_indices: vec![0], ..Default::default() }.encode();
    let second =
        ParticipantListUpdate { added_participants: list(&["carol"]).participants, ..Default::default() }
            .encode();
    let operations = [ComponentOperation::Update(&first), ComponentOperation::Update(&second)];

    let next = apply_component(ComponentId::PARTICIPANT_LIST, Some(&current), &operations);

    assert_eq!(next, Ok(Some(list(&["bob", "carol"]).encode())));
}

#[test]
fn a_list_that_does_not_decode_is_not_updated() {
    let update = ParticipantListUpdate::default().encode();

    let next =
        apply_component(ComponentId::PARTICIPANT_LIST, Some(&[9]), &[ComponentOperation::Update(&update)]);

    assert!(matches!(next, Err(ComponentError::Decode(_))));
}

#[test]
fn join_links_go_by_the_position_before_the_commit_and_go_once() {
    let links = |links: &[&str]| JoinLinksData {
        links: links.iter().map(|link| JoinLink { join_link: link.as_bytes().to_vec() }).collect(),
    };
    let current = links(&["a", "b", "c"]).encode();
    let first = JoinLinksUpdate { removed_indices: vec![0], added_links: links(&["d"]).links }.encode();
    let second = JoinLinksUpdate { removed_indices: vec![2], added_links: vec![] }.encode();
    let apply = |operations: &[ComponentOperation<'_>]| {
        apply_component(ComponentId::JOIN_LINKS, Some(&current), operations)
    };
    let (first, second) = (ComponentOperation::Update(&first), ComponentOperation::Update(&second));

    assert_eq!(apply(&[first, second]), Ok(Some(links(&["b", "d"]).encode())));
    assert_eq!(apply(&[first, first]), Err(ComponentError::NoLinkAt(0)));
}

fn update() -> impl Strategy<Value = ParticipantListUpdate> {
    let changed = proptest::collection::vec((0..5u32, 0..4u32), 0..2);
    let added = proptest::collection::vec(0..8usize, 0..3);
    (changed, proptest::collection::vec(0..5u32, 0..2), added).prop_map(
        |(changed, removed_indices, added)| {
            const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
            let names: Vec<&str> = added.iter().map(|at| NAMES[*at]).collect();
            ParticipantListUpdate {
                changed_role_participants: changed
                    .into_iter()
                    .map(|(user_index, role)| UserIndexRolePair { user_index, role_index: RoleIndex(role) })
                    .collect(),
                removed_indices,
                added_participants: list(&names).participants,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_applied_decodes_again(updates in proptest::collection::vec(update(), 1..3)) {
        let current = list(&["a", "b", "c", "d"]).encode();
        let updates: Vec<Vec<u8>> = updates.iter().map(ParticipantListUpdate::encode).collect();
        let operations: Vec<_> = updates.iter().map(|it| ComponentOperation::Update(it)).collect();

        if let Ok(next) = apply_component(ComponentId::PARTICIPANT_LIST, Some(&current), &operations) {
            let next = next.unwrap();
            prop_assert_eq!(ParticipantListData::decode(&next).map(|list| list.encode()), Ok(next));
        }
    }

    #[test]
    fn any_bytes_are_applied_or_refused_and_what_stays_is_valid(
        id in 0..0x42u16,
        current in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..24)),
        update in proptest::collection::vec(any::<u8>(), 0..24),
    ) {
        let component = ComponentId(id);

        let next = apply_component(component, current.as_deref(), &[ComponentOperation::Update(&update)]);

        if let Ok(Some(next)) = next {
            prop_assert_eq!(check_component(component, &next), Ok(()));
        }
    }
}
