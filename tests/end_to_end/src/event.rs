use serde::Deserialize;

/// What a person hears, in the order in which the homeserver told it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody wants this person in a room.
    Invited {
        /// The room.
        room: String,
        /// Who invites.
        by: String,
        /// Whether the inviter calls it a direct chat.
        direct: bool,
    },
    /// Somebody's place in a room changed.
    Membership {
        /// The room.
        room: String,
        /// Who changed it.
        sender: String,
        /// Whose place it is.
        user: String,
        /// `invite`, `join`, `leave`, `ban` or `knock`.
        membership: String,
    },
    /// A message, the person's own ones too.
    Message(Message),
    /// Any other event of the timeline: an edit of the room's name, a reaction, a redaction.
    Other {
        /// The room.
        room: String,
        /// Who sent it.
        sender: String,
        /// Its Matrix type.
        kind: String,
        /// Its id.
        event_id: String,
        /// Its content.
        content: serde_json::Value,
        /// The event it redacts, if it is a redaction.
        redacts: Option<String>,
    },
    /// Somebody has read what there is up to an event.
    Read {
        /// The room.
        room: String,
        /// Who.
        user: String,
        /// The event.
        event_id: String,
    },
    /// The homeserver left something out of a room's timeline: no test may go on as if it had heard everything.
    Gap {
        /// The room.
        room: String,
    },
    /// The person can hear no more.
    Deaf {
        /// Why.
        reason: String,
    },
}

/// One `m.room.message`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Message {
    /// The room it is in.
    pub room: String,
    /// Who sent it.
    pub sender: String,
    /// Its id.
    pub event_id: String,
    /// `m.text`, `m.notice`, `m.emote`, …; nothing once it is redacted.
    pub msgtype: Option<String>,
    /// The plain text; empty once it is redacted.
    #[serde(deserialize_with = "text_or_nothing")]
    pub body: String,
    /// The format of `formatted_body`.
    pub format: Option<String>,
    /// The text with mark-up.
    pub formatted_body: Option<String>,
    /// All of it, for what the fields above leave out: relations, mentions, files.
    pub content: serde_json::Value,
}

fn text_or_nothing<'de, D: serde::Deserializer<'de>>(source: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(source)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_the_script_tells_is_an_event() {
        let lines = [
            r#"{"event": "invited", "room": "!r:h", "by": "@a:h", "direct": true}"#,
            r#"{"room": "!r:h", "sender": "@a:h", "event_id": "$1", "event": "membership", "user": "@b:h", "membership": "join"}"#,
            r#"{"room": "!r:h", "sender": "@a:h", "event_id": "$2", "event": "message", "msgtype": null, "body": null, "format": null, "formatted_body": null, "content": {}}"#,
            r#"{"room": "!r:h", "sender": "@a:h", "event_id": "$3", "event": "other", "kind": "m.room.redaction", "content": {}, "redacts": "$2"}"#,
            r#"{"event": "read", "room": "!r:h", "user": "@b:h", "event_id": "$2"}"#,
            r#"{"event": "gap", "room": "!r:h"}"#,
            r#"{"event": "deaf", "reason": "M_UNKNOWN_TOKEN"}"#,
        ];

        let events: Result<Vec<Event>, _> = lines.iter().map(|line| serde_json::from_str(line)).collect();

        assert_eq!(events.unwrap().len(), lines.len());
    }
}
