use mimi_adapter::{Addresses, GroupProfile, NativeBody, NativeEvent, NativeUserId};
use ruma::events::room::encrypted::RoomEncryptedEvent;
use ruma::events::room::member::{MembershipState, OriginalRoomMemberEvent, RoomMemberEvent};
use ruma::events::room::message::RoomMessageEvent;
use ruma::events::{AnyStrippedStateEvent, AnyTimelineEvent};
use ruma::serde::Raw;
use ruma::{EventId, MilliSecondsSinceUnixEpoch, RoomId, UserId};

use crate::{MatrixNames, message};
use state::state;

mod state;

/// What a transaction says to us.
#[derive(Debug, Default)]
pub(crate) struct Translation {
    /// What happened, in order.
    pub(crate) events: Vec<NativeEvent>,
    /// Which events make no sense, without their content.
    pub(crate) set_aside: Vec<String>,
}

/// Translates a transaction. What our own users did is an echo and left out, as is what we have no use for; an event
/// that cannot be read is set aside, and stops nothing.
pub(crate) fn translate(names: &MatrixNames, events: &[Raw<AnyTimelineEvent>]) -> Translation {
    let mut translation = Translation::default();
    for raw in events {
        match translate_one(names, raw) {
            Ok(events) => translation.events.extend(events),
            Err(_) => translation.set_aside.push(label(raw)),
        }
    }
    translation
}

fn translate_one(
    names: &MatrixNames,
    raw: &Raw<AnyTimelineEvent>,
) -> Result<Vec<NativeEvent>, serde_json::Error> {
    let kind = raw.get_field::<String>("type")?;
    if let Some(kind @ ("m.room.name" | "m.room.topic" | "m.room.power_levels")) = kind.as_deref() {
        return state(names, kind, raw);
    }
    let event = match kind.as_deref() {
        Some("m.room.message") => match raw.deserialize_as_unchecked()? {
            RoomMessageEvent::Original(event) => {
                let head = Head::new(&event.room_id, &event.event_id, &event.sender, event.origin_server_ts);
                head.of_a_native(names, NativeBody::Post(message::part(&event.content.msgtype)))
            }
            RoomMessageEvent::Redacted(_) => None,
        },
        Some("m.room.encrypted") => match raw.deserialize_as_unchecked()? {
            RoomEncryptedEvent::Original(event) => {
                let head = Head::new(&event.room_id, &event.event_id, &event.sender, event.origin_server_ts);
                head.of_a_native(names, NativeBody::Gap { reason: ENCRYPTED.to_owned() })
            }
            RoomEncryptedEvent::Redacted(_) => None,
        },
        Some("m.room.member") => match raw.deserialize_as_unchecked()? {
            RoomMemberEvent::Original(event) => member(names, &event),
            RoomMemberEvent::Redacted(_) => None,
        },
        Some(_) => None,
        None => return Err(serde::de::Error::missing_field("type")),
    };
    Ok(event.into_iter().collect())
}

const ENCRYPTED: &str = "this chat is encrypted on the Matrix side; Drawbridge cannot read it";

fn member(names: &MatrixNames, event: &OriginalRoomMemberEvent) -> Option<NativeEvent> {
    let head = Head::new(&event.room_id, &event.event_id, &event.sender, event.origin_server_ts);
    let user = NativeUserId::from(event.state_key.as_str());
    let is_puppet = names.behind_puppet(&user).is_some();
    if !is_puppet && names.localpart(&user).is_none() {
        return None;
    }
    let before = event.unsigned.prev_content.as_ref();
    let was = before.map(|content| &content.membership);
    let called = event.content.displayname.clone();
    match event.content.membership {
        MembershipState::Invite if is_puppet && is_direct(event) => {
            let invitation = head.of_a_native(names, NativeBody::DirectInvite { puppet: user })?;
            Some(NativeEvent { display_name: name_of_inviter(event), ..invitation })
        }
        MembershipState::Invite if is_puppet => {
            let group = GroupProfile {
                name: stripped(event, "m.room.name", "name"),
                topic: stripped(event, "m.room.topic", "topic"),
            };
            let invitation = head.of_a_native(names, NativeBody::GroupInvite { puppet: user, group })?;
            Some(NativeEvent { display_name: name_of_inviter(event), ..invitation })
        }
        MembershipState::Join if was == Some(&MembershipState::Join) => {
            let is_renamed = before.is_some_and(|before| before.displayname != called);
            head.of_a_native(names, NativeBody::Profile { user, display_name: called }).filter(|_| is_renamed)
        }
        MembershipState::Join => {
            let joined = head.of_a_native(names, NativeBody::Joined { user })?;
            Some(NativeEvent { display_name: called, ..joined })
        }
        MembershipState::Leave if was == Some(&MembershipState::Ban) => {
            head.of_another(names, NativeBody::Unbanned { user })
        }
        MembershipState::Leave if was != Some(&MembershipState::Leave) => {
            head.of_another(names, NativeBody::Left { user })
        }
        MembershipState::Ban if was != Some(&MembershipState::Ban) => {
            head.of_another(names, NativeBody::Banned { user })
        }
        _ => None,
    }
}

/// Whether a puppet is invited into a chat of two: the inviter says so, or the room has no name of its own, for
/// clients that do not say.
fn is_direct(event: &OriginalRoomMemberEvent) -> bool {
    let is_name = |raw: &Raw<AnyStrippedStateEvent>| matches!(raw.get_field::<String>("type"), Ok(Some(kind)) if kind == "m.room.name");
    match event.content.is_direct {
        Some(is_direct) => is_direct,
        None => !event.unsigned.invite_room_state.iter().any(is_name),
    }
}

/// What an invitation tells of the room.
fn stripped(event: &OriginalRoomMemberEvent, kind: &str, field: &str) -> Option<String> {
    event.unsigned.invite_room_state.iter().find_map(|raw| {
        let state: serde_json::Value = serde_json::from_str(raw.json().get()).ok()?;
        let text =
            state["content"][field].as_str().filter(|text| state["type"] == kind && !text.is_empty())?;
        Some(text.to_owned())
    })
}

/// What the inviter is called: the invitation itself names only the invited.
fn name_of_inviter(event: &OriginalRoomMemberEvent) -> Option<String> {
    event.unsigned.invite_room_state.iter().find_map(|raw| match raw.deserialize().ok()? {
        AnyStrippedStateEvent::RoomMember(member) if member.state_key == event.sender => {
            member.content.displayname
        }
        _ => None,
    })
}

/// What every event has.
struct Head<'a> {
    room: &'a RoomId,
    id: &'a EventId,
    sender: &'a UserId,
    at: MilliSecondsSinceUnixEpoch,
}

impl<'a> Head<'a> {
    fn new(room: &'a RoomId, id: &'a EventId, sender: &'a UserId, at: MilliSecondsSinceUnixEpoch) -> Self {
        Self { room, id, sender, at }
    }

    /// The event, if a user did it that we can host.
    fn of_a_native(&self, names: &MatrixNames, body: NativeBody) -> Option<NativeEvent> {
        let event = self.of_another(names, body)?;
        names.localpart(&event.from).is_some().then_some(event)
    }

    /// The event, if somebody else did it than we: an administrator of another server may remove a puppet.
    fn of_another(&self, names: &MatrixNames, body: NativeBody) -> Option<NativeEvent> {
        (!names.is_ours(self.sender)).then(|| NativeEvent {
            lane: self.room.as_str().into(),
            id: self.id.as_str().into(),
            nonce: None,
            from: self.sender.as_str().into(),
            display_name: None,
            at_ms: self.at.get().into(),
            body,
        })
    }
}

/// Which event it is.
fn label(raw: &Raw<AnyTimelineEvent>) -> String {
    let field = |name| raw.get_field::<String>(name).ok().flatten().unwrap_or_else(|| "?".to_owned());
    format!("event {} ({}) in {} cannot be read", field("event_id"), field("type"), field("room_id"))
}

#[cfg(test)]
mod tests;
