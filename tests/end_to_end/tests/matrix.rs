//! The ground itself: what these tests rely on, shown without Drawbridge.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread,
};

use end_to_end::{Event, Message, Person, Port, Scratch, Synapse, SynapsePlan};

/// What a message says, for comparison.
fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

#[test]
fn two_people_on_one_synapse_chat_across_a_restart() {
    let mut synapse = Synapse::start(SynapsePlan::named("a.example"));
    let alice = Person::register(&synapse, "alice");
    let bob = Person::register(&synapse, "bob");
    let room = alice.create_direct(bob.user());
    alice.wait_for_member(&room, bob.user(), "join");
    let spoken: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();

    for (n, text) in spoken[..10].iter().enumerate() {
        if n % 2 == 0 {
            alice.send(&room, text)
        } else {
            bob.send(&room, text)
        };
    }
    synapse.kill();
    thread::scope(|scope| {
        scope.spawn(|| alice.send(&room, &spoken[10])); // spoken while nobody can hear it
        synapse.start_again();
    });
    for text in &spoken[11..] {
        bob.send(&room, text);
    }

    bob.wait_for_message(&room, &spoken[19]);
    assert_eq!(bodies(&bob.messages(&room)), spoken);
    assert_eq!(bodies(&alice.wait_for_messages(&room, 20)), spoken);
    assert!(bob.events().contains(&Event::Invited { room, by: alice.user().to_owned(), direct: true }));
}

#[test]
fn a_person_asks_declines_edits_and_takes_back() {
    let synapse = Synapse::start(SynapsePlan::named("a.example"));
    let alice = Person::register(&synapse, "alice");
    let bob = Person::register(&synapse, "bob");
    bob.join_when_invited(false);

    let room = alice.create_direct(bob.user());
    assert_eq!(bob.wait_for_invitation(alice.user()), room);
    let before_joining = alice.members(&room);
    bob.join(&room);
    alice.send_html(&room, "so *loud*", "so <b>loud</b>");
    let unwise = alice.send(&room, "unwise");
    alice.redact(&room, &unwise);
    bob.wait_for("the redaction", |events| {
        events.iter().find(|event| matches!(event, Event::Other { kind, redacts: Some(id), .. } if kind == "m.room.redaction" && *id == unwise)).cloned()
    });
    let loud = bob.messages(&room).remove(0);
    bob.leave(&room);

    assert_eq!(before_joining, [alice.user()]);
    assert_eq!(loud.format.as_deref(), Some("org.matrix.custom.html"));
    assert_eq!(loud.formatted_body.as_deref(), Some("so <b>loud</b>"));
    assert_eq!(alice.displayname(bob.user()).as_deref(), Some("bob"));
    alice.wait_for_member(&room, bob.user(), "leave");
}

/// Answers every request with an empty object, until one is a transaction; returns its path and body.
fn first_transaction(listener: &TcpListener) -> io::Result<(String, String)> {
    loop {
        let mut stream = listener.accept()?.0;
        let mut request = BufReader::new(&stream);
        let head: Vec<String> =
            request.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let mut body = vec![0; content_length(&head).unwrap_or(0)];
        request.read_exact(&mut body)?;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}")?;
        if let Some(path) = head.first().and_then(|line| line.strip_prefix("PUT ")) {
            return Ok((path.to_owned(), String::from_utf8_lossy(&body).into_owned()));
        }
    }
}

fn content_length(head: &[String]) -> Option<usize> {
    let mut fields = head.iter().filter_map(|line| line.split_once(": "));
    fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.parse().ok()
}

#[test]
fn an_appservice_hears_that_its_user_is_invited() {
    let port = Port::claim();
    let scratch = Scratch::new("appservice");
    let registration = serde_json::json!({
        "id": "test", "url": format!("http://{}", port.address()), "as_token": "as", "hs_token": "hs",
        "sender_localpart": "_test", "rate_limited": false,
        "namespaces": { "users": [{ "regex": "@_mimi_.*", "exclusive": true }] },
    });
    let listener = TcpListener::bind(port.address()).unwrap();
    let registration = scratch.write("registration.yaml", &registration.to_string());
    let synapse = Synapse::start(SynapsePlan::named("a.example").with_appservice(registration));
    let alice = Person::register(&synapse, "alice");

    let heard = thread::spawn(move || first_transaction(&listener));
    let room = alice.create_direct(&synapse.user("_mimi_bob"));

    let (path, body) = heard.join().unwrap().unwrap();
    assert!(path.starts_with("/_matrix/app/v1/transactions/"), "{path}");
    assert!(body.contains(&room) && body.contains("@_mimi_bob:a.example"), "{body}");
}
