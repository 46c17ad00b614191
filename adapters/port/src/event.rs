use mimi_content::NestedPart;
use serde::{Deserialize, Serialize};

use crate::{GroupMember, GroupProfile, NativeEventId, NativeRoomId, NativeUserId, OpId, Receipt, Role};

/// Events that become durable together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingest {
    /// The events, in native order.
    pub events: Vec<NativeEvent>,
}

/// Something that happened on the native network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeEvent {
    /// The conversation it happened in; events of one lane are in order.
    pub lane: NativeRoomId,
    /// Its id: a redelivered event keeps it, and is the same event.
    pub id: NativeEventId,
    /// The operation of ours that it is the echo of, where the network says so.
    pub nonce: Option<OpId>,
    /// Who did it.
    pub from: NativeUserId,
    /// What that user calls himself, where the event says so.
    pub display_name: Option<String>,
    /// When, by the native network's clock, in milliseconds since 1970.
    pub at_ms: u64,
    /// What happened.
    pub body: NativeBody,
}

/// What happened on the native network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NativeBody {
    /// `from` said something.
    Post(#[serde(with = "crate::part")] NestedPart),
    /// `from` opens a direct chat with a puppet of ours.
    DirectInvite {
        /// The puppet that is invited.
        puppet: NativeUserId,
    },
    /// `from` invites a puppet of ours into a conversation of several people.
    GroupInvite {
        /// The puppet that is invited.
        puppet: NativeUserId,
        /// How the conversation presents itself, as far as the invitation tells.
        group: GroupProfile,
    },
    /// Everybody who is in a conversation of several people, puppets too: told when one of ours comes in, and again
    /// whenever single changes may have been missed.
    Members(Vec<GroupMember>),
    /// A user, native or puppet, is now in the conversation.
    Joined {
        /// Who joined.
        user: NativeUserId,
    },
    /// A user, native or puppet, is no longer in the conversation: he left, declined or was removed (by `from`).
    Left {
        /// Who is gone.
        user: NativeUserId,
    },
    /// A user was banned by `from`: he is gone and may not come back.
    Banned {
        /// Who is banned.
        user: NativeUserId,
    },
    /// A ban was taken back by `from`; the user is still outside.
    Unbanned {
        /// Who may come back.
        user: NativeUserId,
    },
    /// `from` gave a user another role.
    Role {
        /// Whose role it is.
        user: NativeUserId,
        /// The new one.
        role: Role,
    },
    /// `from` gave the conversation another name.
    Renamed {
        /// The new name; `None` if it was taken away.
        name: Option<String>,
    },
    /// `from` gave the conversation another topic.
    Topic {
        /// The new topic; `None` if it was taken away.
        topic: Option<String>,
    },
    /// `from` received, or read, what one of our puppets said.
    Receipt {
        /// The event that our operation became.
        event: NativeEventId,
        /// What he did with it.
        receipt: Receipt,
    },
    /// A user changed how he is called.
    Profile {
        /// Whose profile it is.
        user: NativeUserId,
        /// The new name; `None` if it was taken away.
        display_name: Option<String>,
    },
    /// Something is missing here that can never be fetched again, and the conversation should say so.
    Gap {
        /// What is known of it, for people to read.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(body: NativeBody) -> Ingest {
        let event = NativeEvent {
            lane: "!room:a.example".into(),
            id: "$event".into(),
            nonce: Some("op".into()),
            from: "@alice:a.example".into(),
            display_name: None,
            at_ms: 1_700_000_000_000,
            body,
        };
        Ingest { events: vec![event] }
    }

    #[test]
    fn a_stored_batch_reads_back_from_every_format() {
        let batch = batch(NativeBody::Post(NestedPart::html_or_markdown("<b>hi</b>", "**hi**")));

        let packed = rmp_serde::to_vec(&batch).unwrap();
        let json = serde_json::to_string(&batch).unwrap();

        assert_eq!(rmp_serde::from_slice::<Ingest>(&packed).unwrap(), batch);
        assert_eq!(serde_json::from_str::<Ingest>(&json).unwrap(), batch);
    }

    #[test]
    fn a_post_whose_content_is_not_canonical_does_not_read_back() {
        let stored = serde_json::to_string(&batch(NativeBody::Post(NestedPart::plain("hi")))).unwrap();
        let indefinite = stored.replace("[133,1,", "[159,1,");

        assert_ne!(indefinite, stored);
        assert!(serde_json::from_str::<Ingest>(&indefinite).is_err());
    }
}
