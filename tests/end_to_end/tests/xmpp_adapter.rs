//! The XMPP adapter alone, against real servers and a real client: what its unit tests take for granted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends where it stands")]

use std::sync::Arc;

use async_trait::async_trait;
use end_to_end::{XmppEvent, XmppPerson, XmppServer, XmppSoftware};
use mimi_adapter::conformance::{self, NativePerson, RecordingHost, Stage};
use mimi_adapter::{
    Adapter, Delivery, NativeBody, NativeRoomId, NativeUserId, OpId, Operation, Outcome, Prepared, Progress,
    PuppetProfile, Receipt, RefusedCode, Session, SessionStatus, Speaker,
};
use mimi_adapter_xmpp::{XmppAdapter, XmppConfig};
use mimi_content::NestedPart;
use mimi_uri::UserUri;

#[path = "xmpp_adapter/rooms.rs"]
mod rooms;

/// A server with Alice, and the adapter of our Bob.
struct World {
    session: Box<dyn Session>,
    host: Arc<RecordingHost>,
    adapter: XmppAdapter,
    alice: XmppPerson,
    server: XmppServer,
}

impl World {
    async fn start(software: XmppSoftware) -> Self {
        let server = XmppServer::start(software, "a.example");
        let alice = XmppPerson::register(&server, "alice");
        let address = server.components().address();
        let config = XmppConfig::new(address, server.domain(), &server.component(), server.secret());
        let adapter = XmppAdapter::new(config).unwrap();
        let host = Arc::new(RecordingHost::new());
        let session = adapter.open(Arc::<RecordingHost>::clone(&host)).await.unwrap();
        host.reported(&SessionStatus::Ready).await;
        Self { session, host, adapter, alice, server }
    }

    /// Ends the session and opens another, as a new process would.
    async fn open_again(&mut self) {
        self.session.close().await;
        self.host.reported(&SessionStatus::Closed).await;
        self.session = self.adapter.open(Arc::<RecordingHost>::clone(&self.host)).await.unwrap();
        self.host.reported(&SessionStatus::Ready).await;
    }

    async fn deliver(&self, op_id: &str, operation: Operation) -> Outcome {
        let delivery = Delivery {
            op_id: OpId::from(op_id),
            attempt: 0,
            room: Some(self.room()),
            speaker: Speaker::Puppet(bob()),
            operation,
        };
        self.session.deliver(delivery).await
    }

    async fn post(&self, op_id: &str, text: &str) -> Outcome {
        self.deliver(op_id, Operation::Post(Prepared::text(text))).await
    }

    fn puppet(&self) -> String {
        self.adapter.addresses().puppet(&bob()).unwrap().to_string()
    }

    fn room(&self) -> NativeRoomId {
        format!("{} {}", self.alice.user(), self.puppet()).into()
    }

    /// What the host has, in short.
    fn taken(&self) -> Vec<NativeBody> {
        self.host.events().into_iter().map(|event| event.body).collect()
    }

    fn invitation(&self) -> NativeBody {
        NativeBody::DirectInvite { puppet: self.puppet().into() }
    }
}

#[async_trait]
impl NativePerson for World {
    fn user(&self) -> NativeUserId {
        self.alice.user().into()
    }

    async fn open_direct(&self, puppet: &NativeUserId) -> NativeRoomId {
        self.alice.presence(puppet.as_str(), "subscribe");
        self.room()
    }

    async fn say(&self, _: &NativeRoomId, text: &str) {
        self.alice.say(&self.puppet(), text);
    }

    async fn hears(&self, _: &NativeRoomId, text: &str) -> Vec<String> {
        self.alice.wait_for_text(&self.puppet(), text)
    }
}

fn bob() -> UserUri {
    UserUri::parse("mimi://b.example/u/bob").unwrap()
}

fn post(text: &str) -> NativeBody {
    NativeBody::Post(NestedPart::plain(text))
}

async fn passes_the_conformance_kit(software: XmppSoftware) {
    let world = World::start(software).await;
    let stage = Stage {
        session: &*world.session,
        host: &world.host,
        addresses: &*world.adapter.addresses(),
        guarantee: world.adapter.manifest().guarantee,
        person: &world,
        user: bob(),
    };

    assert_eq!(conformance::run(&stage).await, Ok(()));
    assert_eq!(world.alice.name_of(&world.puppet()), "Bob");
    world.alice.wait_for_presence(&world.puppet(), "subscribed");
    assert_eq!(world.alice.wait_for_presence(&world.puppet(), "available"), "Bob");
    assert!(world.alice.features(&world.puppet()).contains(&"urn:xmpp:receipts".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_passes_the_conformance_kit_at_prosody() {
    passes_the_conformance_kit(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_passes_the_conformance_kit_at_ejabberd() {
    passes_the_conformance_kit(XmppSoftware::Ejabberd).await;
}

async fn a_first_message_opens_a_chat_and_words_cross_before_a_request_is_answered(software: XmppSoftware) {
    let world = World::start(software).await;
    world.alice.accept_requests(false);

    world.alice.say(&world.puppet(), "hello?");
    let open = Operation::OpenDirect { puppet: bob(), with: world.alice.user().into() };
    let opened = world.deliver("open", open.clone()).await;
    let again = world.deliver("open", open).await;
    let said = world.post("post", "hello!").await;

    world.host.event(|event| event.body == post("hello?")).await;
    // That the answer has been received may be told already.
    let said_to_us = world.taken().into_iter().filter(|body| !matches!(body, NativeBody::Receipt { .. }));
    assert_eq!(said_to_us.collect::<Vec<_>>(), [world.invitation(), post("hello?")]);
    assert_eq!([&opened, &again], [&Outcome::done_in(world.room()); 2]);
    assert_eq!(said, Outcome::done_as("post".into()));
    assert_eq!(world.alice.wait_for_presence(&world.puppet(), "subscribe"), "bob (b.example)");
    world.alice.wait_for_text(&world.puppet(), "hello!");
    world.alice.presence(&world.puppet(), "subscribed");
    world.host.event(|event| event.body == NativeBody::Joined { user: world.alice.user().into() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_opens_a_chat_at_prosody() {
    a_first_message_opens_a_chat_and_words_cross_before_a_request_is_answered(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_message_opens_a_chat_at_ejabberd() {
    a_first_message_opens_a_chat_and_words_cross_before_a_request_is_answered(XmppSoftware::Ejabberd).await;
}

async fn signs_cross_both_ways(software: XmppSoftware) {
    let world = World::start(software).await;
    let id = world.alice.say(&world.puppet(), "hi");
    let heard = world.host.event(|event| event.body == post("hi")).await;
    assert_eq!(world.post("op", "ho").await, Outcome::done_as("op".into()));
    world.alice.wait_for_text(&world.puppet(), "ho");

    world.alice.displayed(&world.puppet(), "op");
    let progress =
        |progress| world.deliver("show", Operation::ShowProgress { event: heard.id.clone(), progress });
    let read = progress(Progress::Received(Receipt::Read)).await;
    let refused = progress(Progress::Refused { why: "nobody is there".to_owned() }).await;

    let receipt = |receipt| NativeBody::Receipt { event: "op".into(), receipt };
    world.host.event(|event| event.body == receipt(Receipt::Delivered)).await;
    world.host.event(|event| event.body == receipt(Receipt::Read)).await;
    assert_eq!([read, refused], [Outcome::done(), Outcome::done()]);
    let (displayed, error) = (
        XmppEvent::Displayed { from: world.puppet(), id: id.clone() },
        XmppEvent::Error {
            from: world.puppet(),
            id,
            condition: "recipient-unavailable".to_owned(),
            text: "nobody is there".to_owned(),
        },
    );
    world.alice.wait_for("both signs", |events| {
        (events.contains(&displayed) && events.contains(&error)).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_markers_and_errors_cross_at_prosody() {
    signs_cross_both_ways(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_markers_and_errors_cross_at_ejabberd() {
    signs_cross_both_ways(XmppSoftware::Ejabberd).await;
}

async fn who_is_nobody_is_told_of_on_both_sides(software: XmppSoftware) {
    let world = World::start(software).await;
    let nobody = format!("nobody@a.example {}", world.puppet());
    let delivery = Delivery {
        op_id: "post".into(),
        attempt: 0,
        room: Some(nobody.into()),
        speaker: Speaker::Puppet(bob()),
        operation: Operation::Post(Prepared::text("hi")),
    };

    let refused = world.session.deliver(delivery).await;
    let no_puppet = world.alice.try_say(&format!("bob@{}", world.server.component()), "hi");

    assert!(matches!(refused, Outcome::Refused { code: RefusedCode::UnknownUser, .. }), "{refused:?}");
    assert!(no_puppet.as_ref().is_err_and(|why| why.contains("item-not-found")), "{no_puppet:?}");
    let too_large = world.post("large", &"x".repeat(60 * 1024 + 1)).await;
    assert!(matches!(too_large, Outcome::Refused { code: RefusedCode::TooLarge, .. }), "{too_large:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_nobody_is_told_of_at_prosody() {
    who_is_nobody_is_told_of_on_both_sides(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_nobody_is_told_of_at_ejabberd() {
    who_is_nobody_is_told_of_on_both_sides(XmppSoftware::Ejabberd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_ends_from_either_side() {
    let world = World::start(XmppSoftware::Prosody).await;
    world.alice.presence(&world.puppet(), "subscribe");
    world.host.event(|event| event.body == world.invitation()).await;
    assert_eq!(world.deliver("accept", Operation::AcceptInvite { puppet: bob() }).await, Outcome::done());
    world.alice.wait_for_presence(&world.puppet(), "subscribed");

    assert_eq!(world.deliver("leave", Operation::Leave { user: bob() }).await, Outcome::done());
    world.alice.wait_for_presence(&world.puppet(), "unsubscribed");
    world.alice.say(&world.puppet(), "come back");
    world.alice.presence(&world.puppet(), "subscribe");
    world.alice.presence(&world.puppet(), "unsubscribe");

    world.host.event(|event| event.body == NativeBody::Left { user: world.alice.user().into() }).await;
    let invitations = world.taken().iter().filter(|body| **body == world.invitation()).count();
    assert_eq!(invitations, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_again_is_one_event_and_one_receipt_each_time() {
    let mut world = World::start(XmppSoftware::Prosody).await;
    let receipts = |events: &[XmppEvent]| {
        let of = |event: &&XmppEvent| matches!(event, XmppEvent::Receipt { id, .. } if id == "same");
        events.iter().filter(of).count()
    };

    world.alice.send_once(&world.puppet(), "hi", "same");
    world.alice.wait_for("a receipt", |events| (receipts(events) == 1).then_some(()));
    world.open_again().await;
    world.alice.send_once(&world.puppet(), "hi", "same");
    world.alice.wait_for("another receipt", |events| (receipts(events) == 2).then_some(()));

    let posts = world.taken().into_iter().filter(|body| *body == post("hi")).count();
    assert_eq!(posts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_makes_no_sense_is_sent_back_and_stops_nothing() {
    let world = World::start(XmppSoftware::Prosody).await;

    let twice = "<body>odd</body><thread>one</thread><thread>two</thread>";
    world.alice.send_raw(&format!("<message id='odd' type='chat' to='{}'>{twice}</message>", world.puppet()));
    world.alice.say(&world.puppet(), "hi");

    world.host.event(|event| event.body == post("hi")).await;
    world.alice.wait_for("the odd one back", |events| {
        let is_it = |event: &XmppEvent| matches!(event, XmppEvent::Error { id, .. } if id == "odd");
        events.iter().any(is_it).then_some(())
    });
}

async fn a_server_that_is_away_is_told_of_and_waited_for(software: XmppSoftware) {
    let mut world = World::start(software).await;
    assert_eq!(world.post("before", "before").await, Outcome::done_as("before".into()));
    world.alice.wait_for_text(&world.puppet(), "before");

    world.server.stop();
    let away = world.post("after", "after").await;
    world.server.start_again();
    world.host.reported(&SessionStatus::Ready).await;

    assert!(matches!(away, Outcome::Broken { .. }), "{away:?}");
    // Alice's own client has to come back, too: what is said to her before is her server's to keep.
    world.alice.say(&world.puppet(), "back");
    world.host.event(|event| event.body == post("back")).await;
    assert_eq!(world.post("after", "after").await, Outcome::done_as("after".into()));
    assert_eq!(world.alice.wait_for_text(&world.puppet(), "after"), ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prosody_that_is_away_is_waited_for() {
    a_server_that_is_away_is_told_of_and_waited_for(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ejabberd_that_is_away_is_waited_for() {
    a_server_that_is_away_is_told_of_and_waited_for(XmppSoftware::Ejabberd).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told() {
    let server = XmppServer::start(XmppSoftware::Prosody, "a.example");
    let config = XmppConfig::new(server.components().address(), "a.example", &server.component(), "wrong");
    let host = Arc::new(RecordingHost::new());

    let session = XmppAdapter::new(config).unwrap().open(Arc::<RecordingHost>::clone(&host)).await.unwrap();

    let why = host.connecting().await;
    assert!(why.contains("does not take us for mimi.a.example"), "{why}");
    session.close().await;
}
