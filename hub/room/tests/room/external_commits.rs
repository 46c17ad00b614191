//! External commits: coming back from outside.

use mimi_mls::Epoch;
use mimi_mls::hosted::{CommitPlan, PresentEpoch};
use mimi_room::{EventKind, Reason, Refusal};
use mimi_wire::HandshakeBundle;

use crate::world::*;

/// What alice's last commit left for those outside.
struct Outside {
    group_info: Vec<u8>,
    ratchet_tree: Vec<u8>,
}

fn outside(world: &mut World) -> Outside {
    let own = world.own_commit("alice@a", &CommitPlan { with_path: true, ..CommitPlan::default() });
    world.update("a.example", &bundle(&own)).unwrap();
    world.deliver();
    let ratchet_tree = world.hosted(&user("alice@a")).ratchet_tree().unwrap();
    Outside { group_info: own.group_info, ratchet_tree }
}

fn resync(world: &mut World, who: &str, outside: &Outside) -> HandshakeBundle {
    let leaf = world.leaf(who);
    let own = world.hosted(&user(who)).resync(
        PresentEpoch { group_info: &outside.group_info, ratchet_tree: &outside.ratchet_tree, pending: &[] },
        leaf,
    );
    bundle(&own.unwrap())
}

#[test]
fn who_has_lost_his_state_comes_back_in_place_of_his_old_leaf() {
    let mut world = World::direct();
    let outside = outside(&mut world);
    let back = resync(&mut world, "bob@b", &outside);

    let decision = world.update("b.example", &back).unwrap();

    assert_eq!(kinds(&decision.effects), [EventKind::Commit]);
    assert_eq!(decision.effects.lanes, []);
    world.deliver();
    world.reload();
    assert!(accepted(&world.says("bob@b")));
    assert!(accepted(&world.says("alice@a")));
}

#[test]
fn g2_a_provider_brings_back_its_own_users_only() {
    let mut world = World::direct();
    let outside = outside(&mut world);
    let back = resync(&mut world, "bob@b", &outside);

    assert!(is_not_that_provider(&world.update("a.example", &back)));
}

#[test]
fn i4_an_external_commit_of_an_epoch_that_has_ended_is_refused() {
    let mut world = World::direct();
    let outside = outside(&mut world);
    let back = resync(&mut world, "bob@b", &outside);
    world.commit("alice@a", &CommitPlan { with_path: true, ..CommitPlan::default() }).unwrap();

    let verdict = world.update("b.example", &back);

    assert_eq!(verdict.unwrap_err(), Refusal::WrongEpoch { current: Epoch(3) });
}

#[test]
fn em8_a_joiner_covers_pending_self_removes() {
    let mut world = World::direct();
    let outside = outside(&mut world);
    let back = resync(&mut world, "bob@b", &outside);
    world.leaves("alice@a").unwrap();

    assert_eq!(not_allowed(world.update("b.example", &back)), "missing-pending-proposals");
}

#[test]
fn i5_nobody_from_outside_overtakes_what_members_have_proposed_against_somebody() {
    let mut world = World::direct();
    world.brings("alice@a", "alice@a");
    let outside = outside(&mut world);
    let back = resync(&mut world, "bob@b", &outside);
    let room = world.hosted(&user("alice@a"));
    let leaves: Vec<_> = room.hosted_leaves().into_iter().map(|(leaf, _)| leaf).collect();
    let removal = room.propose_remove(leaves[0], leaves[1]).unwrap();
    world.propose("a.example", &[removal]).unwrap();

    let verdict = world.update("b.example", &back);

    assert_eq!(verdict.unwrap_err(), Refusal::NotAllowed(Reason::PendingProposalsFirst));
}

#[test]
fn a_room_may_close_itself_to_external_commits() {
    let closed = Beginning::direct().operated(|parameters| parameters.external_commit_allowed = false);
    let mut world = closed.world();
    world.brings("alice@a", "bob@b");
    let outside = outside(&mut world);
    let back = resync(&mut world, "bob@b", &outside);

    let verdict = world.update("b.example", &back);

    assert_eq!(not_allowed(verdict), "no commits from outside");
}
