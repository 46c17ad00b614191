//! Two providers, each a Drawbridge process in front of a real Synapse; the people use a client of another project.
//!
//! Alice is at a.example, Bob at b.example. What one says in his direct chat the other must hear once, in order, from
//! the right person and as it was said, whatever is killed in between.

use std::path::PathBuf;
use std::process::Command;
use std::thread;

use end_to_end::{Event, Message, Person, Provider, test_python};

/// Two people, each with the direct chat he has with the other.
struct Chat<'a> {
    alice: &'a Person,
    alices_room: String,
    bob: &'a Person,
    bobs_room: String,
}

impl<'a> Chat<'a> {
    /// Alice invites Bob's puppet; Bob finds himself invited by hers.
    #[track_caller]
    fn opened_by_alice((a, alice): (&Provider, &'a Person), (b, bob): (&Provider, &'a Person)) -> Self {
        let bobs_puppet = a.puppet("bob", "b.example");
        let alices_room = alice.create_direct(&bobs_puppet);
        alice.wait_for_member(&alices_room, &bobs_puppet, "join");
        let bobs_room = bob.wait_for_invitation(&b.puppet("alice", "a.example"));
        bob.wait_for_member(&bobs_room, bob.user(), "join");
        Self { alice, alices_room, bob, bobs_room }
    }

    /// What Bob heard from Alice's puppet, when it is so many messages.
    #[track_caller]
    fn heard_by_bob(&self, from: &str, count: usize) -> Vec<Message> {
        heard(self.bob, &self.bobs_room, from, count)
    }

    /// What Alice heard from Bob's puppet, when it is so many messages.
    #[track_caller]
    fn heard_by_alice(&self, from: &str, count: usize) -> Vec<Message> {
        heard(self.alice, &self.alices_room, from, count)
    }
}

#[track_caller]
fn heard(person: &Person, room: &str, from: &str, count: usize) -> Vec<Message> {
    person.wait_for(&format!("{count} messages of {from}"), |events| {
        let heard: Vec<Message> = events.iter().filter_map(|event| said(event, room, from)).collect();
        (heard.len() >= count).then_some(heard)
    })
}

#[track_caller]
fn heard_anywhere(person: &Person, from: &str, count: usize) -> Vec<Message> {
    person.wait_for(&format!("{count} messages of {from}"), |events| {
        let messages = events.iter().filter_map(|event| match event {
            Event::Message(message) if message.sender == from => Some(message.clone()),
            _ => None,
        });
        let heard: Vec<Message> = messages.collect();
        (heard.len() >= count).then_some(heard)
    })
}

fn said(event: &Event, room: &str, from: &str) -> Option<Message> {
    match event {
        Event::Message(message) if message.room == room && message.sender == from => Some(message.clone()),
        _ => None,
    }
}

fn say(person: &Person, room: &str, texts: &[String]) {
    for text in texts {
        person.send(room, text);
    }
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

fn numbered(what: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{what} {n}")).collect()
}

/// Texts that a bridge likes to break.
fn difficult_texts() -> Vec<String> {
    vec![
        "plain".to_owned(),
        "two\nlines\n\nand a fourth".to_owned(),
        "😀 family 👨‍👩‍👧‍👦 flag 🇪🇺 and é as e\u{301}".to_owned(),
        "שלום עולם — مرحبا بالعالم".to_owned(),
        "<b>not bold</b> & \"quoted\" 'too'".to_owned(),
        format!("{}end", "long line with words. ".repeat(60 * 1024 / 22)),
        " leading and trailing ".to_owned(),
    ]
}

#[test]
fn a_chat_opened_from_one_side_carries_texts_as_they_were_said() {
    let (a, b) = Provider::start_two("a.example", "b.example");
    let alice = Person::register(&a.synapse, "alice");
    let bob = Person::register(&b.synapse, "bob");
    let (bobs_puppet, alices_puppet) = (a.puppet("bob", "b.example"), b.puppet("alice", "a.example"));

    let chat = Chat::opened_by_alice((&a, &alice), (&b, &bob));
    for text in difficult_texts() {
        alice.send(&chat.alices_room, &text);
    }
    alice.send_html(&chat.alices_room, "so *loud*", "so <strong>loud</strong> <em>indeed</em>");
    let heard = chat.heard_by_bob(&alices_puppet, difficult_texts().len() + 1);
    bob.send_html(&chat.bobs_room, "`code`", "<code>code</code>");
    let answered = chat.heard_by_alice(&bobs_puppet, 1);

    let (formatted, plain) = heard.split_last().unwrap();
    assert_eq!(bodies(plain), difficult_texts());
    assert_eq!(formatted.body, "so *loud*");
    assert_eq!(formatted.formatted_body.as_deref(), Some("so <strong>loud</strong> <em>indeed</em>"));
    assert_eq!(answered[0].formatted_body.as_deref(), Some("<code>code</code>"));
    assert_eq!(bob.displayname(&alices_puppet).as_deref(), Some("alice (a.example)"));
}

#[test]
fn who_said_something_sees_that_it_arrived_and_that_it_was_read() {
    let (a, b) = Provider::start_two("a.example", "b.example");
    let (alice, bob) = (Person::register(&a.synapse, "alice"), Person::register(&b.synapse, "bob"));
    let chat = Chat::opened_by_alice((&a, &alice), (&b, &bob));
    let (bobs_puppet, alices_puppet) = (a.puppet("bob", "b.example"), b.puppet("alice", "a.example"));

    let said = alice.send(&chat.alices_room, "see me");
    let arrived = alice.wait_for("that it arrived", |events| {
        events.iter().find_map(|event| match event {
            Event::Other { kind, content, sender, .. }
                if kind == "com.beeper.message_send_status"
                    && content["m.relates_to"]["event_id"] == said
                    && content["delivered_to_users"].is_array() =>
            {
                Some((sender.clone(), content.clone()))
            }
            _ => None,
        })
    });
    let heard = chat.heard_by_bob(&alices_puppet, 1);
    let read_before = alice.events().iter().any(|event| matches!(event, Event::Read { .. }));
    bob.read(&chat.bobs_room, &heard[0].event_id);
    let (room, user) = (chat.alices_room.clone(), bobs_puppet.clone());
    let read = Event::Read { room, user, event_id: said };
    alice.wait_for("that it was read", |events| events.contains(&read).then_some(()));

    assert_eq!((&arrived.0, &arrived.1["status"]), (&bobs_puppet, &"SUCCESS".into()));
    assert_eq!(arrived.1["delivered_to_users"], serde_json::json!([bobs_puppet]));
    assert!(!read_before, "nobody has read what was only delivered");
}

#[test]
fn what_was_said_stands_in_no_file_of_either_gateway() {
    let (mut a, mut b) = Provider::start_two("a.example", "b.example");
    let alice = Person::register(&a.synapse, "alice");
    let bob = Person::register(&b.synapse, "bob");
    let alices_puppet = b.puppet("alice", "a.example");
    let chat = Chat::opened_by_alice((&a, &alice), (&b, &bob));

    alice.send(&chat.alices_room, "canary-7f3a-wrought-iron");
    chat.heard_by_bob(&alices_puppet, 1);
    a.site.kill();
    b.site.kill();

    assert_eq!(a.site.files_that_contain("canary-7f3a-wrought-iron"), Vec::<PathBuf>::new());
    assert_eq!(b.site.files_that_contain("canary-7f3a-wrought-iron"), Vec::<PathBuf>::new());
    assert!(
        !a.site.files_that_contain("mimi://b.example/u/bob").is_empty(),
        "the search itself must be able to find"
    );
}

#[test]
fn two_hundred_messages_each_way_arrive_once_and_in_order_although_everything_is_killed_once() {
    let (mut a, mut b) = Provider::start_two("a.example", "b.example");
    let alice = Person::register(&a.synapse, "alice");
    let bob = Person::register(&b.synapse, "bob");
    let (bobs_puppet, alices_puppet) = (a.puppet("bob", "b.example"), b.puppet("alice", "a.example"));
    let chat = Chat::opened_by_alice((&a, &alice), (&b, &bob));
    let (of_alice, of_bob) = (numbered("alice", 200), numbered("bob", 200));

    thread::scope(|scope| {
        scope.spawn(|| say(&alice, &chat.alices_room, &of_alice));
        scope.spawn(|| say(&bob, &chat.bobs_room, &of_bob));
        heard(&bob, &chat.bobs_room, &alices_puppet, 30);
        a.site.kill_and_start_again();
        heard(&alice, &chat.alices_room, &bobs_puppet, 60);
        b.site.kill_and_start_again();
        heard(&bob, &chat.bobs_room, &alices_puppet, 90);
        a.synapse.restart();
        heard(&alice, &chat.alices_room, &bobs_puppet, 120);
        b.synapse.restart();
    });

    assert_eq!(bodies(&chat.heard_by_bob(&alices_puppet, 200)), of_alice);
    assert_eq!(bodies(&chat.heard_by_alice(&bobs_puppet, 200)), of_bob);
}

/// Puts a commit into a follower's log that nobody made: the last one once more, said to be of the present epoch.
const FORGE_A_COMMIT: &str = r#"
import re, sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    last = "SELECT room, timestamp, bytes FROM event WHERE kind = 'commit' ORDER BY room, seq DESC LIMIT 1"
    room, timestamp, commit = database.execute(last).fetchone()
    epoch = re.search(rb"mimi://a\.example/g/[!-~]+", commit).end()
    present = (int.from_bytes(commit[epoch:epoch + 8], "big") + 1).to_bytes(8, "big")
    forged = commit[:epoch] + present + commit[epoch + 8:]
    next_seq, = database.execute("SELECT max(seq) + 1 FROM event WHERE room = ?", (room,)).fetchone()
    row = (room, next_seq, timestamp, "commit", forged)
    database.execute("INSERT INTO event (room, seq, timestamp, kind, bytes) VALUES (?, ?, ?, ?, ?)", row)
"#;

#[test]
fn a_gateway_that_cannot_follow_its_room_any_more_comes_back_and_the_chat_goes_on() {
    let (a, mut b) = Provider::start_two("a.example", "b.example");
    let alice = Person::register(&a.synapse, "alice");
    let bob = Person::register(&b.synapse, "bob");
    let (bobs_puppet, alices_puppet) = (a.puppet("bob", "b.example"), b.puppet("alice", "a.example"));
    let chat = Chat::opened_by_alice((&a, &alice), (&b, &bob));
    alice.send(&chat.alices_room, "before");
    chat.heard_by_bob(&alices_puppet, 1);

    b.site.kill();
    let forging = Command::new(test_python()).args(["-c", FORGE_A_COMMIT]).arg(b.site.database()).status();
    assert!(forging.unwrap().success());
    b.site.start_again();
    bob.send(&chat.bobs_room, "from the one who came back");
    let heard = chat.heard_by_alice(&bobs_puppet, 1);
    alice.send(&chat.alices_room, "to the one who came back");

    assert_eq!(bodies(&heard), ["from the one who came back"]);
    assert_eq!(bodies(&chat.heard_by_bob(&alices_puppet, 2)), ["before", "to the one who came back"]);
    let counted = |metric: &str| b.site.page("/metrics").lines().any(|line| line == format!("{metric} 1"));
    assert!(counted("rooms_lost_total") && counted("rooms_rejoined_total"), "{}", b.site.page("/metrics"));
}

#[test]
fn a_chat_opened_from_both_sides_at_once_is_one_chat() {
    let (a, b) = Provider::start_two("a.example", "b.example");
    let alice = Person::register(&a.synapse, "alice");
    let bob = Person::register(&b.synapse, "bob");
    let (bobs_puppet, alices_puppet) = (a.puppet("bob", "b.example"), b.puppet("alice", "a.example"));
    let (of_alice, of_bob) = (numbered("alice", 20), numbered("bob", 20));

    thread::scope(|scope| {
        scope.spawn(|| say(&alice, &alice.create_direct(&bobs_puppet), &of_alice));
        scope.spawn(|| say(&bob, &bob.create_direct(&alices_puppet), &of_bob));
    });

    // A Welcome may be faster than one's own invitation: then the first words are in the room that it led to.
    assert_eq!(bodies(&heard_anywhere(&bob, &alices_puppet, 20)), of_alice);
    assert_eq!(bodies(&heard_anywhere(&alice, &bobs_puppet, 20)), of_bob);
}

#[test]
fn whoever_leaves_the_chat_is_seen_to_leave_and_can_come_back() {
    let (a, b) = Provider::start_two("a.example", "b.example");
    let alice = Person::register(&a.synapse, "alice");
    let bob = Person::register(&b.synapse, "bob");
    let alices_puppet = b.puppet("alice", "a.example");
    let chat = Chat::opened_by_alice((&a, &alice), (&b, &bob));
    alice.send(&chat.alices_room, "bye");
    chat.heard_by_bob(&alices_puppet, 1);

    alice.leave(&chat.alices_room);
    bob.wait_for_member(&chat.bobs_room, &alices_puppet, "leave");
    let again = alice.create_direct(&a.puppet("bob", "b.example"));
    alice.send(&again, "back");

    let back = bob.wait_for("a new chat", |events| {
        events.iter().find_map(|event| match event {
            Event::Message(message) if message.body == "back" => Some(message.clone()),
            _ => None,
        })
    });
    assert_eq!(back.sender, alices_puppet);
    assert_ne!(back.room, chat.bobs_room);
}
