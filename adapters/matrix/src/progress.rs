//! How far a message has come, as Matrix people see it; and what they have read.
//!
//! - For clients that know bridges, an event `com.beeper.message_send_status` beside the message: on its way, arrived
//!   and where, refused and why. Others hide it.
//! - For everybody, a read receipt of the puppet, when the person behind it has *read* the message, and not before: a
//!   receipt for what was only delivered would say what nobody did. A refusal is a notice, which the gateway sends.
//!
//! What people here have read comes as ephemeral data of a transaction. It is told on without a promise: what is lost
//! with a fault is a receipt, and the next one says more.

use std::collections::BTreeMap;

use mimi_adapter::{
    Addresses, Delivery, NativeBody, NativeEvent, NativeEventId, NativeUserId, Outcome, Progress, Receipt,
    RefusedCode,
};
use ruma::api::client::message::send_message_event;
use ruma::api::client::receipt::create_receipt;
use ruma::events::MessageLikeEventType;
use ruma::serde::Raw;
use ruma::{EventId, OwnedRoomId, OwnedUserId, UserId};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::MatrixNames;
use crate::homeserver::Acting;
use crate::session::Link;

const SEND_STATUS: &str = "com.beeper.message_send_status";

impl Link {
    /// Shows how far a message has come, as the puppet that it was for.
    pub(crate) async fn show(
        &self,
        delivery: &Delivery,
        (puppet, room): (&UserId, OwnedRoomId),
        (event, progress): (&NativeEventId, &Progress),
    ) -> Result<Outcome, Outcome> {
        let event = EventId::parse(event.as_str())
            .map_err(|why| Outcome::refused(RefusedCode::Malformed, why.to_string()))?;
        let status = status(puppet, &event, progress).to_string();
        let status = Raw::from_json_string(status)
            .map_err(|why| Outcome::refused(RefusedCode::Malformed, why.to_string()))?;
        let txn_id = delivery.op_id.as_str().into();
        let kind = MessageLikeEventType::from(SEND_STATUS);
        let request = send_message_event::v3::Request::new_raw(room.clone(), txn_id, kind, status);
        self.homeserver.call(request, Acting::OnDevice(puppet)).await?;
        if *progress == Progress::Received(Receipt::Read) {
            let kind = create_receipt::v3::ReceiptType::Read;
            let request = create_receipt::v3::Request::new(room, kind, event);
            self.homeserver.call(request, Acting::OnDevice(puppet)).await?;
        }
        Ok(Outcome::done())
    }
}

/// The content of the event that says it.
fn status(puppet: &UserId, event: &EventId, progress: &Progress) -> Value {
    let mut status = json!({
        "network": "mimi",
        "m.relates_to": { "rel_type": "m.reference", "event_id": event },
    });
    let (state, extra) = match progress {
        Progress::Waiting { why } => ("PENDING", vec![("message", json!(why))]),
        Progress::Accepted => ("SUCCESS", vec![]),
        Progress::Received(_) => ("SUCCESS", vec![("delivered_to_users", json!([puppet]))]),
        Progress::Refused { why } => {
            let reason = ("reason", json!("m.foreign_network_error"));
            ("FAIL_PERMANENT", vec![reason, ("message", json!(why))])
        }
    };
    status["status"] = json!(state);
    for (key, value) in extra {
        status[key] = value;
    }
    status
}

/// Ephemeral data of a transaction, as far as we read it.
#[derive(Debug, Deserialize)]
pub(crate) struct Ephemeral {
    #[serde(rename = "type")]
    kind: String,
    room_id: Option<String>,
    #[serde(default)]
    content: Value,
}

/// Who read an event, by kind of receipt.
type Readers = BTreeMap<String, BTreeMap<OwnedUserId, ReadAt>>;

#[derive(Deserialize)]
struct ReadAt {
    #[serde(default)]
    ts: u64,
}

/// What native users have read, told as often as the homeserver tells it.
pub(crate) fn receipts(names: &MatrixNames, ephemeral: &[Ephemeral]) -> Vec<NativeEvent> {
    let mut events = Vec::new();
    for data in ephemeral.iter().filter(|data| data.kind == "m.receipt") {
        let Some(room) = &data.room_id else { continue };
        let Ok(content) = serde_json::from_value::<BTreeMap<String, Value>>(data.content.clone()) else {
            continue;
        };
        for (event, readers) in content {
            let Ok(readers) = serde_json::from_value::<Readers>(readers) else { continue };
            // Private receipts are nobody else's affair; they do not come here, and would not be told on.
            for (user, ReadAt { ts }) in readers.get("m.read").into_iter().flatten() {
                let from = NativeUserId::from(user.as_str());
                if names.localpart(&from).is_none() || names.is_ours(user) {
                    continue;
                }
                events.push(NativeEvent {
                    lane: room.as_str().into(),
                    id: format!("read {event} {user}").into(),
                    nonce: None,
                    from,
                    display_name: None,
                    at_ms: *ts,
                    body: NativeBody::Receipt { event: event.as_str().into(), receipt: Receipt::Read },
                });
            }
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MatrixConfig;
    use ruma::{event_id, user_id};

    #[test]
    fn a_refusal_says_why_and_a_receipt_who_has_it() {
        let (puppet, event) = (user_id!("@_mimi_bob=40b.example:a.example"), event_id!("$e"));

        let refused = status(puppet, event, &Progress::Refused { why: "no".to_owned() });
        let received = status(puppet, event, &Progress::Received(Receipt::Delivered));

        assert_eq!(
            refused,
            json!({
                "network": "mimi", "m.relates_to": { "rel_type": "m.reference", "event_id": "$e" },
                "status": "FAIL_PERMANENT", "reason": "m.foreign_network_error", "message": "no",
            })
        );
        assert_eq!(received["delivered_to_users"], json!([puppet]));
    }

    #[test]
    fn what_people_here_read_is_told_and_what_puppets_or_strangers_read_is_not() {
        let config = MatrixConfig::new("http://127.0.0.1:1", "a.example", ([127, 0, 0, 1], 2).into())
            .with_tokens("ours", "theirs");
        let names = MatrixNames::new(&config).unwrap();
        let readers = json!({
            "@alice:a.example": { "ts": 7 }, "@_mimi_bob=40b.example:a.example": { "ts": 8 },
            "@eve:elsewhere.example": { "ts": 9 },
        });
        let ephemeral: Vec<Ephemeral> = serde_json::from_value(json!([
            { "type": "m.typing", "room_id": "!r:a.example", "content": { "user_ids": [] } },
            { "type": "m.receipt", "room_id": "!r:a.example", "content": {
                "$e": { "m.read": readers, "m.read.private": { "@alice:a.example": {} } }, "$odd": 3,
            } },
        ]))
        .unwrap();

        let told = receipts(&names, &ephemeral);

        assert_eq!(told.len(), 1);
        assert_eq!((told[0].from.as_str(), told[0].at_ms), ("@alice:a.example", 7));
        assert_eq!(told[0].body, NativeBody::Receipt { event: "$e".into(), receipt: Receipt::Read });
    }
}
