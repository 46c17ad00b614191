use std::collections::HashMap;

use mimi_mls::{Epoch, KeyPackageRef};
use mimi_store::{Claim, NewEvent, RoomRole, RoomState, RoomVersion, RowVersion, Seq};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{RequestHash, Timestamp};

use super::touched::Touched;
use crate::sql::key_package::Minted;
use crate::sql::lane::Interval;

/// A room among those that a group touches.
pub(super) type RoomPlace = usize;

/// All that a group touches, table by table.
#[derive(Default)]
pub(super) struct Tables<'v> {
    pub(super) uris: Vec<&'v RoomUri>,
    pub(super) room_places: HashMap<&'v RoomUri, RoomPlace>,
    pub(super) rooms: Touched<RoomPlace, RoomNow<'v>>,
    /// What enters the logs, in order; the last of them by the verb that is being judged.
    pub(super) events: Vec<(RoomPlace, &'v NewEvent)>,
    pub(super) events_kept: usize,
    pub(super) seqs: Touched<(RoomPlace, Seq), ()>,
    pub(super) requests: Touched<(RoomPlace, RequestHash), ()>,
    pub(super) lanes: Touched<(RoomPlace, &'v Domain, Seq), Interval>,
    pub(super) routes: Touched<(RoomPlace, &'v KeyPackageRef), Domain>,
    pub(super) trees: Touched<(RoomPlace, Epoch), &'v [u8]>,
    pub(super) answers: Touched<(&'v Domain, RequestHash), Answer<'v>>,
    /// The latest time of a claim: what expired by then is deleted.
    pub(super) claimed_at: Option<Timestamp>,
    pub(super) key_packages: Touched<&'v KeyPackageRef, KeyPackage<'v>>,
    pub(super) rows: Touched<(&'static str, &'v [u8]), RowNow<'v>>,
}

/// A room as the group leaves it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomNow<'v> {
    /// None before it is founded.
    pub(super) id: Option<i64>,
    pub(super) role: RoomRole,
    pub(super) version: RoomVersion,
    /// Its last new state, if it has one.
    pub(super) state: Option<&'v RoomState>,
}

/// An answer, as it was stored or as the group stores it.
pub(super) enum Answer<'v> {
    Stored(Vec<u8>, Timestamp),
    New(&'v Claim),
}

/// A `KeyPackage`, as it was stored or as the group stores it.
#[derive(Clone, Copy)]
pub(super) enum KeyPackage<'v> {
    Stored,
    New(Minted<'v>),
}

/// An opaque row as the group leaves it; no bytes if they are as they were.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowNow<'v> {
    pub(super) version: RowVersion,
    pub(super) bytes: Option<&'v [u8]>,
}

impl<'v> Tables<'v> {
    /// The room's place, given when it is first named.
    pub(super) fn place(&mut self, room: &'v RoomUri) -> RoomPlace {
        let uris = &mut self.uris;
        *self.room_places.entry(room).or_insert_with(|| {
            uris.push(room);
            uris.len() - 1
        })
    }

    /// The verb that was judged is to be stored.
    pub(super) fn keep(&mut self) {
        self.events_kept = self.events.len();
        self.rooms.keep();
        self.seqs.keep();
        self.requests.keep();
        self.lanes.keep();
        self.routes.keep();
        self.trees.keep();
        self.answers.keep();
        self.key_packages.keep();
        self.rows.keep();
    }

    /// The verb that was judged conflicts, and leaves nothing.
    pub(super) fn take_back(&mut self) {
        self.events.truncate(self.events_kept);
        self.rooms.take_back();
        self.seqs.take_back();
        self.requests.take_back();
        self.lanes.take_back();
        self.routes.take_back();
        self.trees.take_back();
        self.answers.take_back();
        self.key_packages.take_back();
        self.rows.take_back();
    }
}

impl Answer<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Stored(bytes, _) => bytes,
            Self::New(claim) => &claim.answer,
        }
    }

    pub(super) fn expires(&self) -> Timestamp {
        match self {
            Self::Stored(_, expires) => *expires,
            Self::New(claim) => claim.expires,
        }
    }
}
