//! From proposals to actions.

use super::*;
use crate::components::{ParticipantListUpdate, UserIndexRolePair};
use crate::{ComponentError, ComponentOperation, ParticipantListError};

fn list_update(update: &ParticipantListUpdate) -> Vec<u8> {
    update.encode()
}

#[test]
fn an_addition_is_one_action_with_its_adds_and_a_ban_with_its_removes() {
    let world = cooperative();
    let update = list_update(&ParticipantListUpdate {
        changed_role_participants: vec![UserIndexRolePair { user_index: 3, role_index: RoleIndex(1) }],
        removed_indices: vec![2],
        added_participants: vec![UserRolePair { user: user("dave"), role_index: RoleIndex(2) }],
    });
    let (alice, bob, carol, dave) = (user("alice"), user("bob"), user("carol"), user("dave"));
    let proposals = [
        Proposal::Add(&dave),
        Proposal::Remove(&carol),
        Proposal::AppDataUpdate(ComponentId::PARTICIPANT_LIST, ComponentOperation::Update(&update)),
        Proposal::Remove(&carol),
        Proposal::Remove(&bob),
        Proposal::Remove(&carol),
        Proposal::Add(&dave),
        Proposal::Add(&alice),
        Proposal::Other(Action::ReInit),
    ];

    let actions = expand(&world.policy.participants, &proposals);

    assert_eq!(
        actions,
        Ok(vec![
            change("carol", 1, 3),
            remove("bob", 1),
            add("dave", 2, 2),
            add_clients("alice", 1),
            Action::ReInit
        ])
    );
}

#[test]
fn other_components_keep_their_bytes() {
    let list = cooperative().policy.participants;
    let proposals = [
        Proposal::AppDataUpdate(ComponentId::SAFE_AAD, ComponentOperation::Update(&[0])),
        Proposal::AppDataUpdate(ComponentId::JOIN_LINKS, ComponentOperation::Remove),
        Proposal::AppDataUpdate(ComponentId::PARTICIPANT_LIST, ComponentOperation::Remove),
    ];

    let actions = expand(&list, &proposals).unwrap();

    assert_eq!(
        actions,
        [
            Action::UpdateComponent { component: ComponentId::SAFE_AAD, update: vec![0] },
            Action::RemoveComponent { component: ComponentId::JOIN_LINKS },
            Action::RemoveComponent { component: ComponentId::PARTICIPANT_LIST },
        ]
    );
}

#[test]
fn positions_that_name_nobody_are_no_action() {
    let list = cooperative().policy.participants;
    let update = list_update(&ParticipantListUpdate { removed_indices: vec![5], ..Default::default() });

    let actions = expand(
        &list,
        &[Proposal::AppDataUpdate(ComponentId::PARTICIPANT_LIST, ComponentOperation::Update(&update))],
    );

    assert_eq!(actions, Err(ComponentError::ParticipantList(ParticipantListError::NobodyAt(5))));
}
