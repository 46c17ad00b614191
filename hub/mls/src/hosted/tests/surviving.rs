use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::ids::Epoch;

/// What a gateway writes down: the last snapshot, and every generation before it is sent.
struct Durable {
    snapshot: Vec<u8>,
    next_generation: BTreeMap<(Epoch, LeafIndex), u32>,
    sent: BTreeSet<(Epoch, LeafIndex, u32)>,
}

impl Durable {
    /// Seals, records, sends: what comes out is on the wire.
    fn send(&mut self, world: &mut World, leaf: LeafIndex) {
        let sealed = world.room.seal(leaf, &[], b"hi").unwrap();
        self.next_generation.insert((sealed.epoch, leaf), sealed.generation + 1);
        assert!(self.sent.insert((sealed.epoch, leaf, sealed.generation)), "{sealed:?} twice");
        assert_eq!(world.alice.read(&sealed.message).unwrap(), (leaf, b"hi".to_vec()));
    }

    /// Kill and restart: memory is the snapshot, plus what the rows say.
    fn restart(&self, world: &mut World) {
        world.room = HostedRoom::load(&self.snapshot).unwrap();
        for ((epoch, leaf), at_least) in &self.next_generation {
            if world.leaves().contains(leaf) {
                world.room.advance_generation(*epoch, *leaf, *at_least).unwrap();
            }
        }
    }
}

/// A number that looks random and is the same every time.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

#[test]
fn no_generation_is_ever_used_twice_wherever_the_process_dies() {
    for seed in 1..=3 {
        let mut seed = seed;
        let mut world = World::with_hosted(6);
        let snapshot = world.room.snapshot().unwrap();
        let mut durable = Durable { snapshot, next_generation: BTreeMap::new(), sent: BTreeSet::new() };

        for _ in 0..60 {
            let leaves = world.leaves();
            let leaf = leaves[next(&mut seed) % leaves.len()];
            match next(&mut seed) % 8 {
                // Nothing is saved when somebody speaks: only epoch changes are.
                0..4 => durable.send(&mut world, leaf),
                4 => {
                    world.alice_commits(PlainMember::update);
                    durable.snapshot = world.room.snapshot().unwrap();
                }
                5 => {
                    let plan =
                        CommitPlan { with_path: next(&mut seed).is_multiple_of(2), ..CommitPlan::default() };
                    let own = world.room.commit(leaf, &plan, &Replace).unwrap();
                    durable.snapshot = world.room.snapshot().unwrap();
                    durable.restart(&mut world);
                    world.everybody_follows(&own.commit);
                    durable.snapshot = world.room.snapshot().unwrap();
                }
                _ => durable.restart(&mut world),
            }
        }

        world.all_can_talk();
        assert!(durable.sent.len() > 20);
    }
}

#[test]
fn without_the_rows_a_stale_snapshot_would_repeat_a_generation() {
    let mut world = World::with_hosted(2);
    let snapshot = world.room.snapshot().unwrap();
    let first = world.room.seal(LeafIndex(1), &[], b"once").unwrap();

    let mut stale = HostedRoom::load(&snapshot).unwrap();
    let before = stale.next_generation(LeafIndex(1)).unwrap();
    stale.advance_generation(first.epoch, LeafIndex(1), first.generation + 1).unwrap();
    let after = stale.next_generation(LeafIndex(1)).unwrap();

    assert_eq!((before, after), (first.generation, first.generation + 1));
}

#[test]
fn generations_of_another_epoch_change_nothing() {
    let mut world = World::with_hosted(2);

    world.room.advance_generation(Epoch(7), LeafIndex(2), 1_000).unwrap();

    assert_eq!(world.room.next_generation(LeafIndex(2)).unwrap(), 0);
}

#[test]
fn a_commit_in_flight_survives_a_restart_and_can_still_be_confirmed() {
    for with_path in [true, false] {
        let mut world = World::with_hosted(5);
        let newcomer = world.town.mint();
        let plan = CommitPlan { adds: vec![newcomer.key_package], with_path, ..CommitPlan::default() };
        let own = world.room.commit(LeafIndex(3), &plan, &Replace).unwrap();
        world.others_follow(&own.commit);

        world.room = HostedRoom::load(&world.room.snapshot().unwrap()).unwrap();
        assert_eq!(world.room.pending_commit(), Some(&own.commit));
        world.room.confirm_commit().unwrap();

        world.all_can_talk();
    }
}

#[test]
fn a_resync_in_flight_survives_a_restart() {
    let mut world = World::with_hosted(3);
    let (group_info, tree) = (world.alice.group_info(), world.alice.ratchet_tree().unwrap());
    let own = world
        .room
        .resync(PresentEpoch { group_info: &group_info, ratchet_tree: &tree, pending: &[] }, LeafIndex(2))
        .unwrap();
    world.others_follow(&own.commit);

    world.room = HostedRoom::load(&world.room.snapshot().unwrap()).unwrap();
    world.room.confirm_commit().unwrap();

    world.all_can_talk();
}

#[test]
fn a_late_message_is_read_after_a_restart_and_only_once() {
    let mut world = World::with_hosted(3);
    let [read, unread] = [b"read", b"not "].map(|text| world.alice.say(text).unwrap());
    world.alice_commits(PlainMember::update);
    world.room.process(&read, &Replace).unwrap();

    world.room = HostedRoom::load(&world.room.snapshot().unwrap()).unwrap();

    assert_eq!(application(world.room.process(&unread, &Replace).unwrap()).data, b"not ");
    assert!(matches!(world.room.process(&read, &Replace), Err(ProcessFault::AlreadyRead { .. })));
}

#[test]
fn a_snapshot_of_a_restored_room_is_the_same_snapshot() {
    let mut world = World::with_hosted(7);
    world.all_can_talk();
    let plan = CommitPlan { with_path: true, ..CommitPlan::default() };
    let own = world.room.commit(LeafIndex(5), &plan, &Replace).unwrap();
    world.everybody_follows(&own.commit);
    world.room.commit(LeafIndex(2), &plan, &Replace).unwrap();

    let snapshot = world.room.snapshot().unwrap();
    let again = HostedRoom::load(&snapshot).unwrap().snapshot().unwrap();

    assert_eq!(snapshot, again);
}

#[test]
fn snapshots_that_are_none_are_refused() {
    let world = World::with_hosted(2);
    let snapshot = world.room.snapshot().unwrap();
    let mut other_version = snapshot.clone();
    other_version[0] = 0xee;

    for broken in [&[][..], &snapshot[..snapshot.len() / 2], &other_version] {
        assert!(matches!(HostedRoom::load(broken), Err(HostedFault::Malformed(_))));
    }
}
