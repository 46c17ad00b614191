use super::*;

/// The example `hosted_scale` measures 999 of them.
#[test]
fn three_hundred_hosted_leaves_share_one_state() {
    let mut world = World::with_hosted(300);
    world.all_can_talk();

    let leaving = world.room.propose_self_remove(LeafIndex(270)).unwrap();
    world.everybody_follows(&leaving);
    let plan = CommitPlan { with_path: true, ..CommitPlan::default() };
    let own = world.room.commit(LeafIndex(155), &plan, &Replace).unwrap();
    let summary = summary(world.everybody_follows(&own.commit));

    assert_eq!(summary.hosted_removed, [LeafIndex(270)]);
    assert_eq!(world.room.hosted_leaves().len(), 299);
    world.all_can_talk();
}

#[test]
fn a_hosted_room_may_move_between_threads() {
    fn assert_send<T: Send>() {}

    assert_send::<HostedRoom>();
}
