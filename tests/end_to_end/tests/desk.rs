//! Delivery that can be seen: by the people at both ends, and by the operators with the binary's own commands.
//!
//! Two Drawbridge processes, each in front of its loopback network. Alice is at a.example, which hosts the room.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends where it stands")]

use std::future::Future;
use std::time::Duration;

use end_to_end::{Port, Site, SitePlan, network};
use mimi_adapter_loopback::{Event, EventKind, LoopbackClient};
use serde_json::Value;

/// Long enough for a machine that does much else: nothing here waits for it if all is well.
const PATIENCE: Duration = Duration::from_mins(4);

/// As the bridge has it: so much of a room's log is read again after a restart.
const EVENTS_REPLAYED_MAX: u32 = 500;

/// Two people in the chat that Alice opened.
struct Chat {
    a: Site,
    b: Site,
    alice: LoopbackClient,
    bob: LoopbackClient,
    alices_room: String,
    bobs_room: String,
    chats: [Port; 2],
}

impl Chat {
    async fn open() -> Self {
        let chats: [Port; 2] = std::array::from_fn(|_| Port::claim());
        let (a, b) = tokio::task::block_in_place(|| {
            let a = SitePlan::new("a.example", &network::loopback(&chats[0]));
            let b = SitePlan::new("b.example", &network::loopback(&chats[1]));
            SitePlan::introduce(&a, &b);
            (a.start(), b.start())
        });
        let alice = LoopbackClient::connect(chats[0].address(), "alice", "a").await.unwrap();
        let bob = LoopbackClient::connect(chats[1].address(), "bob", "b").await.unwrap();
        let alices_room = alice.open("bob@b.example").await.unwrap();
        alice.say(&alices_room, "hello").await.unwrap();
        let hello = soon("hello", bob.hears(is_said("hello"))).await.unwrap();
        Self { a, b, alice, bob, alices_room, bobs_room: hello.room, chats }
    }
}

async fn soon<T>(what: &str, it: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, it).await.unwrap_or_else(|_| panic!("waited too long for: {what}"))
}

fn is_said(text: &str) -> impl FnMut(&Event) -> bool {
    move |event| event.kind == EventKind::Message && event.text.as_deref() == Some(text)
}

fn is_shown(line: &str, progress: &str) -> impl FnMut(&Event) -> bool {
    move |event| event.about.as_deref() == Some(line) && event.progress.as_deref() == Some(progress)
}

fn said_to(person: &LoopbackClient) -> Vec<String> {
    let messages = person.heard().into_iter().filter(|event| event.kind == EventKind::Message);
    messages.filter_map(|event| event.text).collect()
}

fn listed(provider: &Site, command: &str) -> Vec<Value> {
    let printed = tokio::task::block_in_place(|| provider.command(&[command, "--json"]));
    serde_json::from_str(&printed).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_said_something_sees_it_arrive_and_be_read() {
    let chat = Chat::open().await;

    let line = chat.alice.say(&chat.alices_room, "see me").await.unwrap();
    let heard = soon("see me", chat.bob.hears(is_said("see me"))).await.unwrap();
    soon("delivered", chat.alice.hears(is_shown(&line, "delivered"))).await.unwrap();
    chat.bob.read(&heard).await.unwrap();
    soon("read", chat.alice.hears(is_shown(&line, "read"))).await.unwrap();

    let answer = chat.bob.say(&chat.bobs_room, "seen").await.unwrap();
    soon("delivered the other way", chat.bob.hears(is_shown(&answer, "delivered"))).await.unwrap();
    assert_eq!(said_to(&chat.alice), ["seen"], "reports are nobody's messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_only_the_end_of_a_long_epoch_again() {
    let mut chat = Chat::open().await;
    let lines = EVENTS_REPLAYED_MAX + 100;

    for line in 0..lines {
        chat.alice.say(&chat.alices_room, &line.to_string()).await.unwrap();
    }
    let last = (lines - 1).to_string();
    soon("the last line", chat.bob.hears(is_said(&last))).await.unwrap();
    tokio::task::block_in_place(|| chat.b.kill_and_start_again());
    chat.bob.say(&chat.bobs_room, "read them all").await.unwrap();
    soon("the answer", chat.alice.hears(is_said("read them all"))).await.unwrap();
    chat.alice.say(&chat.alices_room, "good").await.unwrap();
    soon("the answer to it", chat.bob.hears(is_said("good"))).await.unwrap();

    let replayed = tokio::task::block_in_place(|| chat.b.metric("events_replayed_total"));
    assert!(replayed < f64::from(EVENTS_REPLAYED_MAX), "{replayed}");
    let numbered = (0..lines).map(|line| line.to_string());
    let said: Vec<String> =
        ["hello".to_owned()].into_iter().chain(numbered).chain(["good".to_owned()]).collect();
    assert_eq!(said_to(&chat.bob), said);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_to_its_sender_and_replayed_it_arrives_once_and_in_order() {
    let chat = Chat::open().await;
    chat.bob.block("alice@a.example").await.unwrap();
    let second = chat.alice.say(&chat.alices_room, "the second").await.unwrap();
    let third = chat.alice.say(&chat.alices_room, "the third").await.unwrap();

    for line in [&second, &third] {
        soon("refused", chat.alice.hears(is_shown(line, "refused"))).await.unwrap();
    }
    let letters = listed(&chat.b, "letter");
    let table = tokio::task::block_in_place(|| chat.b.command(&["letter"]));
    let shown = tokio::task::block_in_place(|| chat.b.command(&["letter", "--show"]));
    chat.bob.unblock("alice@a.example").await.unwrap();
    tokio::task::block_in_place(|| chat.b.command(&["letter", "replay", "--all"]));
    chat.alice.say(&chat.alices_room, "the fourth").await.unwrap();
    soon("the fourth", chat.bob.hears(is_said("the fourth"))).await.unwrap();
    soon("delivered after all", chat.alice.hears(is_shown(&second, "delivered"))).await.unwrap();

    assert_eq!(letters.len(), 2);
    assert!(table.contains("mimi://a.example/u/alice") && table.contains("does not want to hear"), "{table}");
    assert!(!table.contains("the second") && shown.contains("the second"), "{shown}");
    assert_eq!(said_to(&chat.bob), ["hello", "the second", "the third", "the fourth"]);
    assert_eq!(listed(&chat.b, "letter"), Vec::<Value>::new());
    let unknown = tokio::task::block_in_place(|| chat.b.attempt(&["letter", "drop", "0000000000"]));
    assert_eq!(unknown.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_the_network_refused_to_open_can_be_opened_again() {
    let chat = Chat::open().await;
    let carol = LoopbackClient::connect(chat.chats[1].address(), "carol", "c").await.unwrap();
    carol.block("alice@a.example").await.unwrap();
    let first = chat.alice.open("carol@b.example").await.unwrap();
    chat.alice.say(&first, "not heard").await.unwrap();
    let letters = soon("a letter", async {
        loop {
            let letters = listed(&chat.b, "letter");
            if !letters.is_empty() {
                return letters;
            }
        }
    })
    .await;
    carol.unblock("alice@a.example").await.unwrap();

    chat.alice.leave(&first).await.unwrap();
    let second = chat.alice.open("carol@b.example").await.unwrap();
    chat.alice.say(&second, "heard").await.unwrap();
    soon("heard", carol.hears(is_said("heard"))).await.unwrap();

    assert_eq!(letters[0]["operation"], "open");
    assert_eq!(said_to(&carol), ["heard"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_shown_to_its_sender_and_listed_for_the_operators_of_both_sides() {
    let mut chat = Chat::open().await;
    let unanswered = chat.alice.say(&chat.alices_room, "are you there").await.unwrap();
    soon("delivered", chat.alice.hears(is_shown(&unanswered, "delivered"))).await.unwrap();

    tokio::task::block_in_place(|| chat.a.kill());
    let line = chat.bob.say(&chat.bobs_room, "where are you").await.unwrap();
    let waiting = soon("waiting", chat.bob.hears(is_shown(&line, "waiting"))).await.unwrap();
    let lanes = listed(&chat.b, "lane");
    let of_stopped = tokio::task::block_in_place(|| chat.a.command(&["lane"]));
    tokio::task::block_in_place(|| chat.a.start_again());
    soon("where are you", chat.alice.hears(is_said("where are you"))).await.unwrap();
    soon("resolved", chat.bob.hears(is_shown(&line, "delivered"))).await.unwrap();

    assert!(waiting.text.is_some_and(|why| !why.is_empty()));
    let room = lanes.iter().find(|lane| lane["kind"] == "room").unwrap();
    assert_eq!((&room["state"], &room["waiting"]), (&"waiting".into(), &1.into()));
    assert!(room["why"].is_string() && room["next_ms"].is_number(), "{room}");
    assert!(of_stopped.contains("no provider runs here"), "{of_stopped}");
}
