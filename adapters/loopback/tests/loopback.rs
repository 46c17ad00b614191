//! The loopback network, from outside: its own client, and clients that misbehave.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends where it stands")]

use std::sync::Arc;

use async_trait::async_trait;
use mimi_adapter::conformance::{self, NativePerson, RecordingHost, Stage};
use mimi_adapter::naming::Namespace;
use mimi_adapter::{
    Adapter, Delivery, GroupProfile, NativeBody, NativeRoomId, NativeUserId, Operation, Outcome, Prepared,
    PuppetProfile, RefusedCode, Role, Session, Speaker,
};
use mimi_adapter_loopback::limits::{RETRY_WAIT, TEXT_BYTES_MAX};
use mimi_adapter_loopback::{EventKind, LoopbackAdapter, LoopbackClient};
use mimi_content::NestedPart;
use mimi_uri::UserUri;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const ROOM: &str = "alice+bob@b.example";

struct World {
    adapter: LoopbackAdapter,
    host: Arc<RecordingHost>,
    session: Box<dyn Session>,
}

impl World {
    async fn start() -> Self {
        let adapter = LoopbackAdapter::new(([127, 0, 0, 1], 0).into(), Namespace::Primary).unwrap();
        let host = Arc::new(RecordingHost::new());
        let session = adapter.open(Arc::<RecordingHost>::clone(&host)).await.unwrap();
        Self { adapter, host, session }
    }

    async fn client(&self, user: &str) -> LoopbackClient {
        LoopbackClient::connect(self.adapter.address().unwrap(), user, user).await.unwrap()
    }

    async fn raw(&self) -> Raw {
        Raw(BufReader::new(TcpStream::connect(self.adapter.address().unwrap()).await.unwrap()))
    }

    async fn post(&self, op_id: &str, room: &str, text: &str) -> Outcome {
        self.session.deliver(delivery(op_id, Some(room), Operation::Post(Prepared::text(text)))).await
    }
}

/// A client without manners: says what the test says, acknowledges nothing.
struct Raw(BufReader<TcpStream>);

impl Raw {
    async fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, line: &str) -> String {
        self.say(line).await;
        self.line().await
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }
}

struct Person(LoopbackClient);

#[async_trait]
impl NativePerson for Person {
    fn user(&self) -> NativeUserId {
        self.0.user().into()
    }

    async fn open_direct(&self, puppet: &NativeUserId) -> NativeRoomId {
        self.0.open(puppet.as_str()).await.unwrap().into()
    }

    async fn say(&self, room: &NativeRoomId, text: &str) {
        self.0.say(room.as_str(), text).await.unwrap();
    }

    async fn hears(&self, room: &NativeRoomId, text: &str) -> Vec<String> {
        let is_it = |event: &mimi_adapter_loopback::Event| {
            event.room == room.as_str() && event.text.as_deref() == Some(text)
        };
        self.0.hears(is_it).await.unwrap();
        let heard = self.0.heard().into_iter().filter(|event| event.room == room.as_str());
        heard.filter_map(|event| event.text).collect()
    }
}

fn bob() -> UserUri {
    UserUri::parse("mimi://b.example/u/bob").unwrap()
}

fn delivery(op_id: &str, room: Option<&str>, operation: Operation) -> Delivery {
    Delivery {
        op_id: op_id.into(),
        attempt: 0,
        room: room.map(NativeRoomId::from),
        speaker: Speaker::Puppet(bob()),
        operation,
    }
}

#[tokio::test]
async fn the_adapter_passes_the_conformance_kit() {
    let world = World::start().await;
    let person = Person(world.client("alice").await);
    let stage = Stage {
        session: &*world.session,
        host: &world.host,
        addresses: &*world.adapter.addresses(),
        guarantee: world.adapter.manifest().guarantee,
        person: &person,
        user: bob(),
    };

    assert_eq!(conformance::run(&stage).await, Ok(()));
}

#[tokio::test]
async fn who_is_not_here_is_told_later() {
    let world = World::start().await;

    let absent = world.post("op", ROOM, "hi").await;
    let alice = world.client("alice").await;
    let present = world.post("op", ROOM, "hi").await;

    assert_eq!(absent, Outcome::RetryAfter { wait: RETRY_WAIT });
    assert_eq!(present, Outcome::done_as("op".into()));
    assert_eq!(alice.heard().len(), 1);
}

#[tokio::test]
async fn what_was_not_acknowledged_is_not_done() {
    let world = World::start().await;
    let mut rude = world.raw().await;
    rude.ask(r#"{"login":"alice"}"#).await;

    let posting = world.post("op", ROOM, "hi");
    let leaving = async {
        let told = rude.line().await;
        drop(rude);
        told
    };
    let (outcome, told) = tokio::join!(posting, leaving);

    assert_eq!(
        told,
        format!(
            r#"{{"n":1,"event":"message","room":"{ROOM}","from":"bob@b.example","text":"hi","op":"op"}}"#
        )
    );
    assert_eq!(outcome, Outcome::RetryAfter { wait: RETRY_WAIT });
}

#[tokio::test]
async fn a_line_is_answered_when_it_is_stored_and_said_again_it_is_the_same_line() {
    let world = World::start().await;
    let mut alice = world.raw().await;
    alice.ask(r#"{"login":"alice","name":"Alice"}"#).await;
    let line = format!(r#"{{"say":"hi","room":"{ROOM}","id":"m1"}}"#);
    world.host.refuse_next(1);

    let refused = alice.ask(&line).await;
    let taken = alice.ask(&line).await;
    let again = alice.ask(&line).await;

    assert_eq!(refused, r#"{"error":"not stored, say it again","id":"m1"}"#);
    assert_eq!([taken, again], [r#"{"ok":"m1"}"#, r#"{"ok":"m1"}"#]);
    let events = world.host.events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].body, NativeBody::Post(NestedPart::plain("hi")));
    assert_eq!(events[0].display_name.as_deref(), Some("Alice"));
}

#[tokio::test]
async fn a_wrong_line_is_answered_with_the_reason_and_stops_nothing() {
    let world = World::start().await;
    let mut client = world.raw().await;
    let too_long = "x".repeat(TEXT_BYTES_MAX + 1);
    let long_id = "i".repeat(200);

    for (line, error) in [
        ("nonsense".to_owned(), r#"{"error":"not a line of this network"}"#),
        (r#"{"leave":"r","id":"1"}"#.to_owned(), r#"{"error":"log in first"}"#),
        (r#"{"login":"Alice"}"#.to_owned(), r#"{"error":"a user is a word of a-z, 0-9, '.', '_' and '-'"}"#),
        (r#"{"login":"alice"}"#.to_owned(), r#"{"ok":"alice"}"#),
        (r#"{"login":"carol"}"#.to_owned(), r#"{"error":"logged in already"}"#),
        (r#"{"open":"bob","id":"1"}"#.to_owned(), r#"{"error":"there is no such user","id":"1"}"#),
        (
            r#"{"say":"hi","room":"carol+bob@b.example","id":"1"}"#.to_owned(),
            r#"{"error":"not a room of yours","id":"1"}"#,
        ),
        (
            format!(r#"{{"say":"{too_long}","room":"{ROOM}","id":"1"}}"#),
            r#"{"error":"the text is too long","id":"1"}"#,
        ),
        (
            format!(r#"{{"name":"Al","id":"{long_id}"}}"#),
            &format!(r#"{{"error":"an id has 1 to 128 bytes","id":"{long_id}"}}"#),
        ),
        (r#"{"open":"bob@b.example","id":"2"}"#.to_owned(), r#"{"ok":"2","room":"alice+bob@b.example"}"#),
    ] {
        assert_eq!(client.ask(&line).await, error, "{line:.80}");
    }
    assert_eq!(world.host.events().len(), 1);
}

#[tokio::test]
async fn everybody_hears_his_own_and_on_all_his_clients() {
    let world = World::start().await;
    let (alice, elsewhere, carol) =
        (world.client("alice").await, world.client("alice").await, world.client("carol").await);

    world.post("1", ROOM, "for alice").await;
    world.post("2", "carol+bob@b.example", "for carol").await;

    for client in [&alice, &elsewhere, &carol] {
        let text = format!("for {}", client.user());
        client.hears(|event| event.text.as_deref() == Some(&text)).await.unwrap();
        assert_eq!(client.heard().len(), 1);
    }
}

#[tokio::test]
async fn a_puppet_opens_a_chat_is_called_by_its_name_and_leaves() {
    let world = World::start().await;
    let alice = world.client("alice").await;
    let profile = PuppetProfile { user: bob(), display_name: Some("Bob".to_owned()) };

    let outcomes = [
        world.session.deliver(delivery("1", None, Operation::EnsurePuppet(profile))).await,
        world
            .session
            .deliver(delivery("2", None, Operation::OpenDirect { puppet: bob(), with: "alice".into() }))
            .await,
        world.session.deliver(delivery("3", Some(ROOM), Operation::Leave { user: bob() })).await,
    ];

    assert_eq!(outcomes, [Outcome::done(), Outcome::done_in(ROOM.into()), Outcome::done()]);
    let kinds: Vec<_> = alice.heard().into_iter().map(|event| (event.kind, event.name)).collect();
    let called = Some("Bob".to_owned());
    assert_eq!(kinds, [(EventKind::Opened, called.clone()), (EventKind::Left, called)]);
}

#[tokio::test]
async fn leaving_and_renaming_come_in() {
    let world = World::start().await;
    let alice = world.client("alice").await;

    alice.rename("Al").await.unwrap();
    alice.leave(ROOM).await.unwrap();

    let events = world.host.events();
    let bodies: Vec<_> = events.iter().map(|event| event.body.clone()).collect();
    assert_eq!(
        bodies,
        [
            NativeBody::Profile { user: "alice".into(), display_name: Some("Al".to_owned()) },
            NativeBody::Left { user: "alice".into() },
        ]
    );
    assert_eq!(events[1].display_name.as_deref(), Some("Al"));
}

#[tokio::test]
async fn an_operation_that_makes_no_sense_is_refused() {
    let world = World::start().await;
    let post = || Operation::Post(Prepared::text("hi"));
    let refusal = async |room: Option<&str>, operation| match world
        .session
        .deliver(delivery("op", room, operation))
        .await
    {
        Outcome::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    };

    assert_eq!(refusal(None, post()).await, RefusedCode::Malformed);
    assert_eq!(refusal(Some("nowhere"), post()).await, RefusedCode::UnknownRoom);
    assert_eq!(refusal(Some("alice+carol@b.example"), post()).await, RefusedCode::NotMember);
    let long = Operation::Post(Prepared::text("x".repeat(TEXT_BYTES_MAX + 1)));
    assert_eq!(refusal(Some(ROOM), long).await, RefusedCode::TooLarge);
    let open = Operation::OpenDirect { puppet: bob(), with: "Alice".into() };
    assert_eq!(refusal(None, open).await, RefusedCode::UnknownUser);
}

#[tokio::test]
async fn a_client_outlives_the_network_and_loses_and_doubles_nothing() {
    let world = World::start().await;
    let alice = world.client("alice").await;
    alice.open("bob@b.example").await.unwrap();
    world.post("before", ROOM, "before").await;

    world.session.close().await;
    let (address, host) = (world.adapter.address().unwrap(), Arc::clone(&world.host));
    let opening_again = async {
        let adapter = LoopbackAdapter::new(address, Namespace::Primary).unwrap();
        adapter.open(host).await.unwrap()
    };
    let (said, session) = tokio::join!(alice.say(ROOM, "hi again"), opening_again);
    let mut outcomes = vec![];
    for op_id in ["before", "after"] {
        outcomes
            .push(session.deliver(delivery(op_id, Some(ROOM), Operation::Post(Prepared::text(op_id)))).await);
    }

    said.unwrap();
    assert_eq!(world.host.events()[1].body, NativeBody::Post(NestedPart::plain("hi again")));
    assert_eq!(outcomes, ["before", "after"].map(|op_id| Outcome::done_as(op_id.into())));
    let heard: Vec<_> = alice.heard().into_iter().map(|event| event.op).collect();
    assert_eq!(heard, ["before", "after"]);
}

#[test]
fn a_network_without_passwords_is_for_this_machine_only() {
    assert!(LoopbackAdapter::new(([0, 0, 0, 0], 1).into(), Namespace::Primary).is_err());
    assert!(LoopbackAdapter::new(([127, 0, 0, 9], 1).into(), Namespace::Primary).is_ok());
}

/// A network that has conversations of several people, kept in a file of its own.
async fn gathering(file: &std::path::Path) -> World {
    let adapter = LoopbackAdapter::new(([127, 0, 0, 1], 0).into(), Namespace::Primary).unwrap();
    let adapter = adapter.keeping_groups(file.to_owned());
    let host = Arc::new(RecordingHost::new());
    let session = adapter.open(Arc::<RecordingHost>::clone(&host)).await.unwrap();
    World { adapter, host, session }
}

fn file(test: &str) -> std::path::PathBuf {
    let file = std::env::temp_dir().join(format!("drawbridge-loopback-{}-{test}", std::process::id()));
    std::fs::remove_file(&file).ok();
    file
}

fn bodies(world: &World) -> Vec<NativeBody> {
    world.host.events().into_iter().map(|event| event.body).collect()
}

#[tokio::test]
async fn people_gather_and_the_gateway_hears_of_it_once_a_puppet_is_invited() {
    let world = gathering(&file("gather")).await;
    let (alice, dave) = (world.client("alice").await, world.client("dave").await);

    let room = alice.gather("Tea", &["dave"]).await.unwrap();
    dave.hears(|event| event.kind == EventKind::Opened && event.room == room).await.unwrap();
    alice.say(&room, "between us").await.unwrap();
    dave.hears(|event| event.text.as_deref() == Some("between us")).await.unwrap();
    assert_eq!(bodies(&world), []);

    alice.invite(&room, "bob@b.example").await.unwrap();
    let accept = delivery("op1", Some(&room), Operation::AcceptInvite { puppet: bob() });
    assert_eq!(world.session.deliver(accept).await, Outcome::done());
    alice.say(&room, "for all").await.unwrap();

    let heard = bodies(&world);
    assert!(
        matches!(&heard[0], NativeBody::GroupInvite { puppet, group } if puppet.as_str() == "bob@b.example" && group.name.as_deref() == Some("Tea"))
    );
    let NativeBody::Members(members) = &heard[1] else { panic!("{heard:?}") };
    let members: Vec<_> = members.iter().map(|member| (member.user.as_str(), member.role)).collect();
    assert_eq!(members, [("alice", Role::Owner), ("bob@b.example", Role::Member), ("dave", Role::Member)]);
    assert_eq!(heard[2], NativeBody::Post(NestedPart::plain("for all")));
}

#[tokio::test]
async fn only_who_may_takes_others_out_and_the_banned_do_not_come_back() {
    let world = gathering(&file("ban")).await;
    let (alice, dave) = (world.client("alice").await, world.client("dave").await);
    let room = alice.gather("Tea", &["dave"]).await.unwrap();

    assert!(dave.kick(&room, "alice").await.is_err());
    alice.give(&room, Role::Moderator, "dave").await.unwrap();
    dave.entitle(&room, "Coffee").await.unwrap();
    alice
        .hears(|event| event.kind == EventKind::Title && event.text.as_deref() == Some("Coffee"))
        .await
        .unwrap();
    alice.ban(&room, "dave").await.unwrap();
    dave.hears(|event| event.kind == EventKind::Banned && event.who.as_deref() == Some("dave"))
        .await
        .unwrap();

    assert!(dave.join(&room).await.is_err());
    assert!(dave.say(&room, "still here?").await.is_err());
    alice.unban(&room, "dave").await.unwrap();
    dave.join(&room).await.unwrap();
    alice
        .hears(|event| event.kind == EventKind::Joined && event.from.as_deref() == Some("dave"))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_gateways_own_conversation_outlives_the_network() {
    let kept = file("outlives");
    let world = gathering(&kept).await;
    let group = GroupProfile { name: Some("Tea".to_owned()), topic: None };
    let open = delivery("op1", None, Operation::OpenGroup { group, invite: vec!["alice".into()] });
    let Outcome::Done { room: Some(room), .. } = world.session.deliver(open.clone()).await else { panic!() };
    let enter = delivery("op2", Some(room.as_str()), Operation::Enter { user: bob() });
    assert_eq!(world.session.deliver(enter).await, Outcome::done());
    world.session.close().await;

    let world = gathering(&kept).await;
    let alice = world.client("alice").await;
    assert_eq!(world.session.deliver(open).await, Outcome::done_in(room.clone()));
    let post = world.post("op3", room.as_str(), "hi").await;
    assert_eq!(post, Outcome::done_as("op3".into()));

    let heard = alice.hears(|event| event.kind == EventKind::Message).await.unwrap();
    assert_eq!((heard.from.as_deref(), heard.text.as_deref()), (Some("bob@b.example"), Some("hi")));
    alice.say(room.as_str(), "hello").await.unwrap();
    assert!(bodies(&world).contains(&NativeBody::Post(NestedPart::plain("hello"))));
}

#[tokio::test]
async fn two_who_speak_at_once_hear_each_other() {
    let world = gathering(&file("at_once")).await;
    let (alice, dave) = (world.client("alice").await, world.client("dave").await);
    let room = alice.gather("Tea", &["dave"]).await.unwrap();

    for round in 0..20 {
        let (by_alice, by_dave) = (format!("a{round}"), format!("d{round}"));
        let (one, other) = tokio::join!(alice.say(&room, &by_alice), dave.say(&room, &by_dave));
        one.unwrap();
        other.unwrap();
    }

    let count = |client: &LoopbackClient| {
        client.heard().iter().filter(|event| event.kind == EventKind::Message).count()
    };
    assert_eq!((count(&alice), count(&dave)), (20, 20));
}
