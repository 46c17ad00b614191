use mimi_mls::{Epoch, KeyPackageRef};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{RequestHash, Timestamp};

use super::table::Table;
use crate::limits::TREES_KEPT;
use crate::{
    Claim, Claimed, Decide, EventRow, KeyPackageRow, LaneChange, LaneRow, NewEvent, RoomRow, RoomVersion,
    Row, RowKind, Seq, StoreFault,
};

/// Everything remembered, in the tables that a database would have.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) rooms: Table<RoomUri, RoomRow>,
    pub(super) events: Table<(RoomUri, Seq), EventRow>,
    pub(super) hashes: Table<(RoomUri, RequestHash), Seq>,
    pub(super) lanes: Table<(RoomUri, Domain, Seq), LaneRow>,
    pub(super) routes: Table<(RoomUri, KeyPackageRef), Domain>,
    pub(super) trees: Table<(RoomUri, Epoch), Vec<u8>>,
    pub(super) key_packages: Table<KeyPackageRef, KeyPackageRow>,
    pub(super) answers: Table<(Domain, RequestHash), Answer>,
    pub(super) rows: Table<(RowKind, Vec<u8>), Row>,
}

/// The answer to a claim.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    bytes: Vec<u8>,
    expires: Timestamp,
}

impl State {
    pub(super) fn commit(&mut self) {
        self.rooms.commit();
        self.events.commit();
        self.hashes.commit();
        self.lanes.commit();
        self.routes.commit();
        self.trees.commit();
        self.key_packages.commit();
        self.answers.commit();
        self.rows.commit();
    }

    pub(super) fn roll_back(&mut self) {
        self.rooms.roll_back();
        self.events.roll_back();
        self.hashes.roll_back();
        self.lanes.roll_back();
        self.routes.roll_back();
        self.trees.roll_back();
        self.key_packages.roll_back();
        self.answers.roll_back();
        self.rows.roll_back();
    }

    pub(super) fn decide(&mut self, decide: Decide) -> Result<(), StoreFault> {
        let Decide { room, role, fence, state, events, lanes, routes, trees } = decide;
        let row = match (self.rooms.get(&room), fence) {
            (None, None) => {
                let state = state.unwrap_or_default();
                let version = RoomVersion::FIRST;
                Some(RoomRow { room: room.clone(), role, version, header: state.header, group: state.group })
            }
            (Some(row), Some(fence)) if row.version == fence && row.role == role => state.map(|state| {
                let version = fence.next();
                RoomRow { room: room.clone(), role, version, header: state.header, group: state.group }
            }),
            (None, Some(_)) | (Some(_), _) => return Err(StoreFault::Conflict),
        };
        if let Some(row) = row {
            self.rooms.put(room.clone(), row);
        }
        events.into_iter().try_for_each(|event| self.append(&room, event))?;
        lanes.into_iter().try_for_each(|change| self.change_lane(&room, change))?;
        routes.into_iter().try_for_each(|(reference, peer)| self.add_route(&room, reference, peer))?;
        for (epoch, tree) in trees {
            self.keep_tree(&room, epoch, tree);
        }
        Ok(())
    }

    fn append(&mut self, room: &RoomUri, event: NewEvent) -> Result<(), StoreFault> {
        let NewEvent { seq, timestamp, kind, audience, bytes, request_hash } = event;
        let place = (room.clone(), seq);
        if self.events.get(&place).is_some() {
            return Err(StoreFault::Conflict);
        }
        if let Some(hash) = request_hash {
            let request = (room.clone(), hash);
            if self.hashes.get(&request).is_some() {
                return Err(StoreFault::Conflict);
            }
            self.hashes.put(request, seq);
        }
        self.events.put(place, EventRow { seq, timestamp, kind, audience, bytes, request_hash });
        Ok(())
    }

    fn change_lane(&mut self, room: &RoomUri, change: LaneChange) -> Result<(), StoreFault> {
        match change {
            LaneChange::Open { peer, from } => {
                if self.lane(room, &peer).any(|row| row.to.is_none_or(|to| to > from)) {
                    return Err(StoreFault::Conflict);
                }
                let row = LaneRow {
                    room: room.clone(),
                    peer: peer.clone(),
                    from,
                    to: None,
                    position: from,
                    batch_end: None,
                };
                self.lanes.put((room.clone(), peer, from), row);
                Ok(())
            }
            LaneChange::Close { peer, to } => {
                let open = self.lane(room, &peer).find(|row| row.to.is_none()).cloned();
                let row = open.ok_or(StoreFault::Conflict)?;
                if to < row.position || row.batch_end.is_some_and(|end| to < end) {
                    return Err(StoreFault::Conflict);
                }
                self.put_lane(LaneRow { to: Some(to), ..row });
                Ok(())
            }
        }
    }

    /// Writes an interval, or deletes it if nothing of it is left to deliver.
    pub(super) fn put_lane(&mut self, row: LaneRow) {
        let key = (row.room.clone(), row.peer.clone(), row.from);
        if row.to == Some(row.position) {
            self.lanes.delete(&key);
        } else {
            self.lanes.put(key, row);
        }
    }

    fn lane(&self, room: &RoomUri, peer: &Domain) -> impl Iterator<Item = &LaneRow> {
        let first = (room.clone(), peer.clone(), Seq(0));
        let last = (room.clone(), peer.clone(), Seq(u64::MAX));
        self.lanes.range(first..=last).map(|(_, row)| row)
    }

    fn add_route(
        &mut self,
        room: &RoomUri,
        reference: KeyPackageRef,
        peer: Domain,
    ) -> Result<(), StoreFault> {
        let key = (room.clone(), reference);
        if self.routes.get(&key).is_some_and(|known| *known != peer) {
            return Err(StoreFault::Conflict);
        }
        self.routes.put(key, peer);
        Ok(())
    }

    fn keep_tree(&mut self, room: &RoomUri, epoch: Epoch, tree: Vec<u8>) {
        self.trees.put((room.clone(), epoch), tree);
        let first_kept = Epoch(epoch.0.saturating_sub(TREES_KEPT - 1));
        let old = self.trees.range((room.clone(), Epoch(0))..(room.clone(), first_kept));
        let old: Vec<_> = old.map(|(key, _)| key.clone()).collect();
        for key in old {
            self.trees.delete(&key);
        }
    }

    pub(super) fn claim(&mut self, claim: Claim) -> Result<Claimed, StoreFault> {
        let Claim { peer, request_hash, answer, expires, now, minted } = claim;
        let expired = self.answers.iter().filter(|(_, answer)| answer.expires <= now);
        let expired: Vec<_> = expired.map(|(key, _)| key.clone()).collect();
        for key in expired {
            self.answers.delete(&key);
        }
        let key = (peer.clone(), request_hash);
        if let Some(first) = self.answers.get(&key) {
            return Ok(Claimed::Replayed(first.bytes.clone()));
        }
        self.answers.put(key, Answer { bytes: answer, expires });
        for key_package in minted {
            let row = key_package.claimed_by(peer.clone());
            if self.key_packages.get(&row.reference).is_some() {
                return Err(StoreFault::Conflict);
            }
            self.key_packages.put(row.reference.clone(), row);
        }
        Ok(Claimed::Fresh)
    }
}
