//! The Matrix adapter alone, against a real homeserver and a real client: what its unit tests take for granted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends where it stands")]

use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use end_to_end::{Event, Person, Port, Scratch, Synapse, SynapsePlan, test_python};
use mimi_adapter::conformance::{self, NativePerson, RecordingHost, Stage};
use mimi_adapter::{
    Adapter, Delivery, NativeBody, NativeEventId, NativeRoomId, NativeUserId, OpId, Operation, Outcome,
    Prepared, PuppetProfile, RefusedCode, Session, SessionStatus, Speaker,
};
use mimi_adapter_matrix::{MatrixAdapter, MatrixConfig, registration_yaml};
use mimi_content::{Cardinality, NestedPart, PartSemantics};
use mimi_uri::UserUri;
use serde_json::json;

#[path = "matrix_adapter/arrival.rs"]
mod arrival;
#[path = "matrix_adapter/forgotten.rs"]
mod forgotten;
#[path = "matrix_adapter/left_out.rs"]
mod left_out;

/// A homeserver with Alice, and the adapter of our Bob.
struct World {
    session: Box<dyn Session>,
    host: Arc<RecordingHost>,
    adapter: MatrixAdapter,
    alice: Person,
    synapse: Synapse,
    _listen: Port,
    _registration: Scratch,
}

impl World {
    async fn start() -> Self {
        let (listen, synapse) = (Port::claim(), Port::claim());
        let url = format!("http://{}", synapse.address());
        let config = MatrixConfig::new(&url, "a.example", listen.address()).with_tokens("ours", "theirs");
        let files = Scratch::new("registration");
        let registration = files.write("drawbridge.yaml", &registration_yaml(&config).unwrap());
        let plan = SynapsePlan::named("a.example").with_appservice(registration);
        let synapse = Synapse::start_on(synapse, plan);
        let alice = Person::register(&synapse, "alice");
        let adapter = MatrixAdapter::new(config).unwrap();
        let host = Arc::new(RecordingHost::new());
        let session = adapter.open(Arc::<RecordingHost>::clone(&host)).await.unwrap();
        Self { session, host, adapter, alice, synapse, _listen: listen, _registration: files }
    }

    /// Ends the session and opens another, as a new process would.
    async fn open_again(&mut self) {
        self.session.close().await;
        self.session = self.adapter.open(Arc::<RecordingHost>::clone(&self.host)).await.unwrap();
    }

    async fn deliver(&self, op_id: &str, room: Option<&str>, operation: Operation) -> Outcome {
        let delivery = Delivery {
            op_id: OpId::from(op_id),
            attempt: 0,
            room: room.map(NativeRoomId::from),
            speaker: Speaker::Puppet(bob()),
            operation,
        };
        self.session.deliver(delivery).await
    }

    async fn post(&self, op_id: &str, room: &str, text: &str) -> Outcome {
        self.deliver(op_id, Some(room), Operation::Post(Prepared::text(text))).await
    }

    /// A direct chat that Alice opened and Bob's puppet came into.
    async fn direct_chat(&self) -> String {
        let room = self.alice.create_direct(self.puppet().as_str());
        self.host.event(|event| matches!(event.body, NativeBody::DirectInvite { .. })).await;
        assert_eq!(self.accept(&room).await, Outcome::done());
        room
    }

    /// What the host has of a room: posts as their text, gaps as their reason, what else there is in short.
    fn taken(&self, room: &str) -> Vec<String> {
        let events = self.host.events().into_iter().filter(|event| event.lane.as_str() == room);
        events.map(|event| shown(&event.body)).collect()
    }

    async fn accept(&self, room: &str) -> Outcome {
        self.deliver("accept", Some(room), Operation::AcceptInvite { puppet: bob() }).await
    }

    fn puppet(&self) -> NativeUserId {
        self.adapter.addresses().puppet(&bob()).unwrap()
    }

    /// What Alice heard from others.
    fn heard(&self, room: &str) -> Vec<String> {
        let messages = self.alice.messages(room);
        messages.into_iter().filter(|said| said.sender != self.alice.user()).map(|said| said.body).collect()
    }
}

#[async_trait]
impl NativePerson for World {
    fn user(&self) -> NativeUserId {
        self.alice.user().into()
    }

    async fn open_direct(&self, puppet: &NativeUserId) -> NativeRoomId {
        self.alice.create_direct(puppet.as_str()).into()
    }

    async fn say(&self, room: &NativeRoomId, text: &str) {
        self.alice.send(room.as_str(), text);
    }

    async fn hears(&self, room: &NativeRoomId, text: &str) -> Vec<String> {
        self.alice.wait_for_message(room.as_str(), text);
        self.heard(room.as_str())
    }
}

fn bob() -> UserUri {
    UserUri::parse("mimi://b.example/u/bob").unwrap()
}

fn shown(body: &NativeBody) -> String {
    match body {
        NativeBody::Post(part) => match &part.cardinality {
            Cardinality::Single(text) => text.text().unwrap().to_owned(),
            other => panic!("{other:?}"),
        },
        NativeBody::DirectInvite { .. } => "invitation".to_owned(),
        NativeBody::Gap { reason } => format!("gap: {reason}"),
        other => format!("{other:?}"),
    }
}

fn event_of(outcome: Outcome) -> NativeEventId {
    match outcome {
        Outcome::Done { event: Some(event), .. } => event,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_passes_the_conformance_kit() {
    let world = World::start().await;
    let stage = Stage {
        session: &*world.session,
        host: &world.host,
        addresses: &*world.adapter.addresses(),
        guarantee: world.adapter.manifest().guarantee,
        person: &world,
        user: bob(),
    };

    assert_eq!(conformance::run(&stage).await, Ok(()));
    assert_eq!(world.alice.displayname(world.puppet().as_str()).as_deref(), Some("Bob"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_puppet_nobody_asked_for_before_can_be_invited() {
    let world = World::start().await;
    world.host.reported(&SessionStatus::Ready).await;

    let room = world.alice.create_direct(world.puppet().as_str());
    let invite = world.host.event(|event| event.lane.as_str() == room).await;

    assert_eq!(invite.body, NativeBody::DirectInvite { puppet: world.puppet() });
    assert_eq!(invite.from.as_str(), world.alice.user());
    assert_eq!(invite.display_name.as_deref(), Some("alice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mark_up_crosses_both_ways() {
    let world = World::start().await;
    let room = world.direct_chat().await;

    world.alice.send_html(&room, "so *loud*", "so <b>loud</b>");
    let post = world.host.event(|event| matches!(event.body, NativeBody::Post(_))).await;
    let prepared = Prepared { html: Some("<i>quite</i>".to_owned()), ..Prepared::text("_quite_") };
    event_of(world.deliver("post", Some(&room), Operation::Post(prepared)).await);

    let parts = vec![NestedPart::html("so <b>loud</b>"), NestedPart::plain("so *loud*")];
    assert_eq!(post.body, NativeBody::Post(NestedPart::multi(PartSemantics::ChooseOne, parts)));
    let said = world.alice.wait_for_message(&room, "_quite_");
    assert_eq!(said.formatted_body.as_deref(), Some("<i>quite</i>"));
    assert_eq!(said.sender, world.puppet().as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_repeated_after_restarts_of_both_sides_is_one_event() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;

    let first = event_of(world.post("once", &room, "only once").await);
    world.synapse.restart();
    let after_its_restart = event_of(world.post("once", &room, "only once").await);
    world.open_again().await;
    let after_ours = event_of(world.post("once", &room, "only once").await);
    event_of(world.post("end", &room, "end").await);

    assert_eq!([&after_its_restart, &after_ours], [&first, &first]);
    world.alice.wait_for_message(&room, "end");
    assert_eq!(world.heard(&room), ["only once", "end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_repeated_after_the_homeserver_forgot_it_is_one_event() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;

    let first = event_of(world.post("once", &room, "only once").await);
    world.alice.send(&room, "meanwhile");
    world.synapse.stop();
    // As Synapse does itself after 24 hours.
    let forgetting = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
                      db.execute('DELETE FROM event_txn_id_device_id'); db.commit()";
    let database = world.synapse.scratch().join("homeserver.db");
    let forgot = Command::new(test_python()).args(["-c", forgetting]).arg(database).status().unwrap();
    world.synapse.start_again();
    world.open_again().await;
    let again = event_of(world.post("once", &room, "only once").await);
    event_of(world.post("end", &room, "end").await);

    assert!(forgot.success());
    assert_eq!(again, first);
    world.alice.wait_for_message(&room, "end");
    assert_eq!(world.heard(&room), ["only once", "end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_chat_opened_twice_by_one_operation_is_one_room() {
    let mut world = World::start().await;
    let open = || Operation::OpenDirect { puppet: bob(), with: world.alice.user().into() };
    let profile = PuppetProfile { user: bob(), display_name: Some("Bob".to_owned()) };
    assert_eq!(world.deliver("puppet", None, Operation::EnsurePuppet(profile)).await, Outcome::done());

    let first = world.deliver("open", None, open()).await;
    let (again, other) =
        (world.deliver("open", None, open()).await, world.deliver("other", None, open()).await);
    let Outcome::Done { room: Some(room), .. } = first.clone() else { panic!("{first:?}") };
    let joined = world.host.event(|event| event.lane == room).await;
    world.alice.wait_for_member(room.as_str(), world.alice.user(), "join");
    let open_later = open();
    world.synapse.restart();
    let later = world.deliver("open", None, open_later).await;

    assert_eq!([&again, &later], [&first, &first]);
    assert_ne!(other, first);
    assert_eq!(joined.body, NativeBody::Joined { user: world.alice.user().into() });
    let events = world.alice.events();
    let invitation = Event::Invited { room: room.to_string(), by: world.puppet().to_string(), direct: true };
    assert_eq!(events.iter().filter(|event| **event == invitation).count(), 1);
    let names =
        |event: &&Event| matches!(event, Event::Other { kind, .. } if kind == "m.room.canonical_alias");
    assert_eq!(events.iter().find(names), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_we_are_away_comes_when_we_are_back() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;

    world.session.close().await;
    let said: Vec<String> = (0..5).map(|n| format!("message {n}")).collect();
    for text in &said {
        world.alice.send(&room, text);
    }
    world.session = world.adapter.open(Arc::<RecordingHost>::clone(&world.host)).await.unwrap();

    let last = NativeBody::Post(NestedPart::plain(&said[4]));
    world.host.event(|event| event.body == last).await;
    let posts: Vec<_> = world.host.events().into_iter().map(|event| event.body).collect();
    let posts: Vec<_> = posts.into_iter().filter(|body| matches!(body, NativeBody::Post(_))).collect();
    assert_eq!(posts, said.iter().map(|text| NativeBody::Post(NestedPart::plain(text))).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_homeserver_that_is_away_is_told_of_and_waited_for() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;
    world.host.reported(&SessionStatus::Ready).await;

    world.synapse.stop();
    let away = world.post("post", &room, "hi").await;
    world.synapse.start_again();
    world.host.reported(&SessionStatus::Ready).await;

    assert!(matches!(away, Outcome::Broken { .. }), "{away:?}");
    event_of(world.post("post", &room, "hi").await);
    world.alice.wait_for_message(&room, "hi");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_is_told_and_a_puppet_that_is_gone_says_nothing() {
    let world = World::start().await;
    let leave = || Operation::Leave { user: bob() };
    // In a direct chat nobody has the power to remove the other.
    let room = world.alice.create_group("club", &[world.puppet().as_str()]);
    assert_eq!(world.accept(&room).await, Outcome::done());

    world.alice.kick(&room, world.puppet().as_str());
    world.host.event(|event| event.body == NativeBody::Left { user: world.puppet() }).await;
    let post = world.post("post", &room, "hi").await;
    let (left, left_again) = (
        world.deliver("leave", Some(&room), leave()).await,
        world.deliver("leave", Some(&room), leave()).await,
    );
    world.alice.leave(&room);
    let other = world.alice.create_direct(world.puppet().as_str());
    let declined = world.deliver("decline", Some(&other), leave()).await;

    assert!(matches!(post, Outcome::Refused { code: RefusedCode::NotMember, .. }), "{post:?}");
    assert_eq!([left, left_again, declined], [Outcome::done(), Outcome::done(), Outcome::done()]);
    world.alice.wait_for_member(&other, world.puppet().as_str(), "leave");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_kibibytes_of_text_fit_and_more_is_refused() {
    let world = World::start().await;
    let room = world.direct_chat().await;
    let text = "€uro ".repeat(60 * 1024 / 7);

    let html = Some(format!("<b>{text}</b>"));
    let fits = Operation::Post(Prepared { html, ..Prepared::text(&text) });
    event_of(world.deliver("fits", Some(&room), fits).await);
    let too_much = world.post("too much", &room, &text.repeat(2)).await;

    assert_eq!(world.alice.wait_for_message(&room, &text).formatted_body, None);
    assert!(matches!(too_much, Outcome::Refused { code: RefusedCode::TooLarge, .. }), "{too_much:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_message_is_a_gap_for_people_to_read() {
    let world = World::start().await;
    let room = world.direct_chat().await;

    let encrypted = json!({
        "algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "session_id": "s",
        "sender_key": "k", "device_id": "D",
    });
    world.alice.send_event(&room, "m.room.encrypted", &encrypted);

    let gap = world.host.event(|event| matches!(event.body, NativeBody::Gap { .. })).await;
    assert_eq!(shown(&gap.body), "gap: this chat is encrypted on the Matrix side; Drawbridge cannot read it");
    assert_eq!(gap.from.as_str(), world.alice.user());
}
