use mimi_mls::KeyPackageRef;
use mimi_uri::{Domain, RoomUri};

use crate::Seq;

/// Changes that belong together, stored as a whole or not at all.
///
/// Rows first, then lanes, then used `KeyPackages`, each in the order given: a later change sees the earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Rows of the bridge or the server.
    pub rows: Vec<RowChange>,
    /// Progress of deliveries.
    pub lanes: Vec<LaneProgress>,
    /// `KeyPackages` whose Welcome was joined by: their private keys are deleted. One that is not there is a
    /// conflict, for it was used before.
    pub used_key_packages: Vec<KeyPackageRef>,
}

/// Whose rows they are: a name space of keys, chosen by the bridge or the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKind(pub &'static str);

/// How many times a row was put since it was inserted, counted from 1.
///
/// A row that is deleted and inserted again starts anew, so versions tell states of one life of a row apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowVersion(pub u64);

impl RowVersion {
    /// The version of a row that was just inserted.
    pub const FIRST: Self = Self(1);

    /// The version after one more put.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A change of one opaque, versioned row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange {
    /// Stores a row that must not be there yet.
    Insert {
        /// Whose row.
        kind: RowKind,
        /// Its key.
        key: Vec<u8>,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// Stores a row, adding one to its version.
    Put {
        /// Whose row.
        kind: RowKind,
        /// Its key.
        key: Vec<u8>,
        /// The version it must have now; `None` takes any, and none.
        expected: Option<RowVersion>,
        /// Its new content.
        bytes: Vec<u8>,
    },
    /// Deletes a row.
    Delete {
        /// Whose row.
        kind: RowKind,
        /// Its key.
        key: Vec<u8>,
        /// The version it must have now; `None` takes any, and none.
        expected: Option<RowVersion>,
    },
}

/// How far the delivery along an interval of a lane has come.
///
/// An interval is named by the place at which it starts. One that is not there, or not any more, is a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneProgress {
    /// The next request carries the events from the lane's position up to here; stored before it is sent, so that
    /// after a crash the same bytes are sent again.
    ///
    /// A conflict unless `position` is the interval's and `batch_end` is behind it and within the interval: nobody
    /// sends anew what another process brought there already. It may be set again: nearer, for a batch that a peer rejected
    /// is split; further, if whoever set it was not told so and has not sent it.
    BatchEnd {
        /// The room.
        room: RoomUri,
        /// The provider that is delivered to.
        peer: Domain,
        /// Where the interval starts.
        from: Seq,
        /// Where the batch starts: the interval's position.
        position: Seq,
        /// The first event that is not part of the batch.
        batch_end: Seq,
    },
    /// Everything before this place was delivered or is not for this provider.
    ///
    /// A conflict if it goes backwards or leaves the interval; the same position again is none. It ends a batch
    /// that it reaches, and deletes a closed interval whose end it reaches.
    Advance {
        /// The room.
        room: RoomUri,
        /// The provider that is delivered to.
        peer: Domain,
        /// Where the interval starts.
        from: Seq,
        /// The next event to deliver.
        position: Seq,
    },
}
