use std::fmt;

use mimi_adapter::{NativeRoomId, NativeUserId};
use mimi_uri::{RoomUri, UserUri};
use serde::{Deserialize, Serialize};

/// The name of a link; unguessable, and the same again after a crash.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct LinkId(pub(crate) String);

/// A direct chat of a hosted user with somebody elsewhere: one native conversation, a set of MIMI rooms.
///
/// Both sides may open a chat at once; then there are two MIMI rooms, and the link owns both: it receives from all
/// and posts to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    /// The adapter instance that speaks to the native side.
    pub(crate) adapter: String,
    /// The native user, as a user of our domain.
    pub(crate) hosted: UserUri,
    /// The native user, as the native network names him.
    pub(crate) native_user: NativeUserId,
    /// The user on the other side.
    pub(crate) peer: UserUri,
    /// The native conversation; none until it has been opened.
    pub(crate) native_room: Option<NativeRoomId>,
    /// Whether the native network was asked to open the conversation, and may have done so without our knowing.
    #[serde(default)]
    pub(crate) asked_to_open: bool,
    /// Which side began.
    pub(crate) origin: Origin,
    /// The rooms of the pair, in order of their URIs.
    pub(crate) rooms: Vec<RoomUri>,
    /// The room that the link posts to.
    pub(crate) posting: Option<RoomUri>,
    /// Where the link is in its life.
    pub(crate) state: LinkState,
}

/// Which side began a direct chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Origin {
    /// The native user invited a puppet.
    Native,
    /// A Welcome arrived.
    Mimi,
}

/// Where a link is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LinkState {
    /// It carries messages, or will as soon as its first room is open.
    Active,
    /// The other side refused; what is said is answered with a notice.
    Refused,
    /// One of the two left; a new chat is a new link.
    Left,
}

impl Link {
    /// Adds a room of the pair; posting begins there if there was none.
    pub(crate) fn attach(&mut self, room: &RoomUri) {
        if let Err(at) = self.rooms.binary_search(room) {
            self.rooms.insert(at, room.clone());
        }
        self.posting.get_or_insert_with(|| room.clone());
    }

    /// Forgets a room in which nothing more can be said.
    pub(crate) fn detach(&mut self, room: &RoomUri) {
        self.rooms.retain(|known| known != room);
        if self.posting.as_ref() == Some(room) {
            self.posting = self.rooms.first().cloned();
        }
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
