//! Nothing is lost, overtaken or doubled while a puppet comes into a room.

use std::ops::Range;
use std::sync::Arc;
use std::{process::Command, thread};

use end_to_end::test_python;
use mimi_adapter::conformance::RecordingHost;
use mimi_adapter::{Adapter, Outcome};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::{World, shown};

fn texts(numbers: Range<usize>) -> Vec<String> {
    numbers.map(|n| format!("message {n}")).collect()
}

fn alice_says(world: &World, room: &str, numbers: Range<usize>) {
    for text in texts(numbers) {
        world.alice.send(room, &text);
    }
}

/// What the adapter's way of joining stands on.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_room_into_which_a_puppet_is_only_invited_the_homeserver_tells_no_more_than_that() {
    let world = World::start().await;

    let room = world.alice.create_direct(world.puppet().as_str());
    alice_says(&world, &room, 0..3);
    let later = world.alice.create_direct(world.puppet().as_str());
    world.host.event(|event| event.lane.as_str() == later).await;

    assert_eq!(world.taken(&room), ["invitation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_before_the_puppet_comes_is_taken_first_and_once() {
    let world = World::start().await;

    let room = world.alice.create_direct(world.puppet().as_str());
    alice_says(&world, &room, 0..20);
    world.host.event(|event| event.lane.as_str() == room).await;
    assert_eq!(world.accept(&room).await, Outcome::done());
    let at_once = world.taken(&room);
    alice_says(&world, &room, 20..25);

    assert_eq!(at_once, [vec!["invitation".to_owned()], texts(0..20)].concat());
    world.host.event(|event| shown(&event.body) == "message 24").await;
    assert_eq!(world.taken(&room), [vec!["invitation".to_owned()], texts(0..25)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_the_puppet_comes_is_neither_lost_nor_overtaken() {
    let world = World::start().await;
    let room = world.alice.create_direct(world.puppet().as_str());
    world.host.event(|event| event.lane.as_str() == room).await;

    let here = Handle::current();
    let accepted = block_in_place(|| {
        thread::scope(|scope| {
            scope.spawn(|| alice_says(&world, &room, 0..60));
            world.alice.wait_for_message(&room, "message 10");
            here.block_on(world.accept(&room))
        })
    });

    assert_eq!(accepted, Outcome::done());
    world.host.event(|event| shown(&event.body) == "message 59").await;
    assert_eq!(world.taken(&room), [vec!["invitation".to_owned()], texts(0..60)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_not_overtaken_after_a_crash_between_join_and_storing() {
    let mut world = World::start().await;
    let room = world.alice.create_direct(world.puppet().as_str());
    alice_says(&world, &room, 0..20);
    world.host.event(|event| event.lane.as_str() == room).await;

    world.host.refuse_next(usize::MAX);
    let not_stored = world.accept(&room).await;
    world.alice.wait_for_member(&room, world.puppet().as_str(), "join");
    world.session.close().await;
    world.alice.send(&room, "message 20");
    world.host.refuse_next(0);
    world.session = world.adapter.open(Arc::<RecordingHost>::clone(&world.host)).await.unwrap();
    // Before the acceptance comes again, the homeserver does.
    world.host.event(|event| shown(&event.body) == "message 20").await;
    let before_it_comes_again = world.taken(&room);
    assert_eq!(world.accept(&room).await, Outcome::done());
    alice_says(&world, &room, 21..25);

    assert!(matches!(not_stored, Outcome::Broken { .. }), "{not_stored:?}");
    assert_eq!(before_it_comes_again, [vec!["invitation".to_owned()], texts(0..21)].concat());
    world.host.event(|event| shown(&event.body) == "message 24").await;
    assert_eq!(world.taken(&room), [vec!["invitation".to_owned()], texts(0..25)].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_repeated_after_a_crash_takes_what_was_missed() {
    let mut world = World::start().await;
    let room = world.alice.create_direct(world.puppet().as_str());
    alice_says(&world, &room, 0..20);
    world.host.event(|event| event.lane.as_str() == room).await;

    world.host.refuse_next(usize::MAX);
    let not_stored = world.accept(&room).await;
    world.session.close().await;
    world.host.refuse_next(0);
    world.session = world.adapter.open(Arc::<RecordingHost>::clone(&world.host)).await.unwrap();
    let accepted = world.accept(&room).await;
    let at_once = world.taken(&room);
    alice_says(&world, &room, 20..25);

    assert!(matches!(not_stored, Outcome::Broken { .. }), "{not_stored:?}");
    assert_eq!(accepted, Outcome::done());
    assert_eq!(at_once, [vec!["invitation".to_owned()], texts(0..20)].concat());
    world.host.event(|event| shown(&event.body) == "message 24").await;
    assert_eq!(world.taken(&room), [vec!["invitation".to_owned()], texts(0..25)].concat());
}

/// The room of somebody who shows newcomers nothing of what was said before; what he says after inviting stays his.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_room_hides_from_newcomers_is_a_gap_and_what_it_shows_is_taken() {
    let world = World::start().await;
    let hidden_from_the_start = secretive_room(&world, "carol", "joined");
    let hidden_later = secretive_room(&world, "dora", "shared");
    let seen_by_the_invited = secretive_room(&world, "erin", "invited");

    let rooms = [&hidden_from_the_start, &hidden_later, &seen_by_the_invited];
    for room in rooms {
        world.host.event(|event| event.lane.as_str() == *room).await;
        assert_eq!(world.accept(room).await, Outcome::done());
    }

    let gap = "gap: what was said in this chat before the other side joined is hidden from it by the room's settings";
    assert_eq!(world.taken(&hidden_from_the_start), ["invitation", gap]);
    assert_eq!(world.taken(&hidden_later), ["invitation", "before", gap]);
    assert_eq!(world.taken(&seen_by_the_invited), ["invitation", "before", gap]);
}

/// A direct chat in which is said "before", then all is hidden from newcomers, then is said "after".
fn secretive_room(world: &World, name: &str, visibility: &str) -> String {
    let url = world.synapse.url();
    let arguments = ["-c", SECRETIVE, &url, name, visibility, world.puppet().as_str()].map(str::to_owned);
    let done = Command::new(test_python()).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

const SECRETIVE: &str = r#"
import json, sys, urllib.request
url, name, visibility, puppet = sys.argv[1:]
token = None

def ask(method, path, body):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{url}/_matrix/client/v3/{path}", json.dumps(body).encode(), headers, method=method)
    return json.load(urllib.request.urlopen(request))

def say(transaction, text):
    ask("PUT", f"rooms/{room}/send/m.room.message/{transaction}", {"msgtype": "m.text", "body": text})

kind = "m.room.history_visibility"
account = {"username": name, "password": "correct horse", "auth": {"type": "m.login.dummy"}}
token = ask("POST", "register", account)["access_token"]
state = [{"type": kind, "state_key": "", "content": {"history_visibility": visibility}}]
room = ask("POST", "createRoom", {"is_direct": True, "invite": [puppet], "initial_state": state})["room_id"]
say("1", "before")
if visibility != "joined":
    ask("PUT", f"rooms/{room}/state/{kind}/", {"history_visibility": "joined"})
say("2", "after")
print(room)
"#;
