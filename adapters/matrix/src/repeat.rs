//! What was said before, for longer than the homeserver remembers transaction ids.
//!
//! Synapse forgets them after 24 hours. An operation that was sent, but not recorded as done before a crash, may come
//! again later than that. Only a retry, or the first post in a room since we started, can be such a repetition, for
//! there is one in flight per room; so only then the room itself is asked.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use mimi_adapter::OpId;
use ruma::api::client::message::get_message_events;
use ruma::api::error::ErrorKind;
use ruma::events::AnyTimelineEvent;
use ruma::serde::Raw;
use ruma::{OwnedEventId, OwnedRoomId, RoomId, UserId, uint};
use serde::Deserialize;

use crate::homeserver::{Acting, CallFault, Homeserver};
use crate::limits::ROOMS_KNOWN_MAX;

/// The rooms in which something was said since we started.
#[derive(Debug, Default)]
pub(crate) struct Spoken(Mutex<HashSet<OwnedRoomId>>);

impl Spoken {
    pub(crate) fn is_fresh(&self, room: &RoomId) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(room)
    }

    pub(crate) fn note(&self, room: OwnedRoomId) {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() >= ROOMS_KNOWN_MAX {
            rooms.clear();
        }
        rooms.insert(room);
    }
}

/// The event that this operation became, if it is among the speaker's last ones in the room.
pub(crate) async fn said_before(
    homeserver: &Homeserver,
    speaker: &UserId,
    room: &RoomId,
    op_id: &OpId,
) -> Result<Option<OwnedEventId>, CallFault> {
    let mut request = get_message_events::v3::Request::backward(room.to_owned());
    request.filter.senders = Some(vec![speaker.to_owned()]);
    request.filter.types = Some(vec!["m.room.message".to_owned()]);
    request.limit = uint!(10);
    match homeserver.call(request, Acting::OnDevice(speaker)).await {
        Ok(last) => Ok(last.chunk.iter().find_map(|event| event_of(event, op_id))),
        // Who is not there is told so when he speaks.
        Err(fault) if fault.is(&ErrorKind::Forbidden) || fault.is(&ErrorKind::NotFound) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn event_of(event: &Raw<AnyTimelineEvent>, op_id: &OpId) -> Option<OwnedEventId> {
    #[derive(Deserialize)]
    struct Unsigned {
        transaction_id: Option<String>,
    }

    let unsigned: Unsigned = event.get_field("unsigned").ok()??;
    let is_it = unsigned.transaction_id.as_deref() == Some(op_id.as_str());
    is_it.then(|| event.get_field("event_id").ok()?)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_known_by_the_transaction_that_made_it() {
        let raw = |unsigned| {
            let event = json!({ "event_id": "$e", "type": "m.room.message", "unsigned": unsigned });
            Raw::from_json_string(event.to_string()).unwrap()
        };

        assert_eq!(event_of(&raw(json!({ "transaction_id": "op" })), &"op".into()).unwrap().as_str(), "$e");
        assert_eq!(event_of(&raw(json!({ "transaction_id": "other" })), &"op".into()), None);
        assert_eq!(event_of(&raw(json!({})), &"op".into()), None);
    }

    #[test]
    fn a_room_is_fresh_until_something_is_said_there() {
        let spoken = Spoken::default();
        let room = RoomId::parse("!r:a.example").unwrap();

        assert!(spoken.is_fresh(&room));
        spoken.note(room.clone());
        assert!(!spoken.is_fresh(&room));
    }
}
