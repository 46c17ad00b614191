//! The bridge's rows: opaque, versioned bytes to the store.
//!
//! | kind | key | row | written by | deleted by |
//! |---|---|---|---|---|
//! | `inbox` | adapter, native room, n | [`NativeEvent`](mimi_adapter::NativeEvent), sealed | intake | the lane's run, with what it led to |
//! | `event` | adapter, native room, native event | [`EventRow`] | intake, delivery | – |
//! | `link` | link | [`Link`] | lane, room and delivery runs | – |
//! | `group` | link | [`Group`], sealed | lane, room and delivery runs | – |
//! | `member` | link, native user | [`Member`] | lane and room runs | – |
//! | `wish` | room, user or `title` | [`Wish`], sealed | the lane's run | the room's run, when it is so or never will be |
//! | `link_pair` | hosted user, peer user | link | with the link | with the link's end |
//! | `link_room` | adapter, native room | link | with the native room | – |
//! | `room` | room | [`RoomRow`], sealed | the room's run | – |
//! | `snapshot` | room | hosted group, sealed | the room's run, at epoch changes and within long epochs | – |
//! | `outbox` | link, n | [`Outgoing`], sealed | room and lane runs | the link's delivery run |
//! | `message` | link, message id | [`MessageRow`] | lane, room and delivery runs | – |
//! | `showing` | link, native event | [`Progress`](mimi_adapter::Progress) | all that bring it further | the link's showing run |
//! | `receipt` | link, message id | [`TheirReceipt`](crate::progress::TheirReceipt) | lane and delivery runs | the link's report run |
//! | `letter` | link, n | [`Letter`], sealed | the link's delivery run | – |
//! | `roots` | provider | its identity roots | rooms that need them | – |
//! | `opening` | adapter, native user, link | a chat with him is being opened | the room's run | the link's delivery run |
//! | `profile` | adapter, native user | what he calls himself | the lane's run | – |
//! | `note` | adapter, key | what the adapter keeps over restarts | intake | intake |
//! | `data_key` | day | a day's key, sealed | sealing | retention |

mod group;
mod key;
mod link;
mod room;

use mimi_adapter::{NativeEventId, OpId, Operation, Speaker};
use mimi_store::RowKind;
use mimi_uri::RoomUri;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::progress::MessageState;

pub(crate) use group::{Group, GroupState, Member, Presence, Target, Wish};
pub(crate) use key::Key;
pub(crate) use link::{Link, LinkId, LinkState, Origin};
pub(crate) use room::{FoundingRow, InFlight, Intent, Post, Report, RoomKind, RoomRow, Stage, Steps};

pub(crate) const INBOX: RowKind = RowKind("inbox");
pub(crate) const EVENT: RowKind = RowKind("event");
pub(crate) const LINK: RowKind = RowKind("link");
pub(crate) const GROUP: RowKind = RowKind("group");
pub(crate) const MEMBER: RowKind = RowKind("member");
pub(crate) const WISH: RowKind = RowKind("wish");
pub(crate) const LINK_PAIR: RowKind = RowKind("link_pair");
pub(crate) const LINK_ROOM: RowKind = RowKind("link_room");
pub(crate) const ROOM: RowKind = RowKind("room");
pub(crate) const SNAPSHOT: RowKind = RowKind("snapshot");
pub(crate) const OUTBOX: RowKind = RowKind("outbox");
pub(crate) const MESSAGE: RowKind = RowKind("message");
pub(crate) const LETTER: RowKind = RowKind("letter");
pub(crate) const ROOTS: RowKind = RowKind("roots");
pub(crate) const OPENING: RowKind = RowKind("opening");
pub(crate) const PROFILE: RowKind = RowKind("profile");
pub(crate) const NOTE: RowKind = RowKind("note");
pub(crate) const DATA_KEY: RowKind = RowKind("data_key");

/// The layout of all rows; a row of another layout is refused, not guessed.
const LAYOUT: u8 = 1;

/// A row did not read: written by a newer version, or damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {kind} row does not read: {why}")]
pub(crate) struct Unreadable {
    pub(crate) kind: &'static str,
    pub(crate) why: String,
}

/// What became of a native event, and which MIMI message it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EventRow {
    /// Stored, not yet handled; a repetition is dropped.
    Received,
    /// Posted into a MIMI room as this message.
    Posted { room: RoomUri, message: [u8; 32] },
    /// Made by us, from this message.
    Delivered { message: Option<[u8; 32]> },
}

/// Where a MIMI message is on the native side of a link, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    /// The native event, once the native network named it.
    pub(crate) event: Option<NativeEventId>,
    /// How far it has come; unknown for those of the first release.
    #[serde(default)]
    pub(crate) state: Option<MessageState>,
}

/// One operation towards the native side of a link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) op_id: OpId,
    pub(crate) speaker: Speaker,
    pub(crate) operation: Operation,
    /// The MIMI message it carries.
    pub(crate) message: Option<[u8; 32]>,
}

/// An operation that was set aside, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Letter {
    pub(crate) outgoing: Outgoing,
    pub(crate) why: String,
    pub(crate) at_ms: u64,
}

/// A row's bytes.
#[expect(
    clippy::expect_used,
    reason = "rows are plain structs and enums; writing them to memory cannot fail"
)]
pub(crate) fn encode<T: Serialize>(row: &T) -> Vec<u8> {
    let mut bytes = vec![LAYOUT];
    row.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map()).expect("a row encodes");
    bytes
}

/// Reads a row's bytes.
pub(crate) fn decode<T: DeserializeOwned>(kind: RowKind, bytes: &[u8]) -> Result<T, Unreadable> {
    let unreadable = |why: String| Unreadable { kind: kind.0, why };
    match bytes.split_first() {
        Some((&LAYOUT, row)) => rmp_serde::from_slice(row).map_err(|fault| unreadable(fault.to_string())),
        Some((layout, _)) => Err(unreadable(format!("layout {layout}, this version knows {LAYOUT}"))),
        None => Err(unreadable("it is empty".to_owned())),
    }
}
