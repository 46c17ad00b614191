use crate::GroupSaid;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Said {
    /// Who it is; always the first line.
    Login {
        /// The user.
        login: String,
        /// What he is called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Opens the direct chat with a puppet.
    Open {
        /// The puppet.
        open: String,
        /// The line's id.
        id: String,
    },
    /// Says something.
    Say {
        /// The text.
        say: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Leaves a direct chat.
    Leave {
        /// The conversation.
        leave: String,
        /// The line's id.
        id: String,
    },
    /// Has read what a puppet said, and all before it.
    Read {
        /// The event's `op`.
        read: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Hears nothing from a puppet any more: what it says is refused.
    Block {
        /// The puppet.
        block: String,
        /// The line's id.
        id: String,
    },
    /// Hears a puppet again.
    Unblock {
        /// The puppet.
        unblock: String,
        /// The line's id.
        id: String,
    },
    /// Changes what the user is called.
    Name {
        /// The new name.
        name: String,
        /// The line's id.
        id: String,
    },
    /// Has an event, and all is well.
    Ack {
        /// The event's number.
        ack: u64,
    },
    /// Does something in a conversation of several people.
    Group(GroupSaid),
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Told {
    /// A line was taken, durably.
    Ok {
        /// The line's id; the user's name for a login.
        ok: String,
        /// The conversation, for [`Said::Open`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<String>,
    },
    /// A line was not taken.
    Error {
        /// Why.
        error: String,
        /// The line's id, if it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Something happened.
    Event {
        /// The event's number on this connection, to be acknowledged.
        n: u64,
        /// What happened.
        #[serde(flatten)]
        event: Event,
    },
}

/// Something that happened in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing.
    #[serde(rename = "event")]
    pub kind: EventKind,
    /// The conversation.
    pub room: String,
    /// Who did it, a puppet or a user; none where the gateway did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What he is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whom it happened to, where that is not who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What was said; the new role, name or topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The id of the user's own line that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How far that line has come: `waiting`, `accepted`, `delivered`, `read` or `refused`; `text` may say why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// The same when the same thing is told again.
    pub op: String,
}

/// Kinds of [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A puppet opened a direct chat, or a conversation of several people has begun for the one who is told.
    Opened,
    /// Somebody came in.
    Joined,
    /// Somebody said something.
    Message,
    /// Somebody left.
    Left,
    /// Somebody was taken out.
    Removed,
    /// Somebody was taken out for good.
    Banned,
    /// Somebody may come back.
    Unbanned,
    /// Somebody has another role.
    Role,
    /// The conversation is called otherwise.
    Title,
    /// The conversation is about something else.
    Topic,
    /// Something that is nobody's message.
    Notice,
    /// How far something that the user said has come.
    Progress,
}

/// Writes what comes, a line each, until nothing comes any more or the other side is gone.
pub(crate) async fn write_lines<T: Serialize>(
    mut stream: impl AsyncWrite + Unpin,
    mut waiting: mpsc::Receiver<T>,
) {
    while let Some(it) = waiting.recv().await {
        let Ok(mut line) = serde_json::to_vec(&it) else { continue };
        line.push(b'\n');
        if stream.write_all(&line).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_adapter::Role;

    #[test]
    fn every_line_a_client_may_say_is_read_as_what_it_is() {
        let lines = [
            (
                r#"{"login":"alice","name":"Alice"}"#,
                Said::Login { login: "alice".into(), name: Some("Alice".into()) },
            ),
            (
                r#"{"open":"bob@b.example","id":"c"}"#,
                Said::Open { open: "bob@b.example".into(), id: "c".into() },
            ),
            (
                r#"{"say":"hi","room":"r","id":"m"}"#,
                Said::Say { say: "hi".into(), room: "r".into(), id: "m".into() },
            ),
            (
                r#"{"read":"o","room":"r","id":"d"}"#,
                Said::Read { read: "o".into(), room: "r".into(), id: "d".into() },
            ),
            (
                r#"{"block":"bob@b.example","id":"b"}"#,
                Said::Block { block: "bob@b.example".into(), id: "b".into() },
            ),
            (
                r#"{"unblock":"bob@b.example","id":"u"}"#,
                Said::Unblock { unblock: "bob@b.example".into(), id: "u".into() },
            ),
            (r#"{"leave":"r","id":"l"}"#, Said::Leave { leave: "r".into(), id: "l".into() }),
            (r#"{"name":"Al","id":"n"}"#, Said::Name { name: "Al".into(), id: "n".into() }),
            (r#"{"ack":7}"#, Said::Ack { ack: 7 }),
            (
                r#"{"group":"Tea","people":["dave"],"id":"g"}"#,
                Said::Group(GroupSaid::Make {
                    group: "Tea".into(),
                    people: vec!["dave".into()],
                    id: "g".into(),
                }),
            ),
            (
                r##"{"kick":"dave","room":"#r","id":"k"}"##,
                Said::Group(GroupSaid::Kick { kick: "dave".into(), room: "#r".into(), id: "k".into() }),
            ),
            (
                r##"{"give":"moderator","to":"dave","room":"#r","id":"p"}"##,
                Said::Group(GroupSaid::Give {
                    give: Role::Moderator,
                    to: "dave".into(),
                    room: "#r".into(),
                    id: "p".into(),
                }),
            ),
            (
                r##"{"topic":"milk","room":"#r","id":"t"}"##,
                Said::Group(GroupSaid::Topic { topic: "milk".into(), room: "#r".into(), id: "t".into() }),
            ),
        ];

        for (line, said) in lines {
            assert_eq!(serde_json::from_str::<Said>(line).unwrap(), said);
            assert_eq!(serde_json::to_string(&said).unwrap(), line);
        }
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let event = Event {
            kind: EventKind::Message,
            room: "r".into(),
            from: Some("bob@b.example".into()),
            name: None,
            who: None,
            text: Some("hi".into()),
            about: None,
            progress: None,
            op: "o".into(),
        };
        let told = Told::Event { n: 1, event };

        let line = serde_json::to_string(&told).unwrap();

        assert_eq!(
            line,
            r#"{"n":1,"event":"message","room":"r","from":"bob@b.example","text":"hi","op":"o"}"#
        );
        assert_eq!(serde_json::from_str::<Told>(&line).unwrap(), told);
    }
}
