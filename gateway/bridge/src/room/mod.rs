//! Followed rooms: the one place where their MLS state is held, in memory ahead of the rows by at most one commit.

mod joining;
mod leaving;
mod log;
mod opening;
mod post;
mod rejoining;
mod report;
mod request;
mod resting;

pub(crate) use log::Effects;
pub(crate) use opening::{key_packages, refusal};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mimi_client::RoomClient;
use mimi_client::vault::Purpose;
use mimi_store::{Batch, Next, RowChange, RowVersion};
use mimi_uri::{RoomUri, UserUri};
use tokio::sync::Mutex as Turn;

use crate::bridge::Core;
use crate::fault::Fault;
use crate::limits::ROOMS_IN_MEMORY_MAX;
use crate::rows::{self, InFlight, Intent, LinkId, ROOM, RoomKind, RoomRow, SNAPSHOT, Stage};

/// The rooms in memory, each with its turn: whoever holds it may act in the room.
#[derive(Default)]
pub(crate) struct Rooms {
    slots: Mutex<HashMap<RoomUri, Slot>>,
}

type Slot = Arc<Turn<Option<Followed>>>;

/// A room as its holder sees it.
pub(crate) struct Followed {
    pub(crate) room: RoomUri,
    pub(crate) row: RoomRow,
    pub(super) version: Option<RowVersion>,
    /// The MLS side; none before the room is founded.
    pub(crate) client: Option<RoomClient>,
    /// Others' proposals are committed at this time, in milliseconds since 1970.
    pub(super) commit_at: Option<u64>,
    /// A group's changes are committed one by one: the hub has refused several together.
    pub(crate) one_by_one: bool,
    /// The room is woken at this time for what is not due yet, in milliseconds since 1970.
    pub(crate) wake_at: Option<u64>,
}

impl Rooms {
    pub(crate) fn slot(&self, room: &RoomUri) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= ROOMS_IN_MEMORY_MAX {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(room.clone()).or_default())
    }
}

impl Followed {
    fn new(room: &RoomUri, row: RoomRow, version: Option<RowVersion>) -> Self {
        Self {
            room: room.clone(),
            row,
            version,
            client: None,
            commit_at: None,
            one_by_one: false,
            wake_at: None,
        }
    }

    /// The MLS side of a room that has one.
    pub(crate) fn client(&mut self) -> Result<&mut RoomClient, Fault> {
        self.client.as_mut().ok_or_else(|| Fault::Group("the room has no group yet".to_owned()))
    }

    /// How many events would be read again if the room were loaded now.
    fn events_to_replay(&self) -> u64 {
        let behind = self.row.position.saturating_sub(self.row.snapshot_position);
        self.client.as_ref().map_or(0, |_| behind)
    }
}

impl RoomRow {
    /// A room that is to be founded for a link.
    pub(crate) fn opening(hosted: UserUri, link: LinkId) -> Self {
        Self { links: vec![(hosted, link)], ..Self::at(Stage::Opening) }
    }

    /// A room that our service participant is to found for a group link.
    pub(crate) fn opening_group(service: UserUri, link: LinkId) -> Self {
        Self { kind: RoomKind::Group, ..Self::opening(service, link) }
    }

    /// A room of which nothing is known yet.
    pub(crate) fn at(stage: Stage) -> Self {
        Self {
            stage,
            kind: RoomKind::Direct,
            links: vec![],
            position: 0,
            snapshot_position: 0,
            epoch: 0,
            generations: vec![],
            in_flight: None,
            missed: 0,
            rests: false,
        }
    }
}

impl Core {
    /// Brings a room forward: opens it, answers what is in flight, follows its log, commits what is pending.
    pub(crate) async fn run_room(&self, room: &RoomUri) -> Result<Next, Fault> {
        let slot = self.rooms.slot(room);
        let mut held = slot.lock().await;
        let mut mine = held.take();
        let result = self.advance(room, &mut mine).await;
        if result.is_ok() {
            *held = mine;
        }
        result
    }

    async fn advance(&self, room: &RoomUri, held: &mut Option<Followed>) -> Result<Next, Fault> {
        if !self.load(room, held).await? && !self.try_join(room, held).await? {
            return Ok(Next::Rest);
        }
        let Some(followed) = held.as_mut() else { return Ok(Next::Rest) };
        match followed.row.stage {
            Stage::Closed => return Ok(Next::Rest),
            Stage::Opening if followed.row.kind == RoomKind::Group => self.open_group(followed).await?,
            Stage::Opening => self.open(followed).await?,
            Stage::Joined => {}
        }
        if let Err(fault) = self.settle_in_flight(followed).await {
            // A message of ours that waits holds up nobody else's; only an own commit must be answered first.
            if matches!(
                followed.row.in_flight,
                Some(InFlight { intent: Intent::Post(_) | Intent::Report(_), .. })
            ) {
                self.follow_log(followed).await?;
            }
            return Err(fault);
        }
        self.follow_log(followed).await?;
        if followed.client()?.needs_resync() {
            self.rejoin(followed).await?;
            return Ok(Next::Again);
        }
        let next = self.commit_pending(followed).await?;
        if followed.row.kind == RoomKind::Group && next == Next::Rest {
            return self.fulfil(followed).await;
        }
        Ok(next)
    }

    /// Acts in a room in its turn; a fault drops what memory holds, for it may be ahead of the rows.
    pub(crate) async fn in_turn<R>(
        &self,
        room: &RoomUri,
        act: impl AsyncFnOnce(&mut Followed) -> Result<R, Fault>,
    ) -> Result<Option<R>, Fault> {
        let slot = self.rooms.slot(room);
        let mut held = slot.lock().await;
        // Taken out while it may be half changed: put back only if all went well, also if this is never finished.
        let mut mine = held.take();
        if !self.load(room, &mut mine).await? {
            return Ok(None);
        }
        let Some(followed) = mine.as_mut() else { return Ok(None) };
        let acted = act(followed).await?;
        *held = mine;
        Ok(Some(acted))
    }

    /// Loads a room from its rows; whether it has any.
    pub(super) async fn load(&self, room: &RoomUri, held: &mut Option<Followed>) -> Result<bool, Fault> {
        if held.is_some() {
            return Ok(true);
        }
        let Some(stored) = self.store.row(ROOM, room.as_str().as_bytes()).await? else { return Ok(false) };
        let plain = self.vault.open(Purpose::RoomState, room.as_str().as_bytes(), &stored.bytes)?;
        let row: RoomRow = rows::decode(ROOM, &plain)?;
        let mut followed = Followed::new(room, row, Some(stored.version));
        if let Some(snapshot) = self.store.row(SNAPSHOT, room.as_str().as_bytes()).await? {
            let plain = self.vault.open(Purpose::RoomState, &snapshot_key(room), &snapshot.bytes)?;
            followed.client = Some(RoomClient::load(room, &plain)?);
            self.prove(&mut followed).await?;
            self.replay_log(&mut followed).await?;
            let (epoch, generations) = (followed.row.epoch, followed.row.generations.clone());
            followed.client()?.resume(epoch, &generations)?;
        }
        *held = Some(followed);
        Ok(true)
    }

    /// Sees to it that the members' credentials are checked; whoever does not pass is returned, and not heard.
    pub(super) async fn prove(&self, followed: &mut Followed) -> Result<Vec<UserUri>, Fault> {
        let client = followed.client()?;
        for domain in client.providers() {
            self.know_roots(&domain).await?;
        }
        let roots = self.roots.read().await;
        Ok(client.prove(&roots, self.clock.now()).to_vec())
    }

    /// Wakes a room later, for what is not due yet; once, however often it is said.
    pub(crate) fn wake_room_later(&self, followed: &mut Followed, wait: Duration) {
        let now = self.clock.now().0;
        let at = now.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        if followed.wake_at.is_none_or(|before| before <= now || before > at) {
            followed.wake_at = Some(at);
            self.wake_room_after(followed.room.clone(), wait);
        }
    }

    /// The change that stores a room's row, if nobody else did meanwhile: the fence of every seal and commit.
    pub(crate) fn put_room(&self, room: &RoomUri, row: &RoomRow, version: Option<RowVersion>) -> RowChange {
        let key = room.as_str().as_bytes().to_vec();
        let bytes = self.vault.seal(Purpose::RoomState, &key, &rows::encode(row));
        match version {
            Some(version) => RowChange::Put { kind: ROOM, key, expected: Some(version), bytes },
            None => RowChange::Insert { kind: ROOM, key, bytes },
        }
    }

    /// Stores a room's row, its snapshot if the group changed, and what else belongs into the same commit.
    pub(crate) async fn store_room(
        &self,
        followed: &mut Followed,
        snapshot: bool,
        mut batch: Batch,
    ) -> Result<(), Fault> {
        if let Some(client) = &followed.client {
            (followed.row.epoch, followed.row.generations) = client.generations();
        }
        followed.row.rests = followed.group_rests();
        if snapshot {
            followed.row.snapshot_position = followed.row.position;
            let plain = followed.client()?.snapshot()?;
            let bytes = self.vault.seal(Purpose::RoomState, &snapshot_key(&followed.room), &plain);
            let key = followed.room.as_str().as_bytes().to_vec();
            batch.rows.push(RowChange::Put { kind: SNAPSHOT, key, expected: None, bytes });
        }
        batch.rows.push(self.put_room(&followed.room, &followed.row, followed.version));
        self.store.record(batch).await?;
        followed.version = Some(followed.version.map_or(RowVersion::FIRST, RowVersion::next));
        Ok(())
    }
}

fn snapshot_key(room: &RoomUri) -> Vec<u8> {
    [b"snapshot ", room.as_str().as_bytes()].concat()
}
