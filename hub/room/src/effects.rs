//! What follows from a decision, for somebody else to store and deliver.

use mimi_mls::{Epoch, KeyPackageRef};
use mimi_uri::Domain;
use mimi_wire::{FanoutEvent, FanoutMessage, Timestamp};

/// An answer, and all that makes it true: to be stored as a whole before the answer leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<A> {
    /// What the peer is told.
    pub answer: A,
    /// What is to be stored.
    pub effects: Effects,
}

/// What a decision changes outside of the room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// What enters the room log, in its order.
    pub events: Vec<RoomEvent>,
    /// Providers that the room is delivered to from now on, or no more; in the order in which they happen.
    pub lanes: Vec<LaneChange>,
    /// Which provider issued a `KeyPackage`.
    pub routes: Vec<(KeyPackageRef, Domain)>,
    /// Ratchet trees by epoch.
    pub trees: Vec<(Epoch, Vec<u8>)>,
    /// Whether header and group are to be stored anew; an accepted message changes neither.
    pub state_changed: bool,
}

/// An event of the room log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomEvent {
    /// Its place in the log, counted from 1.
    pub seq: u64,
    /// When it was accepted; strictly increasing within the room (I4).
    pub timestamp: Timestamp,
    /// What it carries.
    pub kind: EventKind,
    /// To whom it goes.
    pub audience: Audience,
    /// What is sent.
    pub message: FanoutMessage,
}

/// What an event carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// To whom an event goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// To every provider whose lane covers it.
    Everyone,
    /// To one provider, if its lane covers it.
    Only(Domain),
}

/// A provider begins or ceases to get what the room logs. Our own domain has no lane: it reads the log itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneChange {
    /// It gets the log from this place on.
    Open {
        /// The provider.
        peer: Domain,
        /// The first event for it.
        from: u64,
    },
    /// It gets nothing from this place on.
    Close {
        /// The provider.
        peer: Domain,
        /// The first event that is not for it.
        to: u64,
    },
}

impl RoomEvent {
    pub(crate) fn new((seq, timestamp): (u64, Timestamp), audience: Audience, event: FanoutEvent) -> Self {
        let kind = match &event {
            FanoutEvent::Application { .. } => EventKind::Application,
            FanoutEvent::Commit { .. } => EventKind::Commit,
            FanoutEvent::Proposal { .. } => EventKind::Proposal,
            FanoutEvent::Welcome { .. } => EventKind::Welcome,
        };
        Self { seq, timestamp, kind, audience, message: FanoutMessage { timestamp, event } }
    }
}
