//! What an operator can see of the lanes, and do about them.

use std::collections::BTreeMap;

use mimi_store::{EventLimit, KeyRange, LaneRow, RowChange, RowKind, Seq};
use mimi_uri::{Domain, RoomUri};
use serde::{Deserialize, Serialize};

use crate::failure::Fault;
use crate::lanes::LaneKey;
use crate::limits::SET_ASIDE_LISTED_MAX;
use crate::server::{Inner, Server};

/// One follower's share of one room's log, if the follower has not all of it or some of it was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneReport {
    /// The follower.
    pub peer: Domain,
    /// The room.
    pub room: RoomUri,
    /// How many events it is still to get.
    pub waiting: u64,
    /// When the oldest of them was accepted, in milliseconds since 1970.
    pub oldest_ms: Option<u64>,
    /// What is in its way.
    pub why: Option<String>,
    /// Since when nothing got through.
    pub since_ms: Option<u64>,
    /// When it will be tried again.
    pub next_ms: Option<u64>,
    /// Whether it waits for somebody to look at it.
    pub is_parked: bool,
    /// The messages that it went on without.
    pub set_aside: Vec<SetAside>,
}

/// A message that a follower called malformed, so that its lane went on without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Its place in the room's log.
    pub seq: u64,
    /// What the follower said.
    pub status: u16,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// Messages that lanes went on without; the key is the follower, the room and the place, divided by spaces.
const SET_ASIDE: RowKind = RowKind("set_aside");

impl Server {
    /// Every lane whose follower has not all of its room's log, or went on without some of it.
    pub async fn lanes(&self) -> Result<Vec<LaneReport>, String> {
        self.inner().lane_reports().await.map_err(|fault| fault.to_string())
    }

    /// Tries a lane again now, whatever it waits for.
    pub fn resume_lane(&self, peer: &Domain, room: &RoomUri) {
        self.inner().lanes.resume(&LaneKey { peer: peer.clone(), room: room.clone() });
    }
}

impl Inner {
    async fn lane_reports(&self) -> Result<Vec<LaneReport>, Fault> {
        let mut set_aside = self.set_aside_messages().await?;
        let mut lanes: BTreeMap<LaneKey, Vec<LaneRow>> = BTreeMap::new();
        for row in self.store.lanes().await? {
            lanes.entry(LaneKey { peer: row.peer.clone(), room: row.room.clone() }).or_default().push(row);
        }
        let mut reports = Vec::new();
        for (key, intervals) in lanes {
            let missing = set_aside.remove(&key).unwrap_or_default();
            let report = self.lane_report(key, &intervals, missing).await?;
            if report.waiting > 0 || !report.set_aside.is_empty() {
                reports.push(report);
            }
        }
        for (key, missing) in set_aside {
            reports.push(self.lane_report(key, &[], missing).await?);
        }
        Ok(reports)
    }

    async fn lane_report(
        &self,
        key: LaneKey,
        intervals: &[LaneRow],
        set_aside: Vec<SetAside>,
    ) -> Result<LaneReport, Fault> {
        let next = self.store.head(&key.room).await?.map_or(Seq::FIRST, |head| head.seq.next());
        let left = |row: &LaneRow| row.to.unwrap_or(next).0.saturating_sub(row.position.0);
        let waiting = intervals.iter().map(left).sum();
        let oldest_ms = match intervals.iter().find(|row| left(row) > 0) {
            Some(row) => {
                let one = EventLimit { count: 1, bytes: 0 };
                let first = self.store.events(&key.room, row.position, one).await?;
                first.first().map(|event| event.timestamp.0)
            }
            None => None,
        };
        let trouble = self.lanes.trouble(&key).filter(|_| waiting > 0);
        let wait = trouble.as_ref().and_then(|_| self.lanes.waits(&key));
        Ok(LaneReport {
            waiting,
            oldest_ms,
            since_ms: trouble.as_ref().map(|trouble| trouble.since_ms),
            next_ms: wait.and_then(|wait| Some(self.now().ok()?.0 + u64::try_from(wait.as_millis()).ok()?)),
            is_parked: trouble.as_ref().is_some_and(|trouble| trouble.is_parked),
            why: trouble.map(|trouble| trouble.why),
            set_aside,
            peer: key.peer,
            room: key.room,
        })
    }

    /// The row that remembers a message which a lane goes on without.
    pub(crate) fn set_aside_row(&self, key: &LaneKey, seq: Seq, status: u16) -> RowChange {
        let at_ms = self.now().map_or(0, |now| now.0);
        let name = format!("{} {} {}", key.peer, key.room, seq.0);
        let bytes = format!("{status} {at_ms}").into_bytes();
        RowChange::Put { kind: SET_ASIDE, key: name.into_bytes(), expected: None, bytes }
    }

    async fn set_aside_messages(&self) -> Result<BTreeMap<LaneKey, Vec<SetAside>>, Fault> {
        let mut found: BTreeMap<LaneKey, Vec<SetAside>> = BTreeMap::new();
        for row in self.store.rows(SET_ASIDE, KeyRange::all(), SET_ASIDE_LISTED_MAX).await? {
            if let Some((key, message)) = read_set_aside(&row.key, &row.bytes) {
                found.entry(key).or_default().push(message);
            }
        }
        Ok(found)
    }
}

fn read_set_aside(key: &[u8], bytes: &[u8]) -> Option<(LaneKey, SetAside)> {
    let mut key = std::str::from_utf8(key).ok()?.splitn(3, ' ');
    let peer = Domain::parse(key.next()?).ok()?;
    let room = RoomUri::parse(key.next()?).ok()?;
    let seq = key.next()?.parse().ok()?;
    let (status, at_ms) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
    let message = SetAside { seq, status: status.parse().ok()?, at_ms: at_ms.parse().ok()? };
    Some((LaneKey { peer, room }, message))
}
