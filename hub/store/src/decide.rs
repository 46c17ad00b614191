use mimi_mls::{Epoch, KeyPackageRef};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{RequestHash, Timestamp};

/// One decision of a room, stored as a whole or not at all.
///
/// An accepted application message is one event, no state and nothing else: it costs one inserted row and leaves the
/// row of the room alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decide {
    /// The room that decided.
    pub room: RoomUri,
    /// Which part we play in it; written when the room is founded, the same ever after.
    pub role: RoomRole,
    /// The version of the room the decision was made on; `None` founds the room, which must not exist yet.
    pub fence: Option<RoomVersion>,
    /// The room's state if the decision changed it; storing it adds one to the version.
    ///
    /// A room that is founded starts at version 1, without state if there is none (a follower needs none).
    pub state: Option<RoomState>,
    /// What the decision adds to the room log.
    pub events: Vec<NewEvent>,
    /// Lanes that open or close with it.
    pub lanes: Vec<LaneChange>,
    /// Which provider issued a `KeyPackage`, so that its Welcome finds the way.
    ///
    /// The same route may be stored again; another provider for the same reference is a conflict.
    pub routes: Vec<(KeyPackageRef, Domain)>,
    /// Ratchet trees by epoch; a tree for the same epoch is replaced.
    pub trees: Vec<(Epoch, Vec<u8>)>,
}

impl Decide {
    /// A decision that stores nothing yet but, without a fence, the room itself.
    pub fn new(room: RoomUri, role: RoomRole, fence: Option<RoomVersion>) -> Self {
        Self { room, role, fence, state: None, events: vec![], lanes: vec![], routes: vec![], trees: vec![] }
    }
}

/// Which part we play in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoomRole {
    /// We order it: the room is of our domain.
    Hub,
    /// We follow the hub of another provider.
    Follower,
}

impl RoomRole {
    /// The role as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Follower => "follower",
        }
    }

    /// Reads a stored role.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Hub, Self::Follower].into_iter().find(|role| role.name() == name)
    }
}

/// The fence of a room: how many times its state was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomVersion(pub u64);

impl RoomVersion {
    /// The version of a room that was just founded.
    pub const FIRST: Self = Self(1);

    /// The version after one more stored state.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The state of a room, opaque to the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomState {
    /// The light part: epoch, roster, roles.
    pub header: Vec<u8>,
    /// The MLS group, heavy, read only when a room is updated.
    pub group: Vec<u8>,
}

/// The place of an event in its room's log, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(pub u64);

impl Seq {
    /// The place of a room's first event.
    pub const FIRST: Self = Self(1);

    /// The place behind this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// An event that enters a room log.
///
/// Within a room both `seq` and `request_hash` are unique; whoever repeats one meets a conflict. Places may have gaps:
/// when a decision is lost to a fault, a message decided behind it may still be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its place in the room's order.
    pub seq: Seq,
    /// When the hub accepted it.
    pub timestamp: Timestamp,
    /// What it carries.
    pub kind: EventKind,
    /// To whom it goes.
    pub audience: Audience,
    /// The encoded `FanoutMessage`.
    pub bytes: Vec<u8>,
    /// The request that caused it, so that the same request finds its answer again; on the first event of a request.
    pub request_hash: Option<RequestHash>,
}

/// What an event of the room log carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// An application message.
    Application,
    /// A commit.
    Commit,
    /// A proposal, or several.
    Proposal,
    /// A Welcome for new members.
    Welcome,
}

impl EventKind {
    /// The kind as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Commit => "commit",
            Self::Proposal => "proposal",
            Self::Welcome => "welcome",
        }
    }

    /// Reads a stored kind.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Application, Self::Commit, Self::Proposal, Self::Welcome]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// To whom an event of the room log goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Audience {
    /// To every provider whose lane covers it.
    Everyone,
    /// To one provider: a Welcome.
    Only(Domain),
}

/// A provider enters or leaves the set of those that a room is delivered to.
///
/// A lane is a set of intervals `[from, to)`: a provider that left and came back gets nothing of the time between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneChange {
    /// The provider gets what the room logs from here on.
    ///
    /// A conflict while one of its intervals in this room is open, or reaches beyond `from`.
    Open {
        /// The provider.
        peer: Domain,
        /// The first event for it.
        from: Seq,
    },
    /// The provider gets nothing from here on.
    ///
    /// A conflict if no interval is open, or if events from `to` on were sent already.
    Close {
        /// The provider.
        peer: Domain,
        /// The first event that is not for it.
        to: Seq,
    },
}
