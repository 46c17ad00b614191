use super::*;
use Seat::{Hosted, Plain};

#[test]
fn another_hosted_leaf_takes_over_when_the_reader_is_removed() {
    let mut world = World::with_hosted(10);

    let summary = world.alice_commits(|alice| alice.remove(LeafIndex(1)));

    assert!(matches!(summary.reader, ReaderFate::TakenOver(_)), "{summary:?}");
    assert_eq!(summary.hosted_removed, [LeafIndex(1)]);
    world.all_can_talk();
    world.alice_commits(PlainMember::update);
    world.all_can_talk();
}

#[test]
fn readers_fall_one_after_another_until_nobody_is_left() {
    let mut world = World::with_hosted(4);

    for _ in 0..3 {
        let reader = world.room.reader_leaf();
        let summary = world.alice_commits(|alice| alice.remove(reader));
        assert!(matches!(summary.reader, ReaderFate::TakenOver(_)), "{summary:?}");
        world.all_can_talk();
    }
    let reader = world.room.reader_leaf();
    let last = world.alice_commits(|alice| alice.remove(reader));

    assert_eq!(last.reader, ReaderFate::Gone);
    assert!(world.room.hosted_leaves().is_empty());
}

/// Leaf 5 has renewed the nodes above leaf 4, which only leaf 4 could have read; the reader, leaf 2, is removed.
#[test]
fn the_second_reader_takes_over_after_replaying_what_it_missed() {
    let mut world = World::seated(&[Plain, Hosted, Plain, Hosted, Plain, Plain, Plain]);
    put_leaf_4_away(&mut world);
    foreign_update(&mut world, 2);

    let summary = world.alice_commits(|alice| alice.remove(LeafIndex(2)));

    assert_eq!(summary.reader, ReaderFate::TakenOver(LeafIndex(4)));
    world.all_can_talk();
}

#[test]
fn the_second_reader_survives_a_restart() {
    let mut world = World::seated(&[Plain, Hosted, Plain, Hosted, Plain, Plain, Plain]);
    put_leaf_4_away(&mut world);
    foreign_update(&mut world, 2);

    world.room = HostedRoom::load(&world.room.snapshot().unwrap()).unwrap();
    let summary = world.alice_commits(|alice| alice.remove(LeafIndex(2)));

    assert_eq!(summary.reader, ReaderFate::TakenOver(LeafIndex(4)));
    world.all_can_talk();
}

#[test]
fn where_nobody_can_take_over_one_hosted_user_comes_back_and_reads_for_all() {
    let mut world = World::seated(&[Plain, Hosted, Plain, Hosted, Plain, Plain, Plain]);
    foreign_update(&mut world, 2);

    let summary = world.alice_commits(|alice| alice.remove(LeafIndex(2)));
    let stuck = world.room.seal(LeafIndex(4), &[], b"?");
    let restored = HostedRoom::load(&world.room.snapshot().unwrap()).unwrap();
    world.room = restored;
    let (group_info, tree) = (world.alice.group_info(), world.alice.ratchet_tree().unwrap());
    let own = world
        .room
        .resync(PresentEpoch { group_info: &group_info, ratchet_tree: &tree, pending: &[] }, LeafIndex(4))
        .unwrap();
    let back = world.everybody_follows(&own.commit);

    assert_eq!(summary.reader, ReaderFate::NeedsResync);
    assert!(matches!(stuck, Err(HostedFault::NeedsResync)));
    assert!(matches!(super::summary(back).sender, HandshakeSender::Joiner(_)));
    assert!(!world.room.needs_resync());
    world.all_can_talk();
    world.alice_commits(PlainMember::update);
    world.all_can_talk();
}

#[test]
fn after_a_resync_hosted_leaves_that_stayed_speak_on() {
    let mut world = World::with_hosted(9);
    let (group_info, tree) = (world.alice.group_info(), world.alice.ratchet_tree().unwrap());
    let user = world.room.hosted_leaves()[3].1.user.clone();

    let own = world
        .room
        .resync(PresentEpoch { group_info: &group_info, ratchet_tree: &tree, pending: &[] }, LeafIndex(4))
        .unwrap();
    world.others_follow(&own.commit);
    let summary = world.room.confirm_commit().unwrap();

    assert_eq!(summary.hosted_removed, []);
    assert_eq!(world.room.hosted_leaves().len(), 9);
    assert_eq!(world.room.leaf_of(&user), Some(world.room.reader_leaf()));
    world.all_can_talk();
}

/// Leaf 4 reads first: it commits with a path. Then leaf 2 does, and leaf 4 is put away, a proposal in its hands.
fn put_leaf_4_away(world: &mut World) {
    for (leaf, other) in [(4, 2), (2, 4)] {
        let topic = format!("before the commit of leaf {leaf}");
        let proposal =
            world.room.propose_component_update(LeafIndex(other), TOPIC, topic.as_bytes()).unwrap();
        world.everybody_follows(&proposal);
        let plan = CommitPlan { with_path: true, ..CommitPlan::default() };
        let own = world.room.commit(LeafIndex(leaf), &plan, &Replace).unwrap();
        world.everybody_follows(&own.commit);
        assert_eq!(world.room.reader_leaf(), LeafIndex(leaf));
    }
}

/// A plain member renews the nodes above him.
fn foreign_update(world: &mut World, place: usize) {
    let commit = world.plain[place].update();
    world.alice.follow(&commit, &Replace).unwrap();
    for (other, member) in world.plain.iter_mut().enumerate() {
        if other != place {
            member.follow(&commit, &Replace).unwrap();
        }
    }
    world.room.process(&commit, &Replace).unwrap();
}
