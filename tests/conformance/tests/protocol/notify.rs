//! `notify` (A7): as the hub, which tells every follower what happened until it has it; and as a follower.

use std::time::Duration;

use conformance::{Call, Chat, ForeignRoom, Notified, SinkAnswer, StandingTime, World, user};
use futures_util::future::join_all;
use mimi_client::{Reading, RoomClient};
use mimi_mls::mint_key_package;
use mimi_store::{EventKind, RoomRole, Seq, Store};
use mimi_uri::{ClientUri, RoomUri};
use mimi_wire::{Clock, DIRECTORY_PATH, Endpoint, FanoutEvent, FanoutMessage, UpdateVerdict};

use crate::malformed::every_spoilt_form_is_refused;

// As the hub.

#[tokio::test]
async fn every_event_is_told_in_the_order_in_which_it_was_accepted() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;

    for n in 0..20 {
        let of_alice = chat.alice.says(&format!("alice {n}"));
        let of_bob = chat.bob.says(&format!("bob {n}"));
        world.a.submit(&chat.uri, &of_alice).await;
        world.b.submit(&chat.uri, &of_bob).await;
        if n == 10 {
            let update = chat.bob.renews();
            world.b.update(&chat.uri, &update).await;
            world.deliver(&mut chat).await;
        }
    }
    world.a.ledger.settled().await;

    let logged = logged(&world, &chat.uri).await;
    assert_eq!(logged.len(), 43);
    assert_eq!(world.b.sink.taken(&chat.uri), logged);
    assert!(logged.is_sorted_by(|before, after| before.timestamp < after.timestamp));
}

#[tokio::test]
async fn pm1_pm2_a_notification_names_both_providers_and_is_of_a_stream_of_octets() {
    let world = World::new().await;
    let chat = world.direct_chat().await;

    let Notified { room, from, media_type, .. } = world.b.sink.notified().remove(0);

    assert_eq!((room, from.as_str()), (chat.uri, "mimi@a.example"));
    assert_eq!(media_type, "application/octet-stream");
}

#[tokio::test]
async fn a_welcome_comes_behind_its_commit_with_the_full_tree_and_a_client_can_join_by_it() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let of_alice = chat.alice.says("welcome");
    world.a.submit(&chat.uri, &of_alice).await;
    world.a.ledger.settled().await;

    let [commit, welcome, message] = world.b.sink.taken(&chat.uri).try_into().unwrap();
    let mut client = RoomClient::join(&chat.uri, &welcome, &world.b.sink.secrets(&user("bob@b"))).unwrap();
    let read = client.read(&message).unwrap();

    assert!(matches!(commit.event, FanoutEvent::Commit { .. }));
    let Reading::Message(read) = read else { panic!("{read:?}") };
    assert_eq!((read.sender, read.data.as_slice()), (user("alice@a"), &b"welcome"[..]));
    assert_eq!(read.franking_tag, Some(conformance::TAG));
}

#[tokio::test]
async fn what_is_accepted_while_a_follower_is_busy_is_told_in_one_batch() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let before = world.b.sink.notified().len();
    let busy = world.b.sink.holds().await;

    says(&world, &mut chat, &["one"]).await;
    world.b.sink.notified_times(before + 1).await;
    says(&world, &mut chat, &["two", "three", "four"]).await;
    assert_eq!(world.b.sink.notified().len(), before + 1, "one request at a time");
    drop(busy);
    world.a.ledger.settled().await;

    let sizes: Vec<_> = world.b.sink.notified()[before..].iter().map(|it| it.events().len()).collect();
    assert_eq!(sizes, [1, 3]);
}

#[tokio::test]
async fn ps3_what_a_follower_does_not_take_is_told_again_byte_for_byte() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let before = world.b.sink.notified().len();
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let statuses = [500, 503, 429, 408, 201];
    world.b.sink.answers(move |_| {
        let at = tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        SinkAnswer::Status(statuses[at.min(4)])
    });

    says(&world, &mut chat, &["one", "two"]).await;
    world.a.ledger.settled().await;

    let told = &world.b.sink.notified()[before..];
    assert!(told.len() >= 5);
    assert!(told[..5].iter().all(|again| again.body == told[0].body));
    assert_eq!(world.b.sink.taken(&chat.uri), logged(&world, &chat.uri).await);
}

#[tokio::test]
async fn ps3_any_2xx_is_taken_for_the_drafts_201() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let before = world.b.sink.notified().len();
    world.b.sink.answers(|_| SinkAnswer::Status(202));

    says(&world, &mut chat, &["one"]).await;
    world.a.ledger.settled().await;

    assert_eq!(world.b.sink.notified().len(), before + 1);
}

#[tokio::test]
async fn a_hub_that_was_restarted_tells_the_batch_again_that_it_had_begun() {
    let mut world = World::new().await;
    let mut chat = world.direct_chat().await;
    let before = world.b.sink.notified().len();
    let busy = world.b.sink.holds().await;
    says(&world, &mut chat, &["one"]).await;
    world.b.sink.notified_times(before + 1).await;
    world.b.sink.answers(|_| SinkAnswer::Status(503));
    drop(busy);
    world.b.sink.notified_times(before + 2).await;
    says(&world, &mut chat, &["two", "three"]).await;

    world.restart().await;
    world.b.sink.answers(|_| SinkAnswer::Status(201));
    world.a.ledger.settled().await;

    let told = &world.b.sink.notified()[before..];
    let taken: Vec<_> = told.iter().filter(|it| it.taken).collect();
    assert_eq!(taken[0].body, told[0].body);
    assert_eq!(world.b.sink.taken(&chat.uri), logged(&world, &chat.uri).await);
}

#[tokio::test]
async fn a_follower_that_was_away_gets_all_that_it_missed_in_order() {
    let mut world = World::new().await;
    let mut chat = world.direct_chat().await;

    world.b.goes_down().await;
    for text in ["one", "two", "three"] {
        let request = chat.alice.says(text);
        world.a.submit(&chat.uri, &request).await;
    }
    world.b.comes_up().await;
    world.a.ledger.settled().await;

    assert_eq!(world.b.sink.taken(&chat.uri), logged(&world, &chat.uri).await);
}

#[tokio::test]
async fn ps3_retry_after_is_obeyed_to_the_second() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let before = world.b.sink.notified().len();
    let time = StandingTime::stop();
    world.b.sink.answers(|_| SinkAnswer::RetryAfter(7));

    says(&world, &mut chat, &["one"]).await;
    world.b.sink.notified_times(before + 1).await;
    world.b.sink.answers(|_| SinkAnswer::Status(201));
    while world.b.sink.notified().len() < before + 2 {
        let_things_happen(&world).await;
        time.pass(Duration::from_millis(500)).await;
    }

    let told = &world.b.sink.notified()[before..];
    let waited = told[1].at - told[0].at;
    assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(10), "{waited:?}");
    assert_eq!(told[1].body, told[0].body);
}

#[tokio::test]
async fn what_one_follower_does_not_take_keeps_no_other_waiting() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let time = StandingTime::stop();
    world.b.sink.answers(|_| SinkAnswer::RetryAfter(3600));
    says(&world, &mut chat, &["one"]).await;

    let dora = world.direct_chat_with(&user("dora@c")).await;
    let told = world.c.sink.notified_times(1).await;

    drop(time);
    assert_eq!(told[0].room, dora);
}

#[tokio::test]
async fn a_message_that_a_follower_rejects_is_set_aside_and_all_others_arrive() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let before = world.b.sink.notified().len();
    let busy = world.b.sink.holds().await;
    says(&world, &mut chat, &["first"]).await;
    world.b.sink.notified_times(before + 1).await;
    let requests: Vec<_> = (0..7).map(|n| chat.bob.says(&n.to_string())).collect();
    let poison = requests[4].app_message.clone();
    world.b.sink.answers(move |told| {
        let is_poisoned = told.events().iter().any(|event| *event.message() == poison);
        SinkAnswer::Status(if is_poisoned { 400 } else { 201 })
    });
    for request in &requests {
        world.b.submit(&chat.uri, request).await;
    }

    drop(busy);
    world.a.ledger.settled().await;

    let mut expected = logged(&world, &chat.uri).await;
    expected.retain(|event| *event.message() != requests[4].app_message);
    assert_eq!(world.b.sink.taken(&chat.uri), expected);
    let lane = world.a.server().lanes().await.unwrap().remove(0);
    assert_eq!((lane.waiting, lane.is_parked, lane.set_aside.len()), (0, false, 1));
    assert_eq!(lane.set_aside[0].status, 400);
}

#[tokio::test]
async fn a_lane_whose_follower_refuses_everything_is_parked_and_goes_on_when_it_is_resumed() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    world.a.ledger.settled().await;
    let before = world.b.sink.notified().len();
    world.b.sink.answers(|_| SinkAnswer::Status(403));

    says(&world, &mut chat, &["kept"]).await;
    let parked = loop {
        let lanes = world.a.server().lanes().await.unwrap();
        match lanes.into_iter().find(|lane| lane.is_parked) {
            Some(lane) => break lane,
            None => let_things_happen(&world).await,
        }
    };
    let asked = world.b.sink.notified().len();
    world.b.sink.answers(|_| SinkAnswer::Status(201));
    world.a.server().resume_lane(&parked.peer, &parked.room);
    world.b.sink.notified_times(before + 2).await;
    world.a.ledger.settled().await;

    assert_eq!(asked, before + 1, "a parked lane is not hammered");
    assert_eq!((parked.waiting, &parked.room), (1, &chat.uri));
    assert!(parked.why.is_some_and(|why| why.contains("403")) && parked.next_ms.is_some());
    assert_eq!(world.b.sink.taken(&chat.uri), logged(&world, &chat.uri).await);
    assert_eq!(world.a.server().lanes().await.unwrap(), []);
}

#[tokio::test]
async fn i6_a_commit_that_a_follower_rejects_is_never_skipped_but_its_lane_waits() {
    let world = World::new().await;
    let mut chat = world.direct_chat().await;
    let before = world.b.sink.notified().len();
    let time = StandingTime::stop();
    world.b.sink.answers(|_| SinkAnswer::Status(400));

    let update = chat.bob.renews();
    let answer = world.b.update(&chat.uri, &update).await;
    assert!(matches!(answer.verdict, UpdateVerdict::Success { .. }));
    world.b.sink.notified_times(before + 1).await;
    let request = chat.alice.says("behind it, of the epoch before");
    world.a.submit(&chat.uri, &request).await;
    for _ in 0..10 {
        let_things_happen(&world).await;
        time.pass(Duration::from_secs(5)).await;
    }
    let parked = world.a.ledger.lanes().await.unwrap().remove(0);

    assert_eq!(world.b.sink.notified().len(), before + 1, "a parked lane is not hammered");
    assert_eq!(parked.position, Seq(3));
    world.b.sink.answers(|_| SinkAnswer::Status(201));
    while world.b.sink.taken(&chat.uri).len() < 4 {
        let_things_happen(&world).await;
        time.pass(Duration::from_secs(5)).await;
    }
    assert_eq!(world.b.sink.taken(&chat.uri), logged(&world, &chat.uri).await);
}

/// A few requests and answers, so that what does not wait for time gets on.
async fn let_things_happen(world: &World) {
    for _ in 0..5 {
        world.c.say(&Call::get("c.example", DIRECTORY_PATH)).await;
    }
}

async fn says(world: &World, chat: &mut Chat, texts: &[&str]) {
    for text in texts {
        let request = chat.bob.says(text);
        world.b.submit(&chat.uri, &request).await;
    }
}

async fn logged(world: &World, room: &RoomUri) -> Vec<FanoutMessage> {
    let log = world.a.ledger.log(room).await;
    log.iter().map(|event| FanoutMessage::decode(&event.bytes).unwrap()).collect()
}

// As a follower.

#[tokio::test]
async fn a_hub_tells_of_its_room_and_a_client_of_ours_can_follow_it() {
    let world = World::new().await;
    let mut room = world.foreign_room().await;

    let arrived = world.b.notify(&room.uri, ForeignRoom::batch(&room.arrival)).await;
    let message = room.bob_says("hi");
    let told = world.b.notify(&room.uri, message.encode()).await;

    assert_eq!([arrived, told], [201, 201]);
    let [commit, welcome, said] = logged(&world, &room.uri).await.try_into().unwrap();
    assert_eq!([&commit, &welcome, &said], [&room.arrival[0], &room.arrival[1], &message]);
    let mut client = RoomClient::join(&room.uri, &welcome, room.alice.secrets()).unwrap();
    assert!(matches!(client.read(&said).unwrap(), Reading::Message(read) if read.data == b"hi"));
    assert_eq!(world.a.ledger.rooms(Some(RoomRole::Follower)).await.unwrap(), [room.uri]);
}

#[tokio::test]
async fn g5_every_spoilt_batch_is_refused_as_a_whole_and_nothing_of_it_stored() {
    let world = World::new().await;
    let mut room = world.foreign_room().await;
    let mut batch = room.arrival.clone();
    batch.push(room.bob_says("one"));
    let body = ForeignRoom::batch(&batch);
    let valid = world.b.call(Endpoint::Notify, room.uri.as_str(), body.clone());
    let reread = |bytes: &[u8]| Some(ForeignRoom::batch(&FanoutMessage::decode_all(bytes).ok()?));

    every_spoilt_form_is_refused(&world, &world.b, &valid, &body, reread).await;

    assert_eq!(world.b.say(&valid).await.status, 201);
    assert_eq!(logged(&world, &room.uri).await, batch);
}

#[tokio::test]
async fn pm15_ps1_a_repeated_batch_is_answered_201_and_stored_once() {
    let mut world = World::new().await;
    let mut room = world.foreign_room().await;
    world.b.notify(&room.uri, ForeignRoom::batch(&room.arrival)).await;
    let one = room.bob_says("one").encode();
    let two = room.bob_says("two").encode();
    for body in [&one, &two] {
        assert_eq!(world.b.notify(&room.uri, body.clone()).await, 201);
    }
    let before = world.a.ledger.entries();

    let repeated = world.b.notify(&room.uri, one.clone()).await;
    let first_of_all = world.b.notify(&room.uri, ForeignRoom::batch(&room.arrival)).await;
    world.restart().await;
    let after_a_restart = world.b.notify(&room.uri, two).await;

    assert_eq!([repeated, first_of_all, after_a_restart], [201, 201, 201]);
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn pm15_a_batch_that_comes_several_times_at_once_is_stored_once() {
    let world = World::new().await;
    let room = world.foreign_room().await;
    let body = ForeignRoom::batch(&room.arrival);

    let statuses = join_all((0..8).map(|_| world.b.notify(&room.uri, body.clone()))).await;

    assert_eq!(statuses, [201; 8]);
    assert_eq!(logged(&world, &room.uri).await, room.arrival);
}

#[tokio::test]
async fn a_restarted_follower_goes_on_where_its_log_ends() {
    let mut world = World::new().await;
    let mut room = world.foreign_room().await;
    world.b.notify(&room.uri, ForeignRoom::batch(&room.arrival)).await;
    let (one, two) = (room.bob_says("one"), room.bob_says("two"));

    world.b.notify(&room.uri, one.encode()).await;
    world.restart().await;
    world.b.notify(&room.uri, two.encode()).await;

    let log = world.a.ledger.log(&room.uri).await;
    let places: Vec<_> = log.iter().map(|event| (event.seq.0, event.kind)).collect();
    assert_eq!(
        places,
        [
            (1, EventKind::Commit),
            (2, EventKind::Welcome),
            (3, EventKind::Application),
            (4, EventKind::Application),
        ]
    );
}

#[tokio::test]
async fn g3_only_a_rooms_hub_tells_of_it() {
    let world = World::new().await;
    let mut room = world.foreign_room().await;
    let message = room.bob_says("one").encode();
    let chat = world.direct_chat().await;
    let arrival = ForeignRoom::batch(&room.arrival);
    let before_known = world.c.notify(&room.uri, arrival.clone()).await;
    world.b.notify(&room.uri, arrival).await;
    let before = world.a.ledger.entries();

    let of_another_hubs_room = world.c.notify(&room.uri, message.clone()).await;
    let of_our_room = world.b.notify(&chat.uri, message).await;

    assert_eq!([before_known, of_another_hubs_room, of_our_room], [403, 403, 403]);
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn g8_a_room_that_nobody_here_was_welcomed_to_is_not_followed() {
    let world = World::new().await;
    let mut room = world.foreign_room().await;
    let message = room.bob_says("one");
    let [commit, welcome] = [&room.arrival[0], &room.arrival[1]];
    let elsewhere = RoomUri::parse("mimi://b.example/r/elsewhere").unwrap();
    let before = world.a.ledger.entries();

    let without_a_welcome = [
        world.b.notify(&room.uri, message.encode()).await,
        world.b.notify(&room.uri, commit.encode()).await,
        world.b.notify(&room.uri, [commit.encode(), message.encode()].concat()).await,
    ];
    let for_another_room = world.b.notify(&elsewhere, welcome.encode()).await;

    assert_eq!(without_a_welcome, [403; 3]);
    assert_eq!(for_another_room, 403);
    assert_eq!(world.a.ledger.entries(), before);
}

#[tokio::test]
async fn g8_a_welcome_for_a_key_package_that_we_never_gave_is_not_followed() {
    let world = World::new().await;
    let mut room = world.room_of_bob("forged");
    let client = ClientUri::parse("mimi://a.example/d/alice/forged").unwrap();
    let now_s = world.clock.now().seconds();
    let forged = mint_key_package(&world.a.authority, &user("alice@a"), &client, 3_600, now_s).unwrap();
    room.bob_adds(forged.key_package);
    let before = world.a.ledger.entries();

    let status = world.b.notify(&room.uri, ForeignRoom::batch(&room.arrival)).await;

    assert_eq!(status, 403);
    assert_eq!(world.a.ledger.entries(), before);
}
