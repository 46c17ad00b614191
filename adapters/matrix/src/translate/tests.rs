use mimi_adapter::{GroupProfile, Role};
use mimi_content::NestedPart;
use serde_json::{Value, json};

use super::*;
use crate::MatrixConfig;

const PUPPET: &str = "@_mimi_bob=40b.example:a.example";
const ALICE: &str = "@alice:a.example";

fn translated(events: &[Value]) -> Translation {
    let config = MatrixConfig::new("http://127.0.0.1:1", "a.example", ([127, 0, 0, 1], 2).into())
        .with_tokens("ours", "theirs");
    let raw: Vec<_> = events.iter().map(|event| Raw::from_json_string(event.to_string()).unwrap()).collect();
    translate(&MatrixNames::new(&config).unwrap(), &raw)
}

fn event(kind: &str, sender: &str, content: impl Into<Value>) -> Value {
    json!({
        "type": kind, "sender": sender, "content": content.into(), "room_id": "!r:a.example",
        "event_id": "$e", "origin_server_ts": 1_700_000_000_000_u64,
    })
}

fn member(sender: &str, user: &str, content: impl Into<Value>) -> Value {
    let mut member = event("m.room.member", sender, content);
    member["state_key"] = user.into();
    member
}

fn member_after(sender: &str, user: &str, before: impl Into<Value>, content: impl Into<Value>) -> Value {
    let mut member = member(sender, user, content);
    member["unsigned"] = json!({ "prev_content": before.into() });
    member
}

fn bodies(events: &[Value]) -> Vec<NativeBody> {
    translated(events).events.into_iter().map(|event| event.body).collect()
}

#[test]
fn a_message_is_a_post_in_the_lane_of_its_room() {
    let said = event("m.room.message", ALICE, json!({ "msgtype": "m.text", "body": "hi" }));

    assert_eq!(
        translated(&[said]).events,
        [NativeEvent {
            lane: "!r:a.example".into(),
            id: "$e".into(),
            nonce: None,
            from: ALICE.into(),
            display_name: None,
            at_ms: 1_700_000_000_000,
            body: NativeBody::Post(NestedPart::plain("hi")),
        }]
    );
}

#[test]
fn what_our_own_users_do_is_an_echo() {
    let text = json!({ "msgtype": "m.text", "body": "hi" });
    let events = [
        event("m.room.message", PUPPET, text.clone()),
        event("m.room.message", "@_mimi_drawbridge:a.example", text),
        member(PUPPET, PUPPET, json!({ "membership": "join" })),
        member(PUPPET, ALICE, json!({ "membership": "invite", "is_direct": true })),
        member(PUPPET, PUPPET, json!({ "membership": "leave" })),
    ];

    assert_eq!(bodies(&events), []);
}

#[test]
fn what_a_user_of_another_server_says_is_not_bridged() {
    let said = event("m.room.message", "@carol:c.example", json!({ "msgtype": "m.text", "body": "hi" }));

    assert_eq!(bodies(&[said]), []);
}

#[test]
fn an_invitation_of_a_puppet_opens_a_direct_chat_and_names_the_inviter() {
    let mut invitation =
        member(ALICE, PUPPET, json!({ "membership": "invite", "is_direct": true, "displayname": "Bob" }));
    invitation["unsigned"] = json!({ "invite_room_state": [
        { "type": "m.room.join_rules", "sender": ALICE, "state_key": "", "content": { "join_rule": "invite" } },
        { "type": "m.room.member", "sender": ALICE, "state_key": ALICE,
          "content": { "membership": "join", "displayname": "Alice" } },
    ] });

    let event = translated(&[invitation]).events.remove(0);

    assert_eq!(event.body, NativeBody::DirectInvite { puppet: PUPPET.into() });
    assert_eq!(event.from, ALICE.into());
    assert_eq!(event.display_name.as_deref(), Some("Alice"));
}

#[test]
fn an_invitation_that_does_not_say_is_direct_if_the_room_has_no_name() {
    let nameless = member(ALICE, PUPPET, json!({ "membership": "invite" }));
    let mut named = nameless.clone();
    named["unsigned"] = json!({ "invite_room_state": [
        { "type": "m.room.name", "sender": ALICE, "state_key": "", "content": { "name": "Club" } },
    ] });
    let denied = member(ALICE, PUPPET, json!({ "membership": "invite", "is_direct": false }));

    assert_eq!(bodies(&[nameless]), [NativeBody::DirectInvite { puppet: PUPPET.into() }]);
    let group = |name: Option<&str>| NativeBody::GroupInvite {
        puppet: PUPPET.into(),
        group: GroupProfile { name: name.map(str::to_owned), topic: None },
    };
    assert_eq!(bodies(&[named, denied]), [group(Some("Club")), group(None)]);
}

#[test]
fn what_a_room_says_of_itself_is_told_unless_we_said_it() {
    let titled = |sender: &str| event("m.room.name", sender, json!({ "name": "Tea" }));
    let mut levels = event("m.room.power_levels", ALICE, json!({ "users": { ALICE: 100, PUPPET: 50 } }));
    levels["unsigned"] = json!({ "prev_content": { "users": { ALICE: 100 } } });
    let role = translated(&[levels]).events.remove(0);

    assert_eq!(
        bodies(&[titled(ALICE), titled(PUPPET), event("m.room.topic", ALICE, json!({ "topic": "" }))]),
        [NativeBody::Renamed { name: Some("Tea".to_owned()) }, NativeBody::Topic { topic: None }]
    );
    assert_eq!(role.body, NativeBody::Role { user: PUPPET.into(), role: Role::Moderator });
    assert_eq!(role.id.as_str(), format!("$e/{PUPPET}"));
}

#[test]
fn an_invitation_of_anybody_else_is_not_ours() {
    let invite = json!({ "membership": "invite", "is_direct": true });

    assert_eq!(
        bodies(&[
            member(ALICE, "@dora:a.example", invite.clone()),
            member(ALICE, "@_mimi_drawbridge:a.example", invite.clone()),
            member("@carol:c.example", PUPPET, invite),
        ]),
        []
    );
}

#[test]
fn coming_and_going_is_told_once() {
    let join = json!({ "membership": "join", "displayname": "Alice" });
    let leave = json!({ "membership": "leave" });
    let ban = json!({ "membership": "ban" });
    let left = |user: &str| NativeBody::Left { user: user.into() };
    let banned = |user: &str| NativeBody::Banned { user: user.into() };

    assert_eq!(bodies(&[member(ALICE, ALICE, join.clone())]), [NativeBody::Joined { user: ALICE.into() }]);
    assert_eq!(bodies(&[member_after(ALICE, ALICE, join.clone(), leave.clone())]), [left(ALICE)]);
    assert_eq!(bodies(&[member_after(ALICE, PUPPET, join.clone(), leave.clone())]), [left(PUPPET)]);
    assert_eq!(bodies(&[member_after("@carol:c.example", PUPPET, join, ban.clone())]), [banned(PUPPET)]);
    let unbanned = NativeBody::Unbanned { user: PUPPET.into() };
    assert_eq!(bodies(&[member_after(ALICE, PUPPET, ban.clone(), leave)]), [unbanned]);
    assert_eq!(bodies(&[member_after(ALICE, PUPPET, ban.clone(), ban)]), []);
}

#[test]
fn a_new_display_name_is_a_profile_and_a_new_picture_is_not() {
    let named = |name: &str| json!({ "membership": "join", "displayname": name });
    let pictured = json!({ "membership": "join", "displayname": "Al", "avatar_url": "mxc://a.example/x" });

    assert_eq!(
        bodies(&[member_after(ALICE, ALICE, named("Alice"), named("Al"))]),
        [NativeBody::Profile { user: ALICE.into(), display_name: Some("Al".to_owned()) }]
    );
    assert_eq!(bodies(&[member_after(ALICE, ALICE, named("Al"), pictured)]), []);
}

#[test]
fn an_encrypted_message_is_a_gap_that_says_so() {
    let content = json!({
        "algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AwgA", "session_id": "s",
        "sender_key": "k", "device_id": "D",
    });

    let reason = "this chat is encrypted on the Matrix side; Drawbridge cannot read it".to_owned();
    assert_eq!(bodies(&[event("m.room.encrypted", ALICE, content)]), [NativeBody::Gap { reason }]);
}

#[test]
fn what_cannot_be_read_is_set_aside_without_its_content_and_stops_nothing() {
    let good = event("m.room.message", ALICE, json!({ "msgtype": "m.text", "body": "hi" }));
    let poison = [
        event("m.room.message", ALICE, json!({ "msgtype": "m.text", "body": ["secret"] })),
        event("m.room.message", "nobody", json!({ "msgtype": "m.text", "body": "secret" })),
        member(ALICE, "secret", json!({ "membership": "invite" })),
        json!({ "content": "secret" }),
        json!("secret"),
    ];

    let translation = translated(&[&poison[..], &[good]].concat());

    assert_eq!(translation.events.len(), 1);
    assert_eq!(translation.set_aside.len(), poison.len());
    assert_eq!(translation.set_aside[0], "event $e (m.room.message) in !r:a.example cannot be read");
    assert!(translation.set_aside.iter().all(|why| !why.contains("secret")));
}

#[test]
fn a_kind_we_do_not_know_and_what_was_taken_back_say_nothing() {
    let mut redacted = event("m.room.message", ALICE, json!({}));
    redacted["unsigned"] = json!({ "redacted_because": {
        "type": "m.room.redaction", "sender": ALICE, "content": {}, "event_id": "$r", "redacts": "$e",
        "origin_server_ts": 1, "room_id": "!r:a.example",
    } });

    let translation = translated(&[event("x.dance", ALICE, json!(7)), redacted]);

    assert_eq!(translation.events, []);
    assert_eq!(translation.set_aside, [""; 0]);
}
