//! Rooms: our own, and those of others.

use end_to_end::XmppMessage;
use mimi_adapter::{GroupMember, GroupProfile, NativeEvent, Person, Role};
use serde_json::json;

use super::*;

impl World {
    async fn in_room(&self, op_id: &str, room: &str, speaker: Speaker, operation: Operation) -> Outcome {
        let room = Some(room.into());
        let delivery = Delivery { op_id: op_id.into(), attempt: 0, room, speaker, operation };
        self.session.deliver(delivery).await
    }

    async fn by_service(&self, op_id: &str, room: &str, operation: Operation) -> Outcome {
        self.in_room(op_id, room, Speaker::Service, operation).await
    }

    async fn bob_says(&self, op_id: &str, room: &str, text: &str) -> Outcome {
        self.in_room(op_id, room, Speaker::Puppet(bob()), Operation::Post(Prepared::text(text))).await
    }

    /// A room of ours with Alice in it.
    async fn our_room(&self) -> String {
        let group = GroupProfile { name: Some("Club".to_owned()), topic: Some("tea".to_owned()) };
        let invite = vec![self.alice.user().into()];
        let delivery = Delivery {
            op_id: "open".into(),
            attempt: 0,
            room: None,
            speaker: Speaker::Service,
            operation: Operation::OpenGroup { group, invite },
        };
        let first = self.session.deliver(delivery.clone()).await;
        let Outcome::Done { room: Some(room), .. } = &first else { panic!("{first:?}") };
        self.host.event(|event| event.lane == *room && event.body == self.alice_joined()).await;
        assert_eq!(self.session.deliver(delivery).await, first);
        room.to_string()
    }

    fn alice_joined(&self) -> NativeBody {
        NativeBody::Joined { user: self.alice.user().into() }
    }

    async fn heard_in(&self, room: &str, body: NativeBody) -> NativeEvent {
        self.host.event(|event| event.lane.as_str() == room && event.body == body).await
    }

    fn posts_in(&self, room: &str) -> Vec<NativeBody> {
        let events = self.host.events().into_iter().filter(|event| event.lane.as_str() == room);
        events.map(|event| event.body).filter(|body| matches!(body, NativeBody::Post(_))).collect()
    }

    /// What Alice heard in a room from this nick.
    fn said_by(&self, room: &str, nick: &str) -> Vec<String> {
        let of = |message: &XmppMessage| message.from == room && message.nick == nick;
        let events = self.alice.events().into_iter().filter_map(|event| match event {
            XmppEvent::Message(message) if of(&message) => Some(message.body),
            _ => None,
        });
        events.collect()
    }
}

async fn a_room_of_ours_carries_what_is_said_and_done(software: XmppSoftware) {
    let world = World::start(software).await;
    let room = world.our_room().await;

    world.alice.say_in_room(&room, "hi all");
    let heard = world.heard_in(&room, post("hi all")).await;
    assert_eq!(world.by_service("enter", &room, Operation::Enter { user: bob() }).await, Outcome::done());
    let said = world.bob_says("said", &room, "hi Alice").await;
    let native = || Person::Native(world.alice.user().into());
    let mut done = vec![];
    for (op_id, operation) in [
        ("rename", Operation::Rename(Some("Salon".to_owned()))),
        ("topic", Operation::SetTopic(Some("coffee".to_owned()))),
        ("role", Operation::SetRole { person: native(), role: Role::Moderator }),
        ("remove", Operation::Remove { person: native() }),
        ("ban", Operation::Ban { person: native() }),
        ("unban", Operation::Unban { person: native() }),
        ("leave", Operation::Leave { user: bob() }),
    ] {
        done.push(world.by_service(op_id, &room, operation).await);
    }

    assert_eq!(heard.from.as_str(), world.alice.user());
    assert!(matches!(said, Outcome::Done { event: Some(_), .. }), "{said:?}");
    assert_eq!(done, vec![Outcome::done(); 7]);
    world.alice.wait_for_text(&room, "hi Alice");
    assert_eq!(world.said_by(&room, "bob (b.example)"), ["hi Alice"]);
    let coffee = XmppEvent::Subject { room: room.clone(), subject: "coffee".to_owned() };
    world.alice.wait_for("the new topic", |events| events.contains(&coffee).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_of_ours_carries_what_is_said_and_done_at_prosody() {
    a_room_of_ours_carries_what_is_said_and_done(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_of_ours_carries_what_is_said_and_done_at_ejabberd() {
    a_room_of_ours_carries_what_is_said_and_done(XmppSoftware::Ejabberd).await;
}

async fn what_is_missed_and_what_is_repeated_the_archive_knows(software: XmppSoftware) {
    let mut world = World::start(software).await;
    let room = world.our_room().await;
    assert_eq!(world.by_service("enter", &room, Operation::Enter { user: bob() }).await, Outcome::done());
    let first = world.bob_says("once", &room, "only once").await;
    world.alice.say_in_room(&room, "before");
    world.heard_in(&room, post("before")).await;

    world.session.close().await;
    world.host.reported(&SessionStatus::Closed).await;
    for text in ["one", "two", "three"] {
        world.alice.say_in_room(&room, text);
    }
    world.alice.wait_for_text(&room, "three");
    world.session = world.adapter.open(Arc::<RecordingHost>::clone(&world.host)).await.unwrap();
    world.host.reported(&SessionStatus::Ready).await;
    let again = world.bob_says("once", &room, "only once").await;
    world.alice.say_in_room(&room, "after");

    world.heard_in(&room, post("after")).await;
    let texts = ["before", "one", "two", "three", "after"];
    assert_eq!(world.posts_in(&room), texts.map(post));
    assert!(matches!(first, Outcome::Done { event: Some(_), .. }), "{first:?}");
    assert_eq!(again, first);
    assert_eq!(world.said_by(&room, "bob (b.example)"), ["only once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missed_and_what_is_repeated_the_archive_knows_at_prosody() {
    what_is_missed_and_what_is_repeated_the_archive_knows(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missed_and_what_is_repeated_the_archive_knows_at_ejabberd() {
    what_is_missed_and_what_is_repeated_the_archive_knows(XmppSoftware::Ejabberd).await;
}

async fn a_puppet_is_invited_into_a_room_of_others(software: XmppSoftware) {
    let world = World::start(software).await;
    let room = "den@conference.a.example";
    world.alice.open_room(room, "Bob", &json!({ "muc#roomconfig_whois": "anyone" }));
    let profile = PuppetProfile { user: bob(), display_name: Some("Bob".to_owned()) };
    assert_eq!(world.deliver("puppet", Operation::EnsurePuppet(profile)).await, Outcome::done());

    world.alice.invite(room, &world.puppet());
    let invited = world.host.event(|event| matches!(event.body, NativeBody::GroupInvite { .. })).await;
    let accept = Operation::AcceptInvite { puppet: bob() };
    let accepted = world.in_room("accept", room, Speaker::Puppet(bob()), accept).await;
    let members = world.host.event(|event| matches!(event.body, NativeBody::Members(_))).await;
    let said = world.bob_says("said", room, "thanks").await;
    world.alice.set_subject(room, "cats");
    world.heard_in(room, NativeBody::Topic { topic: Some("cats".to_owned()) }).await;
    world.alice.affiliate(room, &world.puppet(), "outcast");
    let banned = world.heard_in(room, NativeBody::Banned { user: world.puppet().into() }).await;
    let silenced = world.bob_says("silenced", room, "hello?").await;

    assert_eq!((invited.lane.as_str(), invited.from.as_str()), (room, world.alice.user()));
    assert_eq!(accepted, Outcome::done());
    let alice = GroupMember { user: world.alice.user().into(), display_name: None, role: Role::Owner };
    let NativeBody::Members(members) = members.body else { panic!("{members:?}") };
    assert!(members.contains(&alice), "{members:?}");
    assert!(matches!(said, Outcome::Done { event: Some(_), .. }), "{said:?}");
    assert_eq!(banned.from.as_str(), world.alice.user());
    assert!(matches!(silenced, Outcome::Refused { code: RefusedCode::NotAllowed, .. }), "{silenced:?}");
    // Alice has the puppet's name as her nick, so it has another.
    assert_eq!(world.said_by(room, "Bob 2"), ["thanks"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_puppet_is_invited_into_a_room_of_others_at_prosody() {
    a_puppet_is_invited_into_a_room_of_others(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_puppet_is_invited_into_a_room_of_others_at_ejabberd() {
    a_puppet_is_invited_into_a_room_of_others(XmppSoftware::Ejabberd).await;
}

async fn a_room_that_hides_who_speaks_is_told_so_and_left(software: XmppSoftware) {
    let is_no = |event: &XmppEvent| matches!(event, XmppEvent::Declined { reason, .. } if reason.starts_with("This room hides"));
    let world = World::start(software).await;
    let room = "masks@conference.a.example";
    world.alice.open_room(room, "alice", &json!({ "muc#roomconfig_whois": "moderators" }));

    // ejabberd shows who invites even where it hides who speaks.
    if software == XmppSoftware::Prosody {
        world.alice.invite(room, &world.puppet());
        world.alice.wait_for("a no", |events| events.iter().any(is_no).then_some(()));
    }
    world.alice.invite_directly(room, &world.puppet());
    world.host.event(|event| matches!(event.body, NativeBody::GroupInvite { .. })).await;
    let accept = Operation::AcceptInvite { puppet: bob() };
    let refused = world.in_room("accept", room, Speaker::Puppet(bob()), accept).await;

    assert!(matches!(refused, Outcome::Refused { code: RefusedCode::NotAllowed, .. }), "{refused:?}");
    world.alice.wait_for("the reason", |events| {
        let says_why = |event: &XmppEvent| matches!(event, XmppEvent::Message(message) if message.body.starts_with("This room hides"));
        events.iter().any(says_why).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_hides_who_speaks_is_told_so_and_left_at_prosody() {
    a_room_that_hides_who_speaks_is_told_so_and_left(XmppSoftware::Prosody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_hides_who_speaks_is_told_so_and_left_at_ejabberd() {
    a_room_that_hides_who_speaks_is_told_so_and_left(XmppSoftware::Ejabberd).await;
}
