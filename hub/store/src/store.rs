use std::future::pending;

use async_trait::async_trait;
use mimi_mls::{Epoch, KeyPackageRef};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::RequestHash;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::{
    Batch, Claim, Claimed, Decide, EventLimit, EventRow, Head, KeyPackageRow, KeyRange, LaneRow, Lease,
    LeaseRow, LeaseTable, RoomRole, RoomRow, Row, RowKind, Seq,
};

/// Why the store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// A fence, a uniqueness or a compare-and-set failed: nothing of this call was stored.
    ///
    /// Someone else was first, or the caller works on an old state. Reload and decide anew.
    #[error("the store holds something else than this change was made for")]
    Conflict,
    /// The store failed; whether a verb was stored is unknown until it is read again.
    ///
    /// It never is half-stored. Drop what was decided, reload, and let the peer ask again.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

impl StoreFault {
    /// It was closed, and takes nothing any more.
    pub fn closed() -> Self {
        Self::Unavailable("the store was closed".to_owned())
    }
}

/// What must be remembered.
///
/// The verbs [`decide`](Self::decide), [`claim`](Self::claim) and [`record`](Self::record) return after their commit
/// is durable. Verbs that one task calls without waiting for each other are stored in the order of the calls' first
/// poll. Reads see every verb that was acknowledged before they began.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Stores what a room decided.
    async fn decide(&self, decide: Decide) -> Result<(), StoreFault>;

    /// Stores an answer to a `keyMaterial` request with the `KeyPackages` minted for it, unless that request was
    /// answered before: then the first answer stands.
    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreFault>;

    /// Stores changes that belong together.
    async fn record(&self, batch: Batch) -> Result<(), StoreFault>;

    /// The room as it was last stored.
    async fn room(&self, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault>;

    /// The rooms in which we play this role, or all, in the order of their URIs.
    async fn rooms(&self, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault>;

    /// Where the room's log stands; `None` for a log without events.
    async fn head(&self, room: &RoomUri) -> Result<Option<Head>, StoreFault>;

    /// The room's events from this place on, in order.
    async fn events(&self, room: &RoomUri, from: Seq, limit: EventLimit)
    -> Result<Vec<EventRow>, StoreFault>;

    /// The event that this request caused.
    async fn event_by_hash(
        &self,
        room: &RoomUri,
        request_hash: &RequestHash,
    ) -> Result<Option<EventRow>, StoreFault>;

    /// Every interval that is open or not yet delivered, by room, provider and start.
    async fn lanes(&self) -> Result<Vec<LaneRow>, StoreFault>;

    /// The provider that issued this `KeyPackage` for this room.
    async fn route(&self, room: &RoomUri, key_package: &KeyPackageRef) -> Result<Option<Domain>, StoreFault>;

    /// The room's ratchet tree of this epoch, if it is still kept.
    async fn tree(&self, room: &RoomUri, epoch: Epoch) -> Result<Option<Vec<u8>>, StoreFault>;

    /// The `KeyPackage` that we handed out, until it is used.
    async fn key_package(&self, reference: &KeyPackageRef) -> Result<Option<KeyPackageRow>, StoreFault>;

    /// One row.
    async fn row(&self, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault>;

    /// The first rows of a range, in the byte order of their keys.
    async fn rows(&self, kind: RowKind, range: KeyRange, limit: usize) -> Result<Vec<Row>, StoreFault>;

    /// Rooms whose log grew, told after the commit.
    ///
    /// Only a wake-up: one signal may stand for several events, and a reader that is told it lagged looks at every
    /// room it follows.
    fn appended(&self) -> broadcast::Receiver<RoomUri>;

    /// Grants work to one of the processes that share the data, and tells all that is held then, by key.
    ///
    /// What is free goes to whoever asks first, and is his until he gives it up or it ran out, by a clock that all of them
    /// share. From the first grant on a process may be kept from storing what it wants to store while it holds nothing. Here, for stores that one process has to itself: he gets all.
    async fn lease(&self, lease: Lease) -> Result<Vec<LeaseRow>, StoreFault> {
        Ok(LeaseTable::default().apply(lease, Instant::now()))
    }

    /// Waits until a process gives something up.
    ///
    /// Only a wake-up, and it may be missed: whoever wants something asks now and then all the same. Here, for stores that
    /// one process has to itself: nobody gives anything up.
    async fn given_up(&self) {
        pending::<()>().await;
    }
}
