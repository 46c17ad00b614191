//! Two providers, one in front of a real Synapse, one in front of a real Prosody; the people use clients of other projects.
//!
//! Alice is at a.example, on Matrix; Bob is at b.example, on XMPP. What one says in the direct chat the other must hear
//! once, in order and from the right person, whatever is killed in between.

use std::thread;

use end_to_end::{
    Event, Person, Port, Site, SitePlan, Synapse, SynapsePlan, XmppEvent, XmppPerson, XmppServer,
    XmppSoftware, network,
};

/// Alice as Bob's server knows her, and Bob as Alice's homeserver knows him.
const ALICES_PUPPET: &str = r"alice\40a.example@mimi.b.example";
const BOBS_PUPPET: &str = "@_mimi_bob=40b.example:a.example";

/// Both providers and both people.
struct World {
    // Dropped in this order: people, gateways, what they stand on.
    alice: Person,
    bob: XmppPerson,
    b: Site,
    _a: Site,
    _synapse: Synapse,
    prosody: XmppServer,
    _appservice: Port,
}

impl World {
    #[track_caller]
    fn start() -> Self {
        let [homeserver, appservice] = std::array::from_fn(|_| Port::claim());
        let prosody = XmppServer::start(XmppSoftware::Prosody, "b.example");
        let a = SitePlan::new("a.example", &network::matrix("a.example", &homeserver, &appservice));
        let b = SitePlan::new("b.example", &network::xmpp(&prosody));
        SitePlan::introduce(&a, &b);
        let synapse = SynapsePlan::named("a.example").with_appservice(a.registration());
        let synapse = Synapse::start_on(homeserver, synapse);
        let (a, b) = (a.start(), b.start());
        let (alice, bob) = (Person::register(&synapse, "alice"), XmppPerson::register(&prosody, "bob"));
        Self { alice, bob, b, _a: a, _synapse: synapse, prosody, _appservice: appservice }
    }

    /// Alice invites Bob's puppet; hers asks Bob for a subscription.
    #[track_caller]
    fn opened_by_alice(&self) -> String {
        let room = self.alice.create_direct(BOBS_PUPPET);
        self.alice.wait_for_member(&room, BOBS_PUPPET, "join");
        self.bob.wait_for_presence(ALICES_PUPPET, "subscribe");
        room
    }

    /// What Alice heard from Bob, when it is so many messages.
    #[track_caller]
    fn heard_by_alice(&self, room: &str, count: usize) -> Vec<String> {
        self.alice.wait_for(&format!("{count} messages of Bob"), |events| {
            let of_bob = events.iter().filter_map(|event| match event {
                Event::Message(message) if message.room == room && message.sender == BOBS_PUPPET => {
                    Some(message.body.clone())
                }
                _ => None,
            });
            let heard: Vec<String> = of_bob.collect();
            (heard.len() >= count).then_some(heard)
        })
    }
}

fn numbered(what: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{what} {n}")).collect()
}

/// Texts that a bridge likes to break.
fn difficult_texts() -> Vec<String> {
    vec![
        "two\nlines\n\nand a fourth".to_owned(),
        "😀 family 👨‍👩‍👧‍👦 flag 🇪🇺 and é as e\u{301}".to_owned(),
        "שלום עולם — مرحبا بالعالم".to_owned(),
        "<b>not bold</b> & \"quoted\" 'too'".to_owned(),
        format!("{}end", "long line with words. ".repeat(60 * 1024 / 22)),
        " leading and trailing ".to_owned(),
    ]
}

#[test]
fn a_chat_opened_on_matrix_carries_texts_as_they_were_said() {
    let world = World::start();

    let room = world.opened_by_alice();
    for text in difficult_texts() {
        world.alice.send(&room, &text);
    }
    let heard = world.bob.wait_for_texts(ALICES_PUPPET, difficult_texts().len());
    for text in difficult_texts() {
        world.bob.say(ALICES_PUPPET, &text);
    }

    assert_eq!(heard, difficult_texts());
    assert_eq!(world.heard_by_alice(&room, difficult_texts().len()), difficult_texts());
    assert_eq!(world.bob.name_of(ALICES_PUPPET), "alice (a.example)");
}

#[test]
fn a_chat_opened_on_xmpp_begins_with_a_request_or_with_a_message_and_ends() {
    let world = World::start();

    world.bob.presence(ALICES_PUPPET, "subscribe");
    let room = world.alice.wait_for_invitation(BOBS_PUPPET);
    world.bob.wait_for_presence(ALICES_PUPPET, "subscribed");
    world.bob.say(ALICES_PUPPET, "hello");
    world.alice.wait_for_message(&room, "hello");
    world.alice.send(&room, "hello yourself");
    world.bob.wait_for_text(ALICES_PUPPET, "hello yourself");
    world.bob.presence(ALICES_PUPPET, "unsubscribe");
    world.alice.wait_for_member(&room, BOBS_PUPPET, "leave");
    world.bob.say(ALICES_PUPPET, "one more thing");

    let again = world.alice.wait_for("a new chat", |events| {
        events.iter().find_map(|event| match event {
            Event::Message(message) if message.body == "one more thing" => Some(message.clone()),
            _ => None,
        })
    });
    assert_eq!(again.sender, BOBS_PUPPET);
    assert_ne!(again.room, room);
}

#[test]
fn a_hundred_and_twenty_messages_each_way_arrive_once_and_in_order_although_gateway_and_server_fall() {
    let mut world = World::start();
    let room = world.opened_by_alice();
    let (of_alice, of_bob) = (numbered("alice", 120), numbered("bob", 120));

    thread::scope(|scope| {
        let World { alice, bob, b, prosody, .. } = &mut world;
        let (alice, bob, room) = (&*alice, &*bob, &room);
        scope.spawn(|| of_alice.iter().for_each(|text| drop(alice.send(room, text))));
        scope.spawn(|| of_bob.iter().for_each(|text| drop(bob.say(ALICES_PUPPET, text))));
        bob.wait_for_texts(ALICES_PUPPET, 20);
        b.kill_and_start_again();
        bob.wait_for_texts(ALICES_PUPPET, 60);
        prosody.restart();
        bob.wait_for_texts(ALICES_PUPPET, 90);
        b.kill_and_start_again();
    });

    assert_eq!(world.bob.wait_for_texts(ALICES_PUPPET, 120), of_alice);
    assert_eq!(world.heard_by_alice(&room, 120), of_bob);
    let strangers = world.bob.events().into_iter().filter(|event| match event {
        XmppEvent::Message(message) => message.from != ALICES_PUPPET,
        _ => false,
    });
    assert_eq!(strangers.count(), 0);
}
