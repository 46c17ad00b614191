//! What a room says of itself: name, topic, and who may do what.

use mimi_adapter::{NativeBody, NativeEvent};
use ruma::events::AnyTimelineEvent;
use ruma::serde::Raw;
use ruma::{MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId};
use serde::Deserialize;
use serde_json::Value;

use super::Head;
use crate::MatrixNames;
use crate::power::changed_roles;

/// Only what we read, so that no form of the rest can be in the way.
#[derive(Deserialize)]
struct State {
    room_id: OwnedRoomId,
    event_id: OwnedEventId,
    sender: OwnedUserId,
    origin_server_ts: MilliSecondsSinceUnixEpoch,
    content: Value,
    #[serde(default)]
    unsigned: Unsigned,
}

#[derive(Default, Deserialize)]
struct Unsigned {
    #[serde(default)]
    prev_content: Value,
}

/// What a change of a room's own state says.
pub(super) fn state(
    names: &MatrixNames,
    kind: &str,
    raw: &Raw<AnyTimelineEvent>,
) -> Result<Vec<NativeEvent>, serde_json::Error> {
    let event: State = raw.deserialize_as_unchecked()?;
    let head = Head::new(&event.room_id, &event.event_id, &event.sender, event.origin_server_ts);
    let text = |field: &str| event.content[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(match kind {
        "m.room.name" => {
            head.of_another(names, NativeBody::Renamed { name: text("name") }).into_iter().collect()
        }
        "m.room.topic" => {
            head.of_another(names, NativeBody::Topic { topic: text("topic") }).into_iter().collect()
        }
        _ => {
            let changed = changed_roles(&event.unsigned.prev_content, &event.content);
            let told = changed.into_iter().filter_map(|(user, role)| {
                let told = head.of_another(names, NativeBody::Role { user: user.as_str().into(), role })?;
                // One event may say it of several.
                Some(NativeEvent { id: format!("{}/{user}", event.event_id).as_str().into(), ..told })
            });
            told.collect()
        }
    })
}
