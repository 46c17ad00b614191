//! Joining, and coming back, by external commit.

use super::super::{MlsRefusal, Proposal, ProposalView, Sender};
use super::world::{TOPIC, World, enter};
use crate::ids::{Epoch, LeafIndex};

#[test]
fn somebody_joins_from_outside_and_updates_a_component_on_the_way() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let (carol, made) = world.candidate("carol").join_externally(&world.hub);

    let examined = world.hub.examine(&made.commit).unwrap();
    let Sender::NewMember(leaf) = examined.sender() else { panic!("{examined:?}") };
    assert_eq!(leaf.credential, carol.client.credential());
    assert!(examined.proposals().iter().any(|view| view.proposal == Proposal::ExternalInit));
    let staged = world.stage(&made.commit, &made.attachments()).unwrap();
    assert_eq!(staged.committer(), carol.leaf());
    world.hub.accept_commit(staged).unwrap();
    bob.follow(&made.commit);

    assert_eq!(world.hub.epoch(), Epoch(2));
    assert_eq!(world.hub.component(TOPIC), Some(b"carol is here".as_slice()));
    assert_eq!(world.hub.group_context().unwrap(), carol.context());
    assert_eq!(world.hub.group_context().unwrap(), bob.context());
}

#[test]
fn a_partial_group_info_serves_joiners_too() {
    let (world, [_bob]) = World::with(["bob"]);
    let (_carol, made) = world.candidate("carol").join_externally(&world.hub);
    let mut with = made.attachments();
    with.group_info = crate::GroupInfoOption::Partial(&made.partial);

    let staged = world.stage(&made.commit, &with).unwrap();

    assert_eq!(staged.group_info(), made.group_info);
}

#[test]
fn who_comes_back_removes_his_old_leaf() {
    let (mut world, [bob]) = World::with(["bob"]);
    let (bob_again, made) = enter(&world.hub, bob.client.clone(), &[]);

    let examined = world.hub.examine(&made.commit).unwrap();
    let removed: Vec<_> = examined.proposals().iter().filter_map(ProposalView::removes).collect();
    assert_eq!(removed, [LeafIndex(1)]);
    world.accept(&made).unwrap();

    assert_eq!(world.hub.members().len(), 2);
    assert_eq!(world.hub.group_context().unwrap(), bob_again.context());
}

#[test]
fn em8_a_joiner_includes_the_self_removes_that_wait_and_nothing_else() {
    let (mut world, [mut bob, mut dave]) = World::with(["bob", "dave"]);
    let (_, early) = world.candidate("carol").join_externally(&world.hub);
    world.propose(&bob.propose_self_remove()).unwrap();
    world.propose(&dave.propose_update()).unwrap();
    let leaving = world.hub.pending_proposals()[0].reference.clone();

    let (carol, late) = world.candidate("carol").join_externally(&world.hub);

    let refusal = world.stage(&early.commit, &early.attachments()).unwrap_err();
    assert_eq!(refusal, MlsRefusal::Uncovered(vec![leaving]));
    world.accept(&late).unwrap();
    assert_eq!(world.hub.members().len(), 3);
    assert_eq!(world.hub.group_context().unwrap(), carol.context());
}
