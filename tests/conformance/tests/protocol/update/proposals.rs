//! Proposals, and what they take away at once.

use conformance::{Chat, World, list_update, user};
use mimi_mls::hosted::CommitPlan;
use mimi_store::Store;
use mimi_wire::{FanoutEvent, HandshakeBundle, SubmitMessageResponse, UpdateRequest, UpdateVerdict};

use super::{is_success, leave, propose, refused_and_not_stored};

#[tokio::test]
async fn pm14_more_proposals_are_told_as_they_came() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let off_the_list = chat.bob.would_update(list_update(&[], &[1], &[]));
    let proposals = [off_the_list, chat.bob.leaves()];

    assert!(is_success(&propose(&world, &chat.uri, &proposals).await));
    world.a.ledger.settled().await;

    let [message, more] = proposals;
    let told = world.b.sink.taken(&chat.uri).pop().unwrap();
    assert_eq!(told.event, FanoutEvent::Proposal { message, more_proposals: vec![more] });
}

#[tokio::test]
async fn a4_a_commit_that_leaves_a_pending_proposal_out_is_not_allowed_and_told_why() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let without = chat.alice.renews();
    assert!(is_success(&world.b.update(&chat.uri, &leave(&mut chat.bob)).await));
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();

    let answer = world.a.update(&chat.uri, &without).await;

    assert_eq!(answer.verdict, UpdateVerdict::NotAllowed);
    assert_eq!(answer.error_description.as_str(), "missing-pending-proposals");
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn g16_em7_a_repeated_proposal_is_answered_again_and_another_of_the_kind_is_invalid() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let update = leave(&mut chat.bob);

    let first = world.b.update(&chat.uri, &update).await;
    let repeated = world.b.update(&chat.uri, &update).await;
    let twice = propose(&world, &chat.uri, &[chat.bob.leaves(), chat.bob.leaves()]).await;

    assert!(is_success(&first));
    assert_eq!(repeated, first);
    assert!(matches!(twice.verdict, UpdateVerdict::InvalidProposal { .. }), "{twice:?}");
}

#[tokio::test]
async fn what_a_role_may_not_do_is_an_invalid_proposal() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    let alice = chat.alice.leaf();
    let kick = chat.bob.would_remove(alice);
    let promote = chat.bob.would_update(list_update(&[(1, 4)], &[], &[]));
    let before = world.a.ledger.entries();

    for proposal in [kick, promote] {
        let answer = propose(&world, &chat.uri, &[proposal]).await;
        assert!(matches!(answer.verdict, UpdateVerdict::InvalidProposal { .. }), "{answer:?}");
    }

    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn pm11_pm12_pm13_who_is_banned_does_nothing_more_but_leave_though_the_ban_is_not_committed() {
    let mut world = World::new().await;
    let mut chat = world.group_chat().await;
    let (message, commit) = (chat.bob.says("but"), chat.bob.renews());
    chat.bob.gives_up();
    let dora = user("dora@c");
    let (invite, own) = (chat.bob.would_update(list_update(&[], &[], &[(&dora, 2)])), leave(&mut chat.bob));
    ban_bob(&world, &mut chat).await;

    for _ in 0..2 {
        assert_eq!(world.b.submit(&chat.uri, &message).await, SubmitMessageResponse::NotAllowed);
        refused_and_not_stored(world.b.update(&chat.uri, &commit), &world).await;
        refused_and_not_stored(propose(&world, &chat.uri, std::slice::from_ref(&invite)), &world).await;
        world.restart().await;
    }
    assert!(is_success(&world.b.update(&chat.uri, &own).await));
}

#[tokio::test]
async fn ps2_pm24_who_is_banned_gets_the_commit_that_removes_him_and_nothing_behind_it() {
    let world = World::new().await;
    let mut chat = world.group_chat().await;
    ban_bob(&world, &mut chat).await;
    let aside = chat.alice.says("is he gone?");
    world.a.submit(&chat.uri, &aside).await;
    world.deliver(&mut chat).await;

    let commit = chat.alice.commits(&CommitPlan::default());
    assert!(is_success(&world.a.update(&chat.uri, &commit).await));
    world.deliver(&mut chat).await;
    let behind = chat.alice.says("he is");
    world.a.submit(&chat.uri, &behind).await;
    world.a.ledger.settled().await;

    let told = world.b.sink.taken(&chat.uri);
    let said = told.iter().filter(|it| matches!(it.event, FanoutEvent::Application { .. }));
    assert_eq!(said.count(), 0);
    assert_eq!(told.last().unwrap().message(), commit.bundle.proposal_or_commit());
    assert!(!chat.bob.is_in());
    assert_eq!(world.a.ledger.lanes().await.unwrap(), []);
}

/// Alice proposes that Bob is banned; the hub accepts.
async fn ban_bob(world: &World, chat: &mut Chat) {
    let bob = chat.bob.leaf();
    let ban = chat.alice.would_update(list_update(&[(1, 1)], &[], &[]));
    let more_proposals = vec![chat.alice.would_remove(bob)];
    let bundle = HandshakeBundle::Proposal { proposal: ban, more_proposals };
    let answer = world.a.update(&chat.uri, &UpdateRequest { bundle }).await;
    assert!(is_success(&answer), "{answer:?}");
    world.deliver(chat).await;
}
