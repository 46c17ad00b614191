use super::*;
use crate::ids::Epoch;

#[test]
fn every_hosted_leaf_is_heard_as_itself_by_a_plain_member() {
    let mut world = World::with_hosted(40);

    let mut heard = Vec::new();
    for leaf in world.leaves() {
        for text in ["one", "two"] {
            let sealed = world.room.seal(leaf, &[], text.as_bytes()).unwrap();
            heard.push((leaf, world.alice.read(&sealed.message).unwrap()));
        }
    }

    let expected: Vec<_> = (1..=40)
        .flat_map(|leaf| {
            ["one", "two"].map(|text| (LeafIndex(leaf), (LeafIndex(leaf), text.as_bytes().to_vec())))
        })
        .collect();
    assert_eq!(heard, expected);
}

#[test]
fn an_echo_of_any_hosted_leaf_is_read_exactly_once() {
    let mut world = World::with_hosted(5);

    for leaf in world.leaves() {
        let sealed = world.room.seal(leaf, &[], b"mine").unwrap();
        let echo = application(world.room.process(&sealed.message, &Replace).unwrap());
        let again = world.room.process(&sealed.message, &Replace);

        assert_eq!(
            (echo.leaf, echo.data.as_slice(), echo.generation),
            (leaf, b"mine".as_slice(), sealed.generation)
        );
        assert!(matches!(again, Err(ProcessFault::AlreadyRead { .. })), "{again:?}");
    }
}

#[test]
fn a_plain_members_message_is_read_once_for_all() {
    let mut world = World::with_hosted(5);
    let said = world.alice.say(b"hello").unwrap();

    let read = application(world.room.process(&said, &Replace).unwrap());

    let alice = world.room.members().remove(0);
    assert_eq!(
        (read.leaf, read.credential, read.epoch, read.data),
        (LeafIndex(0), alice.credential, Epoch(1), b"hello".to_vec())
    );
}

#[test]
fn messages_out_of_order_are_read() {
    let mut world = World::with_hosted(1);
    let mut said: Vec<_> = (0_u8..100).map(|byte| world.alice.say(&[byte]).unwrap()).collect();
    said.reverse();

    let read: Vec<_> =
        said.iter().map(|said| application(world.room.process(said, &Replace).unwrap()).data).collect();

    assert_eq!(read, (0_u8..100).rev().map(|byte| vec![byte]).collect::<Vec<_>>());
}

#[test]
fn the_franking_tag_travels_in_the_safe_aad() {
    let mut world = World::with_hosted(2);
    let [_, leaf] = world.leaves()[..] else { panic!() };

    let sealed = world.room.seal(leaf, &[(FRANK_AAD, vec![7; 32])], b"franked").unwrap();

    let aad = sealed.message.authenticated_data().unwrap().to_vec();
    assert_eq!(world.alice.read(&sealed.message).unwrap(), (leaf, b"franked".to_vec()));
    assert_eq!(application(world.room.process(&sealed.message, &Replace).unwrap()).authenticated_data, aad);
    // One item: length of the list, component 0x0020, length and bytes of the tag.
    assert_eq!(aad[..4], [35, 0x00, 0x20, 32]);
    assert_eq!(aad[4..], [7; 32]);
}

#[test]
fn what_the_log_tells_before_our_own_commits_is_read_although_these_are_confirmed_already() {
    let mut world = World::with_hosted(3);
    let said = [b"one", b"two"].map(|text| world.alice.say(text).unwrap());
    let newcomer = world.town.mint();
    let plans = [
        CommitPlan { adds: vec![newcomer.key_package.clone()], ..CommitPlan::default() },
        CommitPlan { with_path: true, removes: vec![LeafIndex(3)], ..CommitPlan::default() },
    ];

    // The hub accepts: a commit, both messages of the epoch before it, another commit. It answers before we read any of it.
    let commits = plans.map(|plan| {
        let own = world.room.commit(LeafIndex(1), &plan, &Replace).unwrap();
        world.others_follow(&own.commit);
        world.room.confirm_commit().unwrap();
        own.commit
    });
    let first = world.room.process(&commits[0], &Replace).unwrap();
    let one = application(world.room.process(&said[0], &Replace).unwrap());
    world.room = HostedRoom::load(&world.room.snapshot().unwrap()).unwrap();
    let two = application(world.room.process(&said[1], &Replace).unwrap());
    let again = world.room.process(&said[1], &Replace);
    world.room.process(&commits[1], &Replace).unwrap();
    let too_late = world.room.process(&said[0], &Replace);

    assert!(matches!(first, Processed::Ignored(Ignored::EpochEnded)));
    assert_eq!((one.epoch, one.leaf, one.data), (Epoch(1), LeafIndex(0), b"one".to_vec()));
    assert_eq!((two.epoch, two.data, two.credential), (Epoch(1), b"two".to_vec(), one.credential));
    assert!(matches!(again, Err(ProcessFault::AlreadyRead { .. })), "{again:?}");
    assert!(matches!(too_late, Err(ProcessFault::EpochTooOld { oldest: Epoch(2), .. })), "{too_late:?}");
    world.all_can_talk();
}

#[test]
fn a_message_of_the_epoch_before_is_read_and_an_older_one_is_not() {
    let mut world = World::with_hosted(3);
    let [first, second] = [b"late", b"too "].map(|text| world.alice.say(text).unwrap());

    world.alice_commits(PlainMember::update);
    let late = application(world.room.process(&first, &Replace).unwrap());
    world.alice_commits(PlainMember::update);
    let too_late = world.room.process(&second, &Replace);

    assert_eq!((late.epoch, late.data), (Epoch(1), b"late".to_vec()));
    assert!(
        matches!(too_late, Err(ProcessFault::EpochTooOld { epoch: Epoch(1), oldest: Epoch(2) })),
        "{too_late:?}"
    );
}

#[test]
fn a_late_message_of_somebody_who_has_left_is_still_his() {
    let mut world = World::seated(&[Seat::Plain, Seat::Hosted]);
    let said = world.plain[0].say(b"good bye").unwrap();
    let leaver = world.room.members().remove(1);
    let removal = world.alice.remove(LeafIndex(1));
    world.room.process(&removal, &Replace).unwrap();

    let late = application(world.room.process(&said, &Replace).unwrap());

    assert_eq!(
        (late.leaf, late.credential, late.data),
        (LeafIndex(1), leaver.credential, b"good bye".to_vec())
    );
}

#[test]
fn a_hosted_leaf_leaves_without_a_group_object_of_its_own() {
    let mut world = World::with_hosted(8);

    let leaving = world.room.propose_self_remove(LeafIndex(7)).unwrap();
    let proposed = world.everybody_follows(&leaving);
    let summary = world.alice_commits(PlainMember::commit_pending);

    let expected = ProposalSummary {
        sender: HandshakeSender::Member(LeafIndex(7)),
        proposal_type: 0x000a,
        removes: Some(LeafIndex(7)),
        component: None,
    };
    assert_eq!(proposed, Processed::Proposal(expected));
    assert_eq!(summary.hosted_removed, [LeafIndex(7)]);
    assert!(matches!(world.room.seal(LeafIndex(7), &[], b"?"), Err(HostedFault::NotHosted(LeafIndex(7)))));
    world.all_can_talk();
}

#[test]
fn a_component_update_is_proposed_as_a_hosted_leaf() {
    let mut world = World::with_hosted(3);
    let proposal = world.room.propose_component_update(LeafIndex(2), TOPIC, b"weather").unwrap();
    world.everybody_follows(&proposal);

    let own = world.room.commit(LeafIndex(3), &CommitPlan::default(), &Replace).unwrap();
    let summary = summary(world.everybody_follows(&own.commit));

    assert_eq!(summary.components, [TOPIC]);
    assert_eq!(world.room.component(TOPIC), Some(b"weather".as_slice()));
    world.all_can_talk();
}

#[test]
fn a_removal_is_proposed_as_a_hosted_leaf() {
    let mut world = World::with_hosted(4);
    let proposal = world.room.propose_remove(LeafIndex(2), LeafIndex(4)).unwrap();
    world.everybody_follows(&proposal);

    let summary = world.alice_commits(PlainMember::commit_pending);

    assert_eq!(summary.hosted_removed, [LeafIndex(4)]);
    world.all_can_talk();
}
