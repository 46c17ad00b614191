//! Both networks are loopback networks.

use super::*;

/// Two providers with a loopback network each.
struct World {
    a: Site,
    b: Site,
    chats: [Port; 2],
}

/// The longest that anything may take: generous, for a machine that compiles beside the tests.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

impl World {
    fn start() -> Self {
        let chats: [Port; 2] = std::array::from_fn(|_| Port::claim());
        let (a, b) = (
            SitePlan::new("a.example", &network::loopback(&chats[0])),
            SitePlan::new("b.example", &network::loopback(&chats[1])),
        );
        SitePlan::introduce(&a, &b);
        Self { a: a.start(), b: b.start(), chats }
    }

    async fn at_a(&self, user: &str) -> LoopbackClient {
        LoopbackClient::connect(self.chats[0].address(), user, user).await.unwrap()
    }

    async fn at_b(&self, user: &str) -> LoopbackClient {
        LoopbackClient::connect(self.chats[1].address(), user, user).await.unwrap()
    }
}

pub(super) async fn hears(client: &LoopbackClient, what: &str, wanted: impl FnMut(&Event) -> bool) -> Event {
    let heard = timeout(PATIENCE, client.hears(wanted)).await;
    let user = client.user();
    heard.unwrap_or_else(|late| panic!("{user}, {what}: {late}: {:#?}", client.heard())).unwrap()
}

pub(super) async fn hears_text(client: &LoopbackClient, text: &str) -> Event {
    hears(client, text, |event| event.kind == EventKind::Message && event.text.as_deref() == Some(text)).await
}

/// What was said to a client, by whom.
pub(super) fn said(client: &LoopbackClient) -> Vec<(String, String)> {
    let messages = client.heard().into_iter().filter(|event| event.kind == EventKind::Message);
    messages.map(|event| (event.from.unwrap_or_default(), event.text.unwrap_or_default())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_two_networks_are_in_one_conversation() {
    let world = World::start();
    let (alice, carol) = (world.at_a("alice").await, world.at_a("carol").await);
    let bob = world.at_b("bob").await;

    let room = alice.gather("Tea", &["carol"]).await.unwrap();
    alice.invite(&room, "bob@b.example").await.unwrap();
    let there = hears(&bob, "an invitation", |event| event.kind == EventKind::Opened).await;
    assert_eq!(there.text.as_deref(), Some("Tea"));
    alice.say(&room, "one").await.unwrap();
    hears_text(&bob, "one").await;
    carol.say(&room, "two").await.unwrap();
    hears_text(&bob, "two").await;
    bob.say(&there.room, "three").await.unwrap();

    hears_text(&alice, "three").await;
    hears_text(&carol, "three").await;
    let (alice_at_b, carol_at_b) = ("alice@a.example", "carol@a.example");
    assert_eq!(said(&bob), [(alice_at_b.into(), "one".into()), (carol_at_b.into(), "two".into())]);
    assert_eq!(said(&alice), [("carol".into(), "two".into()), ("bob@b.example".into(), "three".into())]);
}

/// Waits until something of a kind was told about somebody.
pub(super) async fn is_told(client: &LoopbackClient, kind: EventKind, whom: &str) -> Event {
    let is_it =
        |event: &Event| event.kind == kind && event.who.as_deref().or(event.from.as_deref()) == Some(whom);
    hears(client, &format!("{kind:?} of {whom}"), is_it).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_one_side_happens_on_the_other_whoever_is_killed_meanwhile() {
    let mut world = World::start();
    let (alice, carol) = (world.at_a("alice").await, world.at_a("carol").await);
    let (bob, dave) = (world.at_b("bob").await, world.at_b("dave").await);
    let room = alice.gather("Tea", &["carol"]).await.unwrap();
    alice.invite(&room, "bob@b.example").await.unwrap();
    let there = hears(&bob, "an invitation", |event| event.kind == EventKind::Opened).await.room;

    // Somebody comes, speaks, and everything is called otherwise.
    bob.invite(&there, "dave").await.unwrap();
    dave.say(&there, "1").await.unwrap();
    hears_text(&alice, "1").await;
    alice.entitle(&room, "Coffee").await.unwrap();
    hears(&bob, "a title", |event| event.kind == EventKind::Title && event.text.as_deref() == Some("Coffee"))
        .await;
    world.a.kill_and_start_again();
    alice.say(&room, "2").await.unwrap();
    carol.say(&room, "3").await.unwrap();
    hears_text(&dave, "3").await;

    // Somebody may do more, and does.
    alice.give(&room, Role::Moderator, "bob@b.example").await.unwrap();
    let role = is_told(&bob, EventKind::Role, "bob").await;
    assert_eq!(role.text.as_deref(), Some("moderator"));
    bob.discuss(&there, "milk").await.unwrap();
    world.b.kill_and_start_again();
    hears(&alice, "a topic", |event| event.kind == EventKind::Topic && event.text.as_deref() == Some("milk"))
        .await;
    bob.kick(&there, "dave").await.unwrap();
    is_told(&alice, EventKind::Left, "dave@b.example").await;

    // Somebody goes, comes back, and is kept out.
    carol.leave(&room).await.unwrap();
    is_told(&bob, EventKind::Left, "carol@a.example").await;
    carol.join(&room).await.unwrap();
    carol.say(&room, "4").await.unwrap();
    hears_text(&bob, "4").await;
    alice.ban(&room, "carol").await.unwrap();
    world.a.kill_and_start_again();
    is_told(&bob, EventKind::Banned, "carol@a.example").await;
    bob.say(&there, "5").await.unwrap();
    hears_text(&alice, "5").await;
    alice.kick(&room, "bob@b.example").await.unwrap();
    is_told(&bob, EventKind::Removed, "bob").await;
    assert!(bob.say(&there, "still here?").await.is_err());

    let texts = |said: Vec<(String, String)>| -> Vec<String> {
        said.into_iter().map(|(from, text)| format!("{from} {text}")).collect()
    };
    assert_eq!(texts(said(&bob)), ["dave 1", "alice@a.example 2", "carol@a.example 3", "carol@a.example 4"]);
    assert_eq!(texts(said(&alice)), ["dave@b.example 1", "carol 3", "carol 4", "bob@b.example 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_people_cost_a_client_for_each_speaker_and_no_puppet_for_the_silent() {
    const PEOPLE: u32 = 2_000;
    let mut world = World::start();
    let (alice, bob) = (world.at_a("alice").await, world.at_b("bob").await);
    let people: Vec<String> = (0..PEOPLE).map(|n| format!("p{n}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let room = alice.gather("Big", &people).await.unwrap();
    alice.invite(&room, "bob@b.example").await.unwrap();
    let there = hears(&bob, "an invitation", |event| event.kind == EventKind::Opened).await.room;

    alice.say(&room, "one").await.unwrap();
    hears_text(&bob, "one").await;
    let speaker = world.at_a("p1999").await;
    speaker.say(&room, "two").await.unwrap();
    hears_text(&bob, "two").await;
    bob.say(&there, "three").await.unwrap();
    hears_text(&speaker, "three").await;
    // Alice, all the others, Bob and his gateway; our own gateway founded the room.
    world.a.wait_for_metric("group_people_listed_total", f64::from(PEOPLE + 3));

    // Alice, one of the many, Bob and his gateway.
    assert!((world.a.metric("group_clients_added_total") - 4.0).abs() < 0.5);
    assert!(world.a.metric("group_commits_total") < 15.0);
    let came = bob.heard().into_iter().filter(|event| event.kind == EventKind::Joined);
    let came: Vec<_> = came.filter_map(|event| event.from).filter(|who| who != "bob").collect();
    assert_eq!(came, ["alice@a.example", "p1999@a.example"]);
}
