//! Commits by members.

use super::super::{Attachments, MlsRefusal, Proposal, Proposer, Sender};
use super::world::{ROSTER, TOPIC, World, removal, update};
use crate::group_info::GroupInfoOption;
use crate::ids::{Epoch, LeafIndex};
use crate::safe_aad::SafeAad;

#[test]
fn a_room_is_founded_from_group_info_and_tree() {
    let world = World::new();

    let hub = &world.hub;

    assert_eq!(hub.epoch(), Epoch(0));
    assert_eq!(hub.group_id().as_bytes(), b"mimi://a.example/g/room");
    assert_eq!(hub.group_context().unwrap(), world.alice.context());
    assert_eq!(hub.component(ROSTER), Some(b"alice".as_slice()));
    assert_eq!(hub.components().map(|(component, _)| component).collect::<Vec<_>>(), [2, ROSTER, TOPIC]);
    assert_eq!(hub.members()[0].credential, world.alice.client.credential());
    assert_eq!(hub.external_senders()[0].signature_key, world.hub_key.public());
    assert_eq!(hub.external_senders()[0].credential, b"\x00\x01\x0bhub.example");
}

#[test]
fn a_commit_shows_what_it_does_before_it_is_done() {
    let mut world = World::new();
    let bob = world.candidate("bob");
    let made = world.alice.commit(vec![update(ROSTER, b"alice, bob")], vec![bob.key_package.clone()]);

    let examined = world.hub.examine(&made.commit).unwrap();

    assert_eq!(examined.sender(), &Sender::Member(LeafIndex(0)));
    assert_eq!(examined.safe_aad(), Some(&SafeAad::default()));
    assert!(examined.is_commit() && examined.covers_all_pending());
    let [add, change] = examined.proposals() else { panic!("{examined:?}") };
    assert_eq!((change.proposer, &change.reference), (Proposer::Member(LeafIndex(0)), &None));
    let expected = Proposal::AppDataUpdate { component: ROSTER, update: Some(b"alice, bob".to_vec()) };
    assert_eq!(change.proposal, expected);
    let Proposal::Add { reference, leaf } = &add.proposal else { panic!("{add:?}") };
    assert_eq!(reference, &bob.reference);
    assert_eq!(crate::read_identity(&leaf.credential).unwrap().user, super::world::names("bob").0);
    assert_eq!(world.hub.epoch(), Epoch(0));
}

#[test]
fn i2_an_accepted_commit_leaves_hub_and_members_in_one_state() {
    let mut world = World::new();
    let bob = world.candidate("bob");
    let made = world.alice.commit(vec![update(ROSTER, b"alice, bob")], vec![bob.key_package.clone()]);

    let staged = world.stage(&made.commit, &made.attachments()).unwrap();
    assert_eq!(staged.component(ROSTER), Some(b"alice, bob".as_slice()));
    assert_eq!((staged.epoch(), staged.committer()), (Epoch(1), LeafIndex(0)));
    assert_eq!(staged.added(), std::slice::from_ref(&bob.reference));
    world.hub.accept_commit(staged).unwrap();
    world.alice.merge();

    let bob = bob.join(made.welcome.as_ref().unwrap(), &world.hub.ratchet_tree().unwrap());
    assert_eq!(world.hub.group_context().unwrap(), world.alice.context());
    assert_eq!(world.hub.group_context().unwrap(), bob.context());
    assert_eq!(world.hub.ratchet_tree().unwrap(), world.alice.tree());
    assert_eq!(world.hub.group_info(), made.group_info);
    assert_eq!(world.hub.component(ROSTER), Some(b"alice, bob".as_slice()));
}

#[test]
fn a4_a_partial_group_info_is_completed_byte_for_byte() {
    let mut world = World::new();
    let made = world.alice.commit(vec![update(TOPIC, b"weather")], vec![]);
    let partial = Attachments { group_info: GroupInfoOption::Partial(&made.partial), ..made.attachments() };

    let staged = world.stage(&made.commit, &partial).unwrap();

    assert_eq!(staged.group_info(), made.group_info);
}

#[test]
fn a_commit_with_a_path_is_signed_for_by_its_new_leaf() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let made = bob.remove(LeafIndex(0));

    let examined = world.hub.examine(&made.commit).unwrap();
    assert_eq!(examined.committer_leaf().unwrap().credential, bob.client.credential());
    assert_eq!(examined.proposals()[0].removes(), Some(LeafIndex(0)));
    world.accept(&made).unwrap();
    bob.merge();

    assert_eq!(world.hub.members().len(), 1);
    assert_eq!(world.hub.group_context().unwrap(), bob.context());
}

#[test]
fn i4_a_commit_of_another_epoch_is_told_the_current_one() {
    let mut world = World::new();
    let first = world.alice.commit(vec![update(TOPIC, b"one")], vec![]);
    world.accept(&first).unwrap();

    let again = world.hub.examine(&first.commit);

    assert_eq!(again.unwrap_err(), MlsRefusal::WrongEpoch { current: Epoch(1) });
}

#[test]
fn i4_of_two_commits_examined_side_by_side_one_is_accepted() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let (one, two) = (world.alice.commit(vec![], vec![]), bob.commit(vec![], vec![]));
    let (first, second) = (world.hub.examine(&one.commit).unwrap(), world.hub.examine(&two.commit).unwrap());

    let first = world.hub.stage(first, vec![], &one.attachments()).unwrap();
    world.hub.accept_commit(first).unwrap();

    let second = world.hub.stage(second, vec![], &two.attachments());
    assert_eq!(second.unwrap_err(), MlsRefusal::WrongEpoch { current: Epoch(2) });
}

#[test]
fn em2_em3_component_updates_that_do_not_go_together_are_refused() {
    let mut world = World::new();
    let absent = 0x4444;
    let lists = [
        (vec![removal(absent)], "component 0x4444: the component to be removed is not there"),
        (
            vec![update(TOPIC, b"z"), removal(TOPIC)],
            "component 0x0023: a removal stands beside another update",
        ),
    ];

    for (proposals, why) in lists {
        let made = world.alice.commit(proposals, vec![]);
        assert_eq!(world.hub.examine(&made.commit).unwrap_err().to_string(), why);
        world.alice.group.clear_pending_commit(world.alice.provider.storage_ref()).unwrap();
    }
}

#[test]
fn a_component_is_removed_alone() {
    let mut world = World::new();
    let made = world.alice.commit(vec![removal(TOPIC)], vec![]);

    world.accept(&made).unwrap();
    world.alice.merge();

    assert_eq!(world.hub.component(TOPIC), None);
    assert_eq!(world.hub.group_context().unwrap(), world.alice.context());
}

#[test]
fn next_values_are_given_for_what_the_commit_touches_and_nothing_else() {
    let mut world = World::new();
    let made = world.alice.commit(vec![update(TOPIC, b"weather")], vec![]);
    let stage = |changes| {
        let examined = world.hub.examine(&made.commit).unwrap();
        world.hub.stage(examined, changes, &made.attachments()).map(|_| ())
    };
    let weather = || (TOPIC, Some(b"weather".to_vec()));

    assert_eq!(stage(vec![weather()]), Ok(()));
    assert!(matches!(stage(vec![]), Err(MlsRefusal::Component(_))));
    assert!(matches!(stage(vec![weather(), (ROSTER, None)]), Err(MlsRefusal::Component(_))));
}

#[test]
fn another_result_than_the_committers_is_another_group_state() {
    let mut world = World::new();
    let made = world.alice.commit(vec![update(TOPIC, b"weather")], vec![]);
    let examined = world.hub.examine(&made.commit).unwrap();

    let staged = world.hub.stage(examined, vec![(TOPIC, Some(b"sports".to_vec()))], &made.attachments());

    assert_eq!(staged.unwrap_err().to_string(), "the GroupInfo is of another group state");
}
