use mimi_mls::KeyPackageRef;
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::{RequestHash, Timestamp};

use crate::{Audience, EventKind, RoomRole, RoomVersion, RowVersion, Seq};

/// A room as it was last stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRow {
    /// The room.
    pub room: RoomUri,
    /// Which part we play in it.
    pub role: RoomRole,
    /// The fence for the next decision.
    pub version: RoomVersion,
    /// The light part of its state.
    pub header: Vec<u8>,
    /// Its MLS group.
    pub group: Vec<u8>,
}

/// Where the log of a room stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last event's place.
    pub seq: Seq,
    /// When it was accepted.
    pub timestamp: Timestamp,
}

/// An event of a room log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
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
    /// The request that caused it.
    pub request_hash: Option<RequestHash>,
}

/// How much of a log is read at once.
///
/// Reading stops before the event that would exceed either, but a first event is returned whatever its size, so that
/// a reader always gets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventLimit {
    /// At most so many events.
    pub count: usize,
    /// At most so many bytes of events.
    pub bytes: usize,
}

impl EventLimit {
    /// Whether one more event still fits behind those taken.
    ///
    /// ```
    /// # use mimi_store::EventLimit;
    /// let limit = EventLimit { count: 2, bytes: 100 };
    /// assert!(limit.admits(0, 0, 500));
    /// assert!(limit.admits(1, 60, 40));
    /// assert!(!limit.admits(1, 60, 41));
    /// assert!(!limit.admits(2, 60, 1));
    /// ```
    pub fn admits(self, events_taken: usize, bytes_taken: usize, bytes: usize) -> bool {
        events_taken < self.count && (events_taken == 0 || bytes_taken.saturating_add(bytes) <= self.bytes)
    }
}

/// An interval of a lane: what of a room's log one provider is still to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneRow {
    /// The room.
    pub room: RoomUri,
    /// The provider that is delivered to.
    pub peer: Domain,
    /// The interval's first event; names the interval within the lane.
    pub from: Seq,
    /// The first event beyond the interval; `None` while it is open.
    pub to: Option<Seq>,
    /// The next event to deliver.
    pub position: Seq,
    /// The end of the batch that is being sent.
    pub batch_end: Option<Seq>,
}

/// A `KeyPackage` that was handed out and not yet used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPackageRow {
    /// By which a Welcome names it.
    pub reference: KeyPackageRef,
    /// The provider that claimed it.
    pub peer: Domain,
    /// The hosted user.
    pub user: UserUri,
    /// The hosted user's client.
    pub client: ClientUri,
    /// The user who wants to add the hosted user.
    pub requester: UserUri,
    /// The room to which the hosted user is to be added.
    pub room: RoomUri,
    /// Everything needed to join and to speak, sealed.
    pub secret: Vec<u8>,
    /// When its lifetime ends.
    pub not_after: Timestamp,
}

/// An opaque row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its key within its kind.
    pub key: Vec<u8>,
    /// Its version, for the next compare-and-set.
    pub version: RowVersion,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Keys in byte order, from one to before another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub from: Vec<u8>,
    /// The first key beyond the range; `None` for a range without end.
    pub to: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    pub fn all() -> Self {
        Self::default()
    }

    /// The keys from one to before another.
    pub fn between(from: impl Into<Vec<u8>>, to: impl Into<Vec<u8>>) -> Self {
        Self { from: from.into(), to: Some(to.into()) }
    }

    /// The keys that begin with these bytes.
    ///
    /// ```
    /// # use mimi_store::KeyRange;
    /// assert_eq!(KeyRange::prefix(b"ab"), KeyRange::between(b"ab", b"ac"));
    /// assert_eq!(KeyRange::prefix(b"a\xff"), KeyRange::between(b"a\xff", b"b"));
    /// assert_eq!(KeyRange::prefix(b"\xff"), KeyRange { from: b"\xff".to_vec(), to: None });
    /// ```
    pub fn prefix(prefix: &[u8]) -> Self {
        let kept = prefix.iter().rposition(|byte| *byte != u8::MAX).map(|last| last + 1);
        let to = kept.map(|length| {
            let mut to = prefix[..length].to_vec();
            to[length - 1] += 1;
            to
        });
        Self { from: prefix.to_vec(), to }
    }

    /// The keys behind this one, up to the same end: how to read on.
    #[must_use]
    pub fn behind(self, key: &[u8]) -> Self {
        let mut from = key.to_vec();
        from.push(0);
        Self { from, to: self.to }
    }

    /// Whether a key is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.from.as_slice() <= key && self.to.as_deref().is_none_or(|to| key < to)
    }
}
