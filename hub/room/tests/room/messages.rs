//! A5, A6: application messages.

use mimi_mls::hosted::CommitPlan;
use mimi_mls::{Epoch, FRANK_AAD, verify_with_label};
use mimi_room::{EventKind, Reason, Refusal, Room};
use mimi_room_policy::components::OperationalParameters;
use mimi_room_policy::{ComponentId, DenyReason};
use mimi_wire::{
    FanoutEvent, FrankingIntegrityTbs, FrankingTag, ServerFrankingContext, SubmitMessageRequest,
    SubmitMessageResponse, Timestamp,
};

use crate::world::*;

#[test]
fn a_participants_message_becomes_the_next_event_for_everyone() {
    let mut world = World::direct();
    let request = world.message("bob@b");

    let decision = world.submit("b.example", &request).unwrap();

    let SubmitMessageResponse::Accepted { accepted, frank: Some(frank) } = decision.answer else {
        panic!("neither accepted nor franked");
    };
    let [event] = &decision.effects.events[..] else { panic!("not one event") };
    assert_eq!((event.kind, event.timestamp), (EventKind::Application, accepted));
    let expected = FanoutEvent::Application { message: request.app_message, frank: Some(frank) };
    assert_eq!(event.message.event, expected);
}

#[test]
fn a_message_is_accepted_without_a_look_at_the_group() {
    let mut world = World::direct();
    let request = world.message("bob@b");
    let mut room = Room::load(room_uri(), &world.room.header_bytes(), b"not a group".to_vec()).unwrap();

    let verdict = room.submit(&world.hub, &domain("b.example"), &request, world.now);

    assert!(accepted(&verdict));
}

#[test]
fn a6_a_frank_vouches_for_sender_room_and_time() {
    let mut world = World::direct();
    let decision = world.says("bob@b").unwrap();

    let SubmitMessageResponse::Accepted { accepted, frank: Some(frank) } = decision.answer else {
        panic!("neither accepted nor franked");
    };
    let context =
        ServerFrankingContext { sender: user("bob@b"), room: room_uri(), accepted_timestamp: accepted };
    assert!(world.hub.franking.hub_key.made(frank.server_frank, FrankingTag([5; 32]), &context));
    let signed = FrankingIntegrityTbs {
        server_frank: frank.server_frank,
        franking_signature_ciphersuite: frank.franking_signature_ciphersuite,
        context,
    };
    let key = world.hub.franking.signing_key.public();
    let signature = &frank.franking_integrity_signature;
    assert!(verify_with_label(&key, "FrankingIntegrityTBS", &signed.encode(), signature));
}

#[test]
fn a6_a_room_without_a_franking_agent_has_no_franks() {
    let mut beginning = Beginning::direct();
    beginning.components.retain(|(id, _)| *id != ComponentId::FRANKING_AGENT);
    let mut world = beginning.world();

    let decision = world.says("alice@a").unwrap();

    assert!(matches!(decision.answer, SubmitMessageResponse::Accepted { frank: None, .. }));
}

#[test]
fn a6_a_message_without_a_tag_has_no_frank_and_a_tag_has_32_bytes() {
    let mut world = World::direct();
    let leaf = world.leaf("bob@b");
    let mut seal = |items: &[(u16, Vec<u8>)]| {
        let sealed = world.hosted(&user("bob@b")).seal(leaf, items, b"").unwrap();
        SubmitMessageRequest { app_message: sealed.message, sending_user: user("bob@b") }
    };
    let (without, short) = (seal(&[]), seal(&[(FRANK_AAD, vec![5; 31])]));

    let decision = world.submit("b.example", &without).unwrap();

    assert!(matches!(decision.answer, SubmitMessageResponse::Accepted { frank: None, .. }));
    assert_eq!(world.submit("b.example", &short).unwrap_err(), Refusal::NotAllowed(Reason::FrankingTag));
}

#[test]
fn em6_components_that_nobody_knows_have_no_place_in_the_safe_aad() {
    let mut world = World::direct();
    let leaf = world.leaf("bob@b");
    let sealed = world.hosted(&user("bob@b")).seal(leaf, &[(0x7777, vec![])], b"").unwrap();
    let request = SubmitMessageRequest { app_message: sealed.message, sending_user: user("bob@b") };

    let verdict = world.submit("b.example", &request);

    assert_eq!(verdict.unwrap_err(), Refusal::NotAllowed(Reason::UnknownAad(0x7777)));
}

#[test]
fn g2_a_provider_sends_for_its_own_users_only() {
    let mut world = World::direct();
    let request = world.message("bob@b");

    for provider in ["a.example", "c.example"] {
        assert!(is_not_that_provider(&world.submit(provider, &request)));
    }
}

#[test]
fn a5_only_active_participants_send() {
    let mut world = Beginning::direct().world();
    let mut request = world.message("alice@a");

    request.sending_user = user("bob@b");
    let inactive = world.submit("b.example", &request);
    request.sending_user = user("carol@c");
    let stranger = world.submit("c.example", &request);

    assert_eq!(inactive.unwrap_err(), Refusal::from(DenyReason::Inactive));
    assert_eq!(stranger.unwrap_err(), Refusal::from(DenyReason::NotAParticipant));
}

#[test]
fn a5_handshakes_and_messages_of_other_groups_are_not_submitted() {
    let mut world = World::direct();
    let mut elsewhere = Beginning::direct();
    elsewhere.components.retain(|(id, _)| *id != ComponentId::FRANKING_AGENT);
    let (mut other, _) = elsewhere.found_as(b"mimi://a.example/g/other");
    let foreign = other.seal(mimi_mls::LeafIndex(0), &[], b"").unwrap().message;
    let leaf = world.leaf("alice@a");
    let proposal = world.hosted(&user("alice@a")).propose_self_remove(leaf).unwrap();
    let submit = |world: &mut World, app_message| {
        world
            .submit("a.example", &SubmitMessageRequest { app_message, sending_user: user("alice@a") })
            .unwrap_err()
    };

    assert_eq!(submit(&mut world, foreign), Refusal::NotAllowed(Reason::OtherGroup));
    assert_eq!(submit(&mut world, proposal), Refusal::NotAllowed(Reason::NotAnApplicationMessage));
}

#[test]
fn g5_a_message_that_is_too_long_is_refused() {
    let mut world = World::direct();
    let leaf = world.leaf("alice@a");
    let long = vec![0; mimi_room::limits::MESSAGE_LENGTH_MAX];
    let sealed = world.hosted(&user("alice@a")).seal(leaf, &[], &long).unwrap();
    let request = SubmitMessageRequest { app_message: sealed.message, sending_user: user("alice@a") };

    assert_eq!(world.submit("a.example", &request).unwrap_err(), Refusal::NotAllowed(Reason::MessageTooLong));
}

#[test]
fn a5_a_message_may_be_one_epoch_late_and_no_more_where_the_room_says_so() {
    let tolerant = |parameters: &mut OperationalParameters| parameters.app_message_policy.epoch_tolerance = 1;
    let mut world = Beginning::direct().operated(tolerant).world();
    world.brings("alice@a", "bob@b");
    let (late, too_late) = (world.message("alice@a"), world.message("bob@b"));

    world.commit("alice@a", &CommitPlan { with_path: true, ..CommitPlan::default() }).unwrap();
    assert!(accepted(&world.submit("a.example", &late)));
    world.deliver();
    world.commit("bob@b", &CommitPlan { with_path: true, ..CommitPlan::default() }).unwrap();

    let refusal = world.submit("b.example", &too_late).unwrap_err();
    assert_eq!(refusal, Refusal::EpochTooOld { current: Epoch(3) });
}

#[test]
fn a5_a_message_of_an_epoch_that_has_not_begun_makes_no_sense() {
    let mut world = World::direct();
    let before = (world.room.header_bytes(), world.room.group_bytes());
    world.commit("alice@a", &CommitPlan { with_path: true, ..CommitPlan::default() }).unwrap();
    world.deliver();
    let request = world.message("alice@a");
    let mut behind = Room::load(room_uri(), &before.0, before.1).unwrap();

    let verdict = behind.submit(&world.hub, &domain("a.example"), &request, world.now);

    assert_eq!(verdict.unwrap_err(), Refusal::NotAllowed(Reason::EpochNotBegun(Epoch(2))));
}

#[test]
fn a5_a_late_message_is_only_for_those_who_were_there_then() {
    let mut world = Beginning::direct().world();
    let mut early = world.message("alice@a");
    world.brings("alice@a", "bob@b");

    // Bob is active now, and claims a message of the epoch before he came.
    early.sending_user = user("bob@b");

    let verdict = world.submit("b.example", &early);
    assert_eq!(verdict.unwrap_err(), Refusal::NotAllowed(Reason::NotActiveThen(Epoch(0))));
}

#[test]
fn pm11_who_has_left_sends_nothing_from_the_moment_his_leaving_is_accepted() {
    let mut world = World::direct();
    let request = world.message("bob@b");
    world.leaves("bob@b").unwrap();

    assert_eq!(world.submit("b.example", &request).unwrap_err(), Refusal::from(DenyReason::Inactive));
    world.reload();
    assert_eq!(world.submit("b.example", &request).unwrap_err(), Refusal::from(DenyReason::Inactive));
}

#[test]
fn i4_timestamps_strictly_increase_whatever_the_clock_does() {
    let mut world = World::direct();
    let mut accepted = Vec::new();

    for now in [world.now.0, world.now.0, world.now.0 - 60_000, world.now.0 + 60_000] {
        world.now = Timestamp(now);
        let decision = world.says("alice@a").unwrap();
        accepted.push(decision.effects.events[0].timestamp.0);
    }
    world.reload();
    world.now = Timestamp(1);
    accepted.push(world.says("alice@a").unwrap().effects.events[0].timestamp.0);

    assert!(accepted.is_sorted_by(|before, after| before < after), "{accepted:?}");
}
