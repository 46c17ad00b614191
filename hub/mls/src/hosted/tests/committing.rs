use super::*;
use crate::ids::Epoch;

#[test]
fn a_hosted_leaf_adds_somebody_and_all_agree() {
    let mut world = World::with_hosted(12);
    let newcomer = world.town.mint();
    let plan =
        CommitPlan { adds: vec![newcomer.key_package.clone()], with_path: true, ..CommitPlan::default() };

    let own = world.room.commit(LeafIndex(9), &plan, &Replace).unwrap();
    world.others_follow(&own.commit);
    let summary = world.room.confirm_commit().unwrap();

    let tree = world.alice.ratchet_tree().unwrap();
    let newcomer = PlainMember::join(own.welcome.as_ref().unwrap(), &tree, &newcomer.secret);
    assert_eq!((own.epoch, summary.epoch), (Epoch(2), Epoch(2)));
    assert_eq!(summary.sender, HandshakeSender::Member(LeafIndex(9)));
    assert_eq!(summary.added.iter().map(|member| member.leaf).collect::<Vec<_>>(), [LeafIndex(13)]);
    assert_eq!(newcomer.authenticator(), world.room.epoch_authenticator());
    assert_eq!(world.room.reader_leaf(), LeafIndex(9));
    world.all_can_talk();
}

#[test]
fn a_commit_that_only_adds_is_small_without_path_and_keeps_the_reader() {
    let mut world = World::with_hosted(30);
    let newcomer = world.town.mint();
    let plan = CommitPlan { adds: vec![newcomer.key_package.clone()], ..CommitPlan::default() };

    let own = world.room.commit(LeafIndex(12), &plan, &Replace).unwrap();
    let summary = summary(world.everybody_follows(&own.commit));

    assert_eq!(summary.added.len(), 1);
    assert_eq!(world.room.reader_leaf(), LeafIndex(1));
    assert!(
        own.commit.as_bytes().len() < newcomer.key_package.len() + 300,
        "{}",
        own.commit.as_bytes().len()
    );
    world.all_can_talk();
}

#[test]
fn a_newcomer_of_ours_is_hosted_without_reading_his_welcome() {
    let mut world = World::with_hosted(3);
    let newcomer = world.town.mint();
    let plan = CommitPlan { adds: vec![newcomer.key_package.clone()], ..CommitPlan::default() };
    let own = world.room.commit(LeafIndex(1), &plan, &Replace).unwrap();

    let before = world.room.add_hosted(&newcomer.secret).unwrap();
    world.everybody_follows(&own.commit);
    let after = world.room.add_hosted(&newcomer.secret).unwrap();

    assert_eq!((before, after), (None, Some(LeafIndex(4))));
    let user = world.room.hosted_leaves().pop().unwrap().1.user;
    assert_eq!(world.room.leaf_of(&user), Some(LeafIndex(4)));
    world.all_can_talk();
}

#[test]
fn a_commit_carries_component_updates_removals_and_all_that_is_pending() {
    let mut world = World::with_hosted(6);
    let leaving = world.room.propose_self_remove(LeafIndex(5)).unwrap();
    world.everybody_follows(&leaving);
    let plan = CommitPlan {
        component_updates: vec![(TOPIC, b"tides".to_vec())],
        removes: vec![LeafIndex(6)],
        safe_aad: vec![(FRANK_AAD, vec![1; 32])],
        ..CommitPlan::default()
    };

    let own = world.room.commit(LeafIndex(3), &plan, &Replace).unwrap();
    let summary = summary(world.everybody_follows(&own.commit));

    assert_eq!(summary.components, [TOPIC]);
    assert_eq!(summary.hosted_removed, [LeafIndex(5), LeafIndex(6)]);
    assert_eq!(world.room.component(TOPIC), Some(b"tides".as_slice()));
    world.all_can_talk();
}

#[test]
fn a_hosted_leaf_may_remove_the_reader() {
    let mut world = World::with_hosted(4);
    let plan = CommitPlan { removes: vec![LeafIndex(1)], ..CommitPlan::default() };

    let own = world.room.commit(LeafIndex(4), &plan, &Replace).unwrap();
    let summary = summary(world.everybody_follows(&own.commit));

    assert_eq!(summary.hosted_removed, [LeafIndex(1)]);
    assert_eq!(world.room.reader_leaf(), LeafIndex(4));
    world.all_can_talk();
}

#[test]
fn anothers_commit_wins_and_ours_is_made_anew() {
    let mut world = World::with_hosted(6);
    let plan = CommitPlan { component_updates: vec![(TOPIC, b"ours".to_vec())], ..CommitPlan::default() };
    let lost = world.room.commit(LeafIndex(2), &plan, &Replace).unwrap();

    let theirs = world.alice_commits(PlainMember::update);
    let pending = world.room.pending_commit().cloned();
    let late = world.room.process(&lost.commit, &Replace).unwrap();
    let again = world.room.commit(LeafIndex(2), &plan, &Replace).unwrap();
    let ours = summary(world.everybody_follows(&again.commit));

    assert_eq!((theirs.epoch, ours.epoch, pending), (Epoch(2), Epoch(3), None));
    assert_eq!(late, Processed::Ignored(Ignored::EpochEnded));
    assert_eq!(world.room.component(TOPIC), Some(b"ours".as_slice()));
    world.all_can_talk();
}

#[test]
fn an_abandoned_commit_leaves_no_trace() {
    let mut world = World::with_hosted(3);
    let plan = CommitPlan { with_path: true, ..CommitPlan::default() };
    world.room.commit(LeafIndex(2), &plan, &Replace).unwrap();

    let second = world.room.commit(LeafIndex(3), &plan, &Replace);
    world.room.abandon_commit();
    let nothing = world.room.confirm_commit();

    assert!(matches!(second, Err(HostedFault::CommitPending)));
    assert!(matches!(nothing, Err(HostedFault::NoCommitPending)));
    world.all_can_talk();
}

#[test]
fn a_plan_the_group_cannot_accept_is_refused_and_changes_nothing() {
    let mut world = World::with_hosted(3);
    let plans = [
        CommitPlan { component_updates: vec![(SEALED, b"broken".to_vec())], ..CommitPlan::default() },
        CommitPlan { removes: vec![LeafIndex(2)], ..CommitPlan::default() },
        CommitPlan { removes: vec![LeafIndex(77)], ..CommitPlan::default() },
        CommitPlan { adds: vec![b"no KeyPackage".to_vec()], ..CommitPlan::default() },
    ];

    let refusals = plans.map(|plan| world.room.commit(LeafIndex(2), &plan, &Replace).unwrap_err());

    assert!(matches!(refusals[0], HostedFault::Component(_)), "{refusals:?}");
    assert!(matches!(refusals[1..3], [HostedFault::Refused(_), HostedFault::Refused(_)]));
    assert!(matches!(refusals[3], HostedFault::Malformed("the KeyPackage")));
    world.all_can_talk();
}

#[test]
fn a_founder_commits_and_speaks_in_his_own_room() {
    let mut town = Town::new();
    let creator = town.client();
    let components = vec![(SAFE_AAD, vec![0])];
    let new_room =
        NewRoom { group_id: b"mine".to_vec(), components, external_senders: Vec::new(), creator: &creator };
    let (mut room, founding) = HostedRoom::create(&new_room).unwrap();
    let guest = town.mint();
    let plan = CommitPlan { adds: vec![guest.key_package.clone()], ..CommitPlan::default() };

    let own = room.commit(LeafIndex(0), &plan, &Replace).unwrap();
    room.confirm_commit().unwrap();
    let tree = room.ratchet_tree().unwrap();
    let mut guest = PlainMember::join(own.welcome.as_ref().unwrap(), &tree, &guest.secret);
    let sealed = room.seal(LeafIndex(0), &[], b"welcome").unwrap();

    assert_eq!(guest.read(&sealed.message).unwrap(), (LeafIndex(0), b"welcome".to_vec()));
    assert!(!founding.group_info.is_empty() && !founding.ratchet_tree.is_empty());
}

#[test]
fn the_start_up_self_test_passes() {
    self_test(now_s()).unwrap();
}
