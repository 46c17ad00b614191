//! `submitMessage` (A5) and franking (A6): a participant's provider brings a message to the room's hub.

use std::time::Duration;

use bytes::Bytes;
use conformance::{TAG, World, user};
use futures_util::future::{join, join_all, join3};
use http::header::RETRY_AFTER;
use mimi_mls::hosted::CommitPlan;
use mimi_mls::{Epoch, FRANK_AAD, verify_with_label};
use mimi_room_policy::ComponentId;
use mimi_room_policy::components::FrankingAgentData;
use mimi_store::{EventKind, InjectedFault};
use mimi_uri::RoomUri;
use mimi_wire::{
    Clock, Endpoint, FanoutEvent, FanoutMessage, FrankingIntegrityTbs, FrankingTag, ServerFrankingContext,
    SubmitMessageRequest, SubmitMessageResponse, UpdateVerdict,
};

use crate::malformed::{every_spoilt_form_is_refused, reread};

#[tokio::test]
async fn a_message_is_accepted_and_told_to_every_follower_with_the_same_time_and_frank() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let request = chat.bob.says("hi");

    let answer = world.b.submit(&chat.uri, &request).await;
    world.a.ledger.settled().await;

    let SubmitMessageResponse::Accepted { accepted, frank } = answer else { panic!("{answer:?}") };
    let event = FanoutEvent::Application { message: request.app_message, frank };
    assert_eq!(world.b.sink.taken(&chat.uri).pop(), Some(FanoutMessage { timestamp: accepted, event }));
}

#[tokio::test]
async fn who_sent_a_message_is_not_told_to_followers() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let request = chat.bob.says("hi");

    world.b.submit(&chat.uri, &request).await;
    world.a.ledger.settled().await;

    let body = world.b.sink.notified().pop().unwrap().body;
    let sender = chat.bob.user.as_str().as_bytes();
    assert!(!body.windows(sender.len()).any(|window| window == sender));
}

#[tokio::test]
async fn a6_a_frank_vouches_for_sender_room_and_time_to_hub_and_everybody() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let agent = chat.bob.room().component(ComponentId::FRANKING_AGENT.0).unwrap().to_vec();
    let request = chat.bob.says("hi");

    let answer = world.b.submit(&chat.uri, &request).await;

    let SubmitMessageResponse::Accepted { accepted, frank: Some(frank) } = answer else {
        panic!("{answer:?}")
    };
    let context = ServerFrankingContext {
        sender: chat.bob.user.clone(),
        room: chat.uri.clone(),
        accepted_timestamp: accepted,
    };
    assert!(world.a.facts.franking.hub_key.made(frank.server_frank, FrankingTag(TAG), &context));
    let signed = FrankingIntegrityTbs {
        server_frank: frank.server_frank,
        franking_signature_ciphersuite: frank.franking_signature_ciphersuite,
        context,
    };
    let key = FrankingAgentData::decode(&agent).unwrap().franking_signature_key;
    let signature = &frank.franking_integrity_signature;
    assert!(verify_with_label(&key, "FrankingIntegrityTBS", &signed.encode(), signature));
}

#[tokio::test]
async fn a6_a_message_without_a_tag_has_no_frank_and_a_tag_has_32_bytes() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let (without, short) =
        (chat.bob.says_with("hi", &[]), chat.bob.says_with("hi", &[(FRANK_AAD, vec![5; 31])]));

    let franked = world.b.submit(&chat.uri, &without).await;
    let refused = world.b.submit(&chat.uri, &short).await;

    assert!(matches!(franked, SubmitMessageResponse::Accepted { frank: None, .. }));
    assert_eq!(refused, SubmitMessageResponse::NotAllowed);
}

#[tokio::test]
async fn timestamps_strictly_increase_though_the_clock_stands() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let mut accepted = Vec::new();

    for text in ["one", "two", "three"] {
        let request = chat.bob.says(text);
        let answer = world.b.submit(&chat.uri, &request).await;
        let SubmitMessageResponse::Accepted { accepted: at, .. } = answer else { panic!("{answer:?}") };
        accepted.push(at);
    }

    assert!(accepted.is_sorted_by(|before, after| before < after), "{accepted:?}");
    assert!(accepted[0] >= world.clock.now());
}

#[tokio::test]
async fn g5_every_spoilt_message_is_refused_and_nothing_of_it_stored() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let body = chat.bob.says("hi").encode();
    let valid = world.b.call(Endpoint::SubmitMessage, chat.uri.as_str(), body.clone());

    every_spoilt_form_is_refused(&world, &world.b, &valid, &body, reread::<SubmitMessageRequest>).await;

    assert_eq!(world.b.say(&valid).await.status, 200);
}

#[tokio::test]
async fn a5_a_repeated_message_gets_the_same_time_and_frank_and_is_told_once() {
    let mut world = World::new().await;
    let mut chat = world.direct_chat().await;
    let request = chat.bob.says("hi");

    let first = world.b.submit(&chat.uri, &request).await;
    let repeated = world.b.submit(&chat.uri, &request).await;
    world.restart().await;
    let after_a_restart = world.b.submit(&chat.uri, &request).await;

    assert!(matches!(first, SubmitMessageResponse::Accepted { frank: Some(_), .. }));
    assert_eq!([&repeated, &after_a_restart], [&first, &first]);
    assert_eq!(messages(&world, &chat.uri).await, 1);
}

#[tokio::test]
async fn a5_a_message_repeated_at_the_same_time_is_accepted_once() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let request = chat.bob.says("hi");

    let answers = join_all((0..8).map(|_| world.b.submit(&chat.uri, &request))).await;

    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(messages(&world, &chat.uri).await, 1);
}

#[tokio::test]
async fn a_message_behind_a_repeated_one_keeps_its_place_and_is_told_though_the_store_is_slow() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let [first, second, third] = ["first", "second", "third"].map(|text| chat.bob.says(text));
    world.b.submit(&chat.uri, &first).await;
    world.a.ledger.settled().await;
    world.a.ledger.paces();

    let told = world.b.sink.notified().len();

    let (submit, room) = (|request| world.b.submit(&chat.uri, request), &chat.uri);
    let meanwhile = || world.b.post(Endpoint::SubmitMessage, room.as_str(), Bytes::new());
    let one_after_the_other = async {
        // Only the repetition is let through; what is behind it is on its way to the store when the third comes.
        meanwhile().await;
        world.a.ledger.lets(1);
        meanwhile().await;
        world.clock.pass(Duration::from_secs(1));
        let pace = async {
            meanwhile().await;
            world.a.ledger.lets(1);
            world.b.sink.notified_times(told + 1).await;
            world.a.ledger.settled().await;
            world.a.ledger.lets(100);
        };
        join(submit(&third), pace).await.0
    };
    let one_after_the_other = Box::pin(one_after_the_other);
    let (repeated, accepted, third) = join3(submit(&first), submit(&second), one_after_the_other).await;
    world.a.ledger.settled().await;

    for answer in [repeated, accepted, third] {
        assert!(matches!(answer, SubmitMessageResponse::Accepted { .. }), "{answer:?}");
    }
    let log = world.a.ledger.log(room).await;
    assert!(log.is_sorted_by(|before, after| before.timestamp < after.timestamp));
    assert_eq!(world.b.sink.taken(room).len(), log.len());
}

#[tokio::test]
async fn g35_a_message_that_could_not_be_stored_was_not_accepted_and_may_be_sent_again() {
    for fault in [InjectedFault::NothingStored, InjectedFault::AnswerLost] {
        let world = World::new().await;
        let mut chat = world.direct_chat().await;
        let request = chat.bob.says("hi");
        world.a.ledger.fails_next(fault);

        let failed = world.b.post(Endpoint::SubmitMessage, chat.uri.as_str(), request.encode()).await;
        let answer = world.b.submit(&chat.uri, &request).await;
        world.a.ledger.settled().await;

        assert_eq!(failed.status, 503);
        assert!(failed.headers.contains_key(RETRY_AFTER));
        let SubmitMessageResponse::Accepted { accepted, frank } = answer else { panic!("{answer:?}") };
        let event = FanoutEvent::Application { message: request.app_message, frank };
        let told = world.b.sink.taken(&chat.uri).pop();
        assert_eq!(told, Some(FanoutMessage { timestamp: accepted, event }), "{fault:?}");
        assert_eq!(messages(&world, &chat.uri).await, 1);
    }
}

#[tokio::test]
async fn a5_a_repeated_message_gets_its_first_answer_though_its_epoch_is_long_over() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let request = chat.bob.says("hi");
    let first = world.b.submit(&chat.uri, &request).await;

    for _ in 0..3 {
        let update = chat.alice.renews();
        world.a.update(&chat.uri, &update).await;
        world.deliver(&mut chat).await;
    }

    assert_eq!(world.b.submit(&chat.uri, &request).await, first);
}

#[tokio::test]
async fn a5_a_message_may_be_one_epoch_late_and_is_then_told_the_current_epoch() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let (late, too_late) = (chat.bob.says("late"), chat.bob.says("too late"));

    let update = chat.alice.renews();
    world.a.update(&chat.uri, &update).await;
    world.deliver(&mut chat).await;
    let in_time = world.b.submit(&chat.uri, &late).await;
    let update = chat.alice.renews();
    world.a.update(&chat.uri, &update).await;
    let refused = world.b.submit(&chat.uri, &too_late).await;

    assert!(matches!(in_time, SubmitMessageResponse::Accepted { .. }));
    assert_eq!(refused, SubmitMessageResponse::EpochTooOld { current: Epoch(3) });
}

#[tokio::test]
async fn a5_a_message_of_an_epoch_that_has_not_begun_is_not_allowed() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    chat.bob.renews();
    chat.bob.room().confirm_commit().unwrap();
    let request = chat.bob.says("from the future");

    refused_and_not_stored(&world, &chat.uri, &request).await;
}

#[tokio::test]
async fn g2_a_provider_sends_for_its_own_users_only() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let of_bob = chat.bob.says("hi");
    let of_alice = chat.alice.says("hi");
    let before = world.a.ledger.entries();

    for (peer, request) in [(&world.c, &of_bob), (&world.b, &of_alice), (&world.c, &of_alice)] {
        let reply = peer.post(Endpoint::SubmitMessage, chat.uri.as_str(), request.encode()).await;
        assert_eq!(reply.status, 403);
    }

    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn a5_who_is_no_active_participant_is_not_allowed_to_send() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let SubmitMessageRequest { app_message, .. } = chat.bob.says("hi");
    let stranger = SubmitMessageRequest { app_message, sending_user: user("eve@b") };
    let mut early = world.direct_chat_of_alice("early").await;
    let SubmitMessageRequest { app_message, .. } = early.alice.says("hi");
    let not_yet_active = SubmitMessageRequest { app_message, sending_user: user("bob@b") };

    refused_and_not_stored(&world, &chat.uri, &stranger).await;
    refused_and_not_stored(&world, &early.uri, &not_yet_active).await;
}

#[tokio::test]
async fn a_message_for_another_group_than_the_paths_room_is_not_allowed() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let group = world.group_chat().await;
    let request = chat.bob.says("hi");

    refused_and_not_stored(&world, &group.uri, &request).await;
}

#[tokio::test]
async fn em6_a_message_with_a_component_that_nobody_knows_in_its_safe_aad_is_not_allowed() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let request = chat.bob.says_with("hi", &[(0x7777, vec![])]);

    refused_and_not_stored(&world, &chat.uri, &request).await;
}

#[tokio::test]
async fn a5_a_handshake_is_no_application_message() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let request =
        SubmitMessageRequest { app_message: chat.bob.leaves(), sending_user: chat.bob.user.clone() };
    let before = world.a.ledger.entries();

    let reply = world.b.post(Endpoint::SubmitMessage, chat.uri.as_str(), request.encode()).await;

    assert_eq!(reply.status, 400);
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn a_message_for_a_room_that_is_not_here_finds_nothing() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let body = Bytes::from(chat.bob.says("hi").encode());
    let before = world.a.ledger.entries();

    for room in ["mimi://a.example/r/nowhere", "mimi://c.example/r/direct"] {
        assert_eq!(world.b.post(Endpoint::SubmitMessage, room, body.clone()).await.status, 404, "{room}");
    }

    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn pm11_who_leaves_neither_sends_nor_receives_from_the_moment_his_leaving_is_accepted() {
    let mut world = World::new().await;
    let mut chat = world.direct_chat().await;
    let last = chat.bob.says("one more thing");
    let leaving = leave(&mut chat);
    assert!(matches!(world.b.update(&chat.uri, &leaving).await.verdict, UpdateVerdict::Success { .. }));

    refused_and_not_stored(&world, &chat.uri, &last).await;
    world.restart().await;
    refused_and_not_stored(&world, &chat.uri, &last).await;
    let of_alice = chat.alice.says("he is gone");
    world.a.submit(&chat.uri, &of_alice).await;
    world.deliver(&mut chat).await;
    let commit = chat.alice.commits(&CommitPlan::default());
    world.a.update(&chat.uri, &commit).await;
    world.a.ledger.settled().await;

    // PS2: the commit that removes him is the last that he gets.
    let told: Vec<_> = world.b.sink.taken(&chat.uri).into_iter().map(|message| kind(&message)).collect();
    assert_eq!(told, ["commit", "welcome", "proposal", "commit"]);
}

fn leave(chat: &mut conformance::Chat) -> mimi_wire::UpdateRequest {
    let bundle = mimi_wire::HandshakeBundle::Proposal { proposal: chat.bob.leaves(), more_proposals: vec![] };
    mimi_wire::UpdateRequest { bundle }
}

fn kind(message: &FanoutMessage) -> &'static str {
    match message.event {
        FanoutEvent::Application { .. } => "message",
        FanoutEvent::Welcome { .. } => "welcome",
        FanoutEvent::Proposal { .. } => "proposal",
        FanoutEvent::Commit { .. } => "commit",
    }
}

async fn messages(world: &World, room: &RoomUri) -> usize {
    let log = world.a.ledger.log(room).await;
    log.iter().filter(|event| event.kind == EventKind::Application).count()
}

async fn refused_and_not_stored(world: &World, room: &RoomUri, request: &SubmitMessageRequest) {
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();

    let answer = world.b.submit(room, request).await;

    assert_eq!(answer, SubmitMessageResponse::NotAllowed);
    assert_eq!(world.a.ledger.entries(), before);
}
