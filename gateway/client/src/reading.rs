//! What the events of a room's log mean for its hosted users.

use mimi_room_policy::RoleIndex;
use mimi_uri::UserUri;

use crate::group::Title;

/// What one event meant.
#[derive(Debug)]
pub enum Reading {
    /// Somebody said something.
    Message(MessageRead),
    /// The room entered a new epoch.
    Changed(Change),
    /// A proposal waits for a commit.
    Proposed,
    /// It has no effect for us, and need not have one.
    Nothing(&'static str),
    /// It cannot be read; the events behind it can.
    SetAside(String),
    /// A message of an epoch that we have never known, or know no more.
    Missed,
    /// A handshake that cannot be followed: the room must be rejoined, for what comes behind it is lost to us.
    Lost(String),
}

/// A message, with its sender as MLS proves him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRead {
    /// The user behind the sending leaf.
    pub sender: UserUri,
    /// The application data.
    pub data: Vec<u8>,
    /// The franking tag that travelled in clear.
    pub franking_tag: Option<[u8; 32]>,
}

/// What a commit changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Users who got their first client.
    pub joined: Vec<UserUri>,
    /// Users who lost their last client.
    pub left: Vec<UserUri>,
    /// Users whose place on the participant list changed.
    pub listings: Vec<Listing>,
    /// Name and topic, if one of them changed.
    pub title: Option<Title>,
}

/// A change of somebody's place on the participant list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whose.
    pub user: UserUri,
    /// The role before; none if he was not on the list.
    pub before: Option<RoleIndex>,
    /// The role now.
    pub after: Option<RoleIndex>,
}
