//! Two people on a Matrix homeserver at a.example, two on a loopback network at b.example.

use end_to_end::{Event as Told, Person, Synapse, SynapsePlan};
use serde_json::json;

use super::loopback::{hears, hears_text, is_told, said};
use super::*;

struct World {
    a: Site,
    b: Site,
    synapse: Synapse,
    chat: Port,
    _appservice: Port,
}

const BOT: &str = "@_mimi_drawbridge:a.example";

fn puppet(name: &str) -> String {
    format!("@_mimi_{name}=40b.example:a.example")
}

impl World {
    fn start() -> Self {
        let [homeserver, appservice, chat] = std::array::from_fn(|_| Port::claim());
        let matrix = network::matrix("a.example", &homeserver, &appservice);
        let (a, b) =
            (SitePlan::new("a.example", &matrix), SitePlan::new("b.example", &network::loopback(&chat)));
        SitePlan::introduce(&a, &b);
        let plan = SynapsePlan::named("a.example").with_appservice(a.registration());
        let synapse = Synapse::start_on(homeserver, plan);
        Self { a: a.start(), b: b.start(), synapse, chat, _appservice: appservice }
    }

    async fn at_b(&self, user: &str) -> LoopbackClient {
        LoopbackClient::connect(self.chat.address(), user, user).await.unwrap()
    }
}

/// Waits for a state event of a room, and returns who sent it.
fn is_stated(person: &Person, kind: &str, field: &str, text: &str) -> String {
    person.wait_for(&format!("{kind} {text}"), |events| {
        events.iter().find_map(|event| match event {
            Told::Other { kind: its, content, sender, .. } if its == kind && content[field] == text => {
                Some(sender.clone())
            }
            _ => None,
        })
    })
}

/// Waits until a message is shown to be in the room's order, and returns who shows it.
fn is_accepted(person: &Person, message: &str) -> String {
    person.wait_for("that it was accepted", |events| {
        events.iter().find_map(|event| match event {
            Told::Other { kind, content, sender, .. }
                if kind == "com.beeper.message_send_status"
                    && content["m.relates_to"]["event_id"] == message
                    && content["status"] == "SUCCESS" =>
            {
                Some(sender.clone())
            }
            _ => None,
        })
    })
}

/// What was said in a room, by whom, as one person heard it.
fn heard(person: &Person, room: &str) -> Vec<String> {
    let name = |sender: &str| sender.split([':', '=']).next().unwrap_or_default().to_owned();
    let texts = person.messages(room).into_iter().filter(|it| it.msgtype.as_deref() == Some("m.text"));
    texts.map(|message| format!("{} {}", name(&message.sender), message.body)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matrix_room_is_one_conversation_with_another_network_whoever_is_killed_meanwhile() {
    let mut world = World::start();
    let (alice, carol) =
        (Person::register(&world.synapse, "alice"), Person::register(&world.synapse, "carol"));
    let (bob, dave) = (world.at_b("bob").await, world.at_b("dave").await);
    let room = alice.create_group("Tea", &[carol.user()]);
    alice.wait_for_member(&room, carol.user(), "join");
    alice.invite(&room, &puppet("bob"));
    let there = hears(&bob, "an invitation", |event| event.kind == EventKind::Opened).await;
    assert_eq!(there.text.as_deref(), Some("Tea"));
    let there = there.room;

    // Everybody speaks, and one more comes.
    let one = alice.send(&room, "1");
    hears_text(&bob, "1").await;
    assert_eq!(is_accepted(&alice, &one), BOT);
    carol.send(&room, "2");
    hears_text(&bob, "2").await;
    bob.say(&there, "3").await.unwrap();
    carol.wait_for_message(&room, "3");
    bob.invite(&there, "dave").await.unwrap();
    dave.say(&there, "4").await.unwrap();
    assert_eq!(alice.wait_for_message(&room, "4").sender, puppet("dave"));
    world.a.kill_and_start_again();

    // It is called otherwise, and somebody may do more.
    alice.put_state(&room, "m.room.name", &json!({ "name": "Coffee" }));
    hears(&bob, "a title", |event| event.kind == EventKind::Title && event.text.as_deref() == Some("Coffee"))
        .await;
    let levels = json!({
        "users": { BOT: 100, puppet("bob"): 50 },
        "users_default": 0, "events_default": 0, "state_default": 50, "invite": 0, "kick": 50, "ban": 50,
    });
    alice.put_state(&room, "m.room.power_levels", &levels);
    let role = is_told(&bob, EventKind::Role, "bob").await;
    assert_eq!(role.text.as_deref(), Some("moderator"));
    bob.discuss(&there, "milk").await.unwrap();
    world.b.kill_and_start_again();
    assert_eq!(is_stated(&alice, "m.room.topic", "topic", "milk"), BOT);
    bob.kick(&there, "dave").await.unwrap();
    alice.wait_for_member(&room, &puppet("dave"), "leave");
    bob.kick(&there, "carol@a.example").await.unwrap();
    alice.wait_for_member(&room, carol.user(), "leave");

    // Somebody comes back, and is kept out.
    alice.invite(&room, carol.user());
    carol.join(&room);
    carol.send(&room, "5");
    hears_text(&bob, "5").await;
    alice.ban(&room, carol.user());
    world.a.kill_and_start_again();
    is_told(&bob, EventKind::Banned, "carol@a.example").await;
    bob.say(&there, "6").await.unwrap();
    alice.wait_for_message(&room, "6");
    alice.kick(&room, &puppet("bob"));
    is_told(&bob, EventKind::Removed, "bob").await;

    let texts: Vec<String> = said(&bob).into_iter().map(|(from, text)| format!("{from} {text}")).collect();
    assert_eq!(texts, ["alice@a.example 1", "carol@a.example 2", "dave 4", "carol@a.example 5"]);
    assert_eq!(
        heard(&alice, &room),
        ["@alice 1", "@carol 2", "@_mimi_bob 3", "@_mimi_dave 4", "@carol 5", "@_mimi_bob 6"]
    );
}
