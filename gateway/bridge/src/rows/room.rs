use mimi_adapter::{NativeEventId, NativeRoomId};
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::CreateRoomRequest;
use serde::{Deserialize, Serialize};

use super::LinkId;

/// A followed room: where we are in its log, and what we asked of its hub without an answer yet.
///
/// The row's version is the fence: whoever seals a message or a commit first stores the row, so that no two
/// processes, and no process and its own past, ever use one (leaf, epoch, generation) twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoomRow {
    /// Where the room is in its life.
    pub(crate) stage: Stage,
    /// A chat of two, or a room of several.
    #[serde(default)]
    pub(crate) kind: RoomKind,
    /// The links that show the room, each with its hosted user; in a group, with our service participant.
    pub(crate) links: Vec<(UserUri, LinkId)>,
    /// Everything up to here in the room's log has had its effect.
    pub(crate) position: u64,
    /// The snapshot stands here in the log; what lies between is read again after a crash, without effect.
    pub(crate) snapshot_position: u64,
    /// The epoch that `generations` is about.
    pub(crate) epoch: u64,
    /// The next generation of each hosted leaf that spoke in this epoch.
    pub(crate) generations: Vec<(u32, u32)>,
    /// The request on its way to the hub: sent again, byte for byte, until it is answered.
    pub(crate) in_flight: Option<InFlight>,
    /// Messages that could not be read, since the last one that could: they were sealed in epochs we have never known.
    #[serde(default)]
    pub(crate) missed: u64,
    /// The group waited for nothing but the log when this was stored. Not so in rows of earlier versions: they are loaded.
    #[serde(default)]
    pub(crate) rests: bool,
}

/// What a followed room is to us.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RoomKind {
    /// A direct chat.
    #[default]
    Direct,
    /// A conversation of several people.
    Group,
}

/// Where a followed room is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// We are founding it; the peer is not yet in it.
    Opening,
    /// We are members.
    Joined,
    /// None of our hosted users is a member any more.
    Closed,
}

/// A request to a hub, as it was first sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InFlight {
    /// The exact body.
    #[serde(with = "serde_bytes")]
    pub(crate) body: Vec<u8>,
    /// What it is for.
    pub(crate) intent: Intent,
}

/// The founding of a room, as it was first asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FoundingRow {
    creator: UserUri,
    #[serde(with = "serde_bytes")]
    group_info: Vec<u8>,
    #[serde(with = "serde_bytes")]
    ratchet_tree: Vec<u8>,
}

impl FoundingRow {
    /// What of a request is not in its row already.
    pub(crate) fn of(request: CreateRoomRequest) -> Self {
        let CreateRoomRequest { room: _, creator, group_info, ratchet_tree } = request;
        Self { creator, group_info, ratchet_tree }
    }

    /// The request, the same again.
    pub(crate) fn request(self, room: &RoomUri) -> CreateRoomRequest {
        let Self { creator, group_info, ratchet_tree } = self;
        CreateRoomRequest { room: room.clone(), creator, group_info, ratchet_tree }
    }
}

/// What a request is for, and so what follows from its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Intent {
    /// Found the room at our own hub.
    Create,
    /// Ask for key material of the peer.
    Claim(UserUri),
    /// Commit: the peer's clients, or what is pending.
    Commit,
    /// Commit changes of a group.
    Steps(Steps),
    /// Propose that a hosted user leaves.
    Leave(UserUri),
    /// Post a message.
    Post(Post),
    /// Tell what became of messages of the other side.
    Report(Report),
}

/// Changes of a group on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Steps {
    /// The secrets of the leaves of ours that are added; theirs once the commit stands.
    pub(crate) secrets: Vec<serde_bytes::ByteBuf>,
    /// What the wishes behind the steps are about.
    pub(crate) subjects: Vec<String>,
}

/// A message of a hosted user on its way: kept whole, so that it can be sealed anew when the room has moved on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) sender: UserUri,
    pub(crate) link: LinkId,
    pub(crate) native_room: NativeRoomId,
    pub(crate) native_event: NativeEventId,
    pub(crate) message: [u8; 32],
    /// The application data of the MLS message: framed content.
    #[serde(with = "serde_bytes")]
    pub(crate) data: Vec<u8>,
    /// The franking tag over it.
    pub(crate) tag: [u8; 32],
    /// How often it was sealed anew.
    pub(crate) reseals: u32,
}

/// A status report of a hosted user on its way; kept whole, so that it can be sealed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) sender: UserUri,
    /// The application data of the MLS message: the framed report.
    #[serde(with = "serde_bytes")]
    pub(crate) data: Vec<u8>,
    /// The franking tag over it.
    pub(crate) tag: [u8; 32],
    /// How often it was sealed anew.
    pub(crate) reseals: u32,
}
