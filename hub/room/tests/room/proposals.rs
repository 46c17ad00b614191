//! A4: proposals, and what they take away at once.

use mimi_mls::Epoch;
use mimi_mls::hosted::CommitPlan;
use mimi_room::{EventKind, Reason, Refusal};
use mimi_room_policy::DenyReason;
use mimi_wire::FanoutEvent;

use crate::world::*;

#[test]
fn who_leaves_a_direct_chat_is_gone_once_the_other_commits() {
    let mut world = World::direct();

    let decision = world.leaves("bob@b").unwrap();
    world.deliver();
    world.commit("alice@a", &CommitPlan::default()).unwrap();
    world.deliver();

    assert_eq!(kinds(&decision.effects), [EventKind::Proposal]);
    assert!(decision.effects.state_changed);
    assert!(world.gateways[&domain("b.example")].room.is_none());
    assert_eq!(world.hosted(&user("alice@a")).members().len(), 1);
}

#[test]
fn pm12_who_has_left_commits_nothing() {
    let mut world = World::direct();
    world.brings("bob@b", "bob@b");
    let leaves: Vec<_> =
        world.hosted(&user("bob@b")).hosted_leaves().into_iter().map(|(leaf, _)| leaf).collect();
    let proposals: Vec<_> =
        leaves.iter().map(|leaf| world.hosted(&user("bob@b")).propose_self_remove(*leaf).unwrap()).collect();
    world.propose("b.example", &proposals).unwrap();
    world.deliver();

    // MLS has nobody commit his own removal; a commit that leaves his SelfRemove out is no better.
    let own =
        world.hosted(&user("bob@b")).commit(leaves[0], &CommitPlan::default(), &mimi_room::PolicyComponents);

    assert!(own.is_err() || !accepted(&world.update("b.example", &bundle(&own.unwrap()))));
}

#[test]
fn em7_a_member_leaves_once() {
    let mut world = World::direct();
    let leaf = world.leaf("bob@b");
    let proposal = world.hosted(&user("bob@b")).propose_self_remove(leaf).unwrap();

    let twice_at_once = world.propose("b.example", &[proposal.clone(), proposal.clone()]);
    world.propose("b.example", std::slice::from_ref(&proposal)).unwrap();
    let twice = world.propose("b.example", &[proposal]);

    assert_eq!(twice_at_once.unwrap_err(), Refusal::InvalidProposal(Reason::ProposedTwice));
    assert_eq!(invalid_proposal(twice), "the proposal is pending already");
}

#[test]
fn pm14_more_proposals_are_sent_on_as_they_came() {
    let mut world = World::direct();
    world.brings("bob@b", "bob@b");
    let room = world.hosted(&user("bob@b"));
    let leaves: Vec<_> = room.hosted_leaves().into_iter().map(|(leaf, _)| leaf).collect();
    let proposals =
        [room.propose_self_remove(leaves[0]).unwrap(), room.propose_remove(leaves[0], leaves[1]).unwrap()];

    let decision = world.propose("b.example", &proposals).unwrap();

    let [message, more] = proposals;
    let expected = FanoutEvent::Proposal { message, more_proposals: vec![more] };
    assert_eq!(decision.effects.events[0].message.event, expected);
}

#[test]
fn proposals_of_a_request_are_accepted_together_or_not_at_all() {
    let mut world = World::direct();
    let (own, other) = (world.leaf("bob@b"), world.leaf("alice@a"));
    let room = world.hosted(&user("bob@b"));
    let proposals = [room.propose_self_remove(own).unwrap(), room.propose_remove(own, other).unwrap()];

    let verdict = world.propose("b.example", &proposals);

    assert_eq!(invalid_proposal(verdict), "the role lacks canKick");
    assert!(accepted(&world.says("bob@b")));
}

#[test]
fn proposals_of_a_request_have_one_author() {
    let mut world = Beginning::cooperative().world();
    let package = world.mint("dave@a");
    let update = list_update(&[], &[], &[("dave@a", 2)]);
    let plan = CommitPlan { adds: vec![package], component_updates: vec![update], ..CommitPlan::default() };
    world.commit("alice@a", &plan).unwrap();
    world.deliver();
    let (alice, dave) = (world.leaf("alice@a"), world.leaf("dave@a"));
    let room = world.hosted(&user("alice@a"));
    let proposals = [room.propose_self_remove(alice).unwrap(), room.propose_self_remove(dave).unwrap()];

    let verdict = world.propose("a.example", &proposals);

    assert_eq!(verdict.unwrap_err(), Refusal::NotAllowed(Reason::SeveralAuthors));
}

#[test]
fn g2_a_provider_proposes_for_its_own_users_only() {
    let mut world = World::direct();
    let leaf = world.leaf("bob@b");
    let proposal = world.hosted(&user("bob@b")).propose_self_remove(leaf).unwrap();

    for provider in ["a.example", "c.example"] {
        assert!(is_not_that_provider(&world.propose(provider, std::slice::from_ref(&proposal))));
    }
}

#[test]
fn g16_a_proposal_of_an_epoch_that_has_ended_is_refused() {
    let mut world = World::direct();
    let leaf = world.leaf("bob@b");
    let proposal = world.hosted(&user("bob@b")).propose_self_remove(leaf).unwrap();
    world.commit("alice@a", &CommitPlan { with_path: true, ..CommitPlan::default() }).unwrap();

    let verdict = world.propose("b.example", &[proposal]);

    assert_eq!(verdict.unwrap_err(), Refusal::WrongEpoch { current: Epoch(2) });
}

#[test]
fn pm13_who_is_leaving_proposes_nothing_but_the_removal_of_his_own_leaves() {
    let mut world = cooperative_with_bob();
    let bob = world.leaf("bob@b");
    let room = world.hosted(&user("bob@b"));
    let (component, off_the_list) = list_update(&[], &[1], &[]);
    let leave = [
        room.propose_component_update(bob, component, &off_the_list).unwrap(),
        room.propose_self_remove(bob).unwrap(),
    ];
    let (component, friend) = list_update(&[], &[], &[("dave@b", 2)]);
    let invite = room.propose_component_update(bob, component, &friend).unwrap();
    let own_leaf = room.propose_remove(bob, bob).unwrap();
    world.propose("b.example", &leave).unwrap();

    assert_eq!(world.propose("b.example", &[invite]).unwrap_err(), denied(DenyReason::Leaving));
    assert!(accepted(&world.propose("b.example", &[own_leaf])));
    assert_eq!(not_allowed(world.says("bob@b")), "leaving the room");
    world.reload();
    assert_eq!(not_allowed(world.says("bob@b")), "leaving the room");
}

fn denied(reason: DenyReason) -> Refusal {
    Refusal::InvalidProposal(Reason::Denied(Box::new(reason)))
}

/// alice@a owns it, bob@b is in it.
fn cooperative_with_bob() -> World {
    let mut world = Beginning::cooperative().world();
    let plan = CommitPlan {
        adds: vec![world.mint("bob@b")],
        component_updates: vec![list_update(&[], &[], &[("bob@b", 2)])],
        ..CommitPlan::default()
    };
    world.commit("alice@a", &plan).unwrap();
    world.deliver();
    world
}
