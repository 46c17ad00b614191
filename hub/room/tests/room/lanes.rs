//! Lanes: who is sent what, and from when to when.

use mimi_mls::hosted::CommitPlan;
use mimi_room::{Audience, EventKind, LaneChange};

use crate::world::*;

fn b() -> mimi_uri::Domain {
    domain("b.example")
}

fn delivered(world: &World, provider: &str) -> Vec<(u64, EventKind)> {
    world.delivered(provider).into_iter().map(|event| (event.seq, event.kind)).collect()
}

#[test]
fn a_lane_opens_at_the_commit_that_brings_a_providers_first_client() {
    let mut world = Beginning::direct().world();
    world.says("alice@a").unwrap();
    let plan = CommitPlan { adds: vec![world.mint("bob@b")], ..CommitPlan::default() };

    let decision = world.commit("alice@a", &plan).unwrap();

    assert_eq!(decision.effects.lanes, [LaneChange::Open { peer: b(), from: 2 }]);
    assert_eq!(delivered(&world, "b.example"), [(2, EventKind::Commit), (3, EventKind::Welcome)]);
}

#[test]
fn our_own_domain_has_no_lane_and_its_welcomes_are_in_the_log() {
    let mut world = Beginning::direct().world();
    let plan = CommitPlan { adds: vec![world.mint("alice@a")], ..CommitPlan::default() };

    let decision = world.commit("alice@a", &plan).unwrap();

    assert_eq!(decision.effects.lanes, []);
    assert_eq!(decision.effects.events[1].audience, Audience::Only(domain(HUB)));
}

#[test]
fn a_welcome_goes_to_the_provider_of_whom_it_is_for_and_to_nobody_else() {
    let mut world = World::direct();
    let plan = CommitPlan { adds: vec![world.mint("alice@a"), world.mint("bob@b")], ..CommitPlan::default() };

    let decision = world.commit("bob@b", &plan).unwrap();

    let audiences: Vec<_> = decision.effects.events.iter().map(|event| event.audience.clone()).collect();
    assert_eq!(audiences, [Audience::Everyone, Audience::Only(domain(HUB)), Audience::Only(b())]);
    assert_eq!(decision.effects.lanes, []);
}

#[test]
fn pm11_ps2_a_provider_whose_last_user_leaves_gets_no_message_more_but_all_handshakes_to_the_end() {
    let mut world = World::direct();
    world.brings("alice@a", "alice@a");

    let leave = world.leaves("bob@b").unwrap();
    world.says("alice@a").unwrap();
    world.deliver();
    let room = world.hosted(&user("alice@a"));
    let leaves: Vec<_> = room.hosted_leaves().into_iter().map(|(leaf, _)| leaf).collect();
    let own_other = room.propose_remove(leaves[0], leaves[1]).unwrap();
    let proposal = world.propose("a.example", &[own_other]).unwrap();
    world.says("alice@a").unwrap();
    world.deliver();
    let commit = world.commit("alice@a", &CommitPlan::default()).unwrap();
    world.deliver();
    world.says("alice@a").unwrap();

    let one =
        |seq| vec![LaneChange::Open { peer: b(), from: seq }, LaneChange::Close { peer: b(), to: seq + 1 }];
    assert_eq!(leave.effects.lanes, [LaneChange::Close { peer: b(), to: 6 }]);
    assert_eq!(proposal.effects.lanes, one(7));
    assert_eq!(commit.effects.lanes, one(9));
    let tail: Vec<_> = delivered(&world, "b.example").into_iter().skip_while(|(seq, _)| *seq < 5).collect();
    assert_eq!(tail, [(5, EventKind::Proposal), (7, EventKind::Proposal), (9, EventKind::Commit)]);
}

#[test]
fn who_comes_back_gets_nothing_of_the_time_between() {
    let mut world = World::direct();
    world.leaves("bob@b").unwrap();
    world.deliver();
    world.commit("alice@a", &CommitPlan::default()).unwrap();
    world.deliver();
    world.says("alice@a").unwrap();

    world.brings("alice@a", "bob@b");

    let seqs: Vec<_> = delivered(&world, "b.example").into_iter().map(|(seq, _)| seq).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 6, 7]);
    assert!(accepted(&world.says("bob@b")));
}

#[test]
fn a_provider_with_another_user_left_goes_on() {
    let mut world = Beginning::cooperative().world();
    let plan = CommitPlan {
        adds: vec![world.mint("bob@b"), world.mint("dave@b")],
        component_updates: vec![list_update(&[], &[], &[("bob@b", 2), ("dave@b", 2)])],
        ..CommitPlan::default()
    };
    world.commit("alice@a", &plan).unwrap();
    world.deliver();

    let decision = world.leaves("bob@b").unwrap();

    assert_eq!(decision.effects.lanes, []);
}
