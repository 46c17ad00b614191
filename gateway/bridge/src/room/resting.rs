//! Rooms in which nothing is left to do: at start they are looked at, and not loaded.

use std::collections::HashSet;
use std::sync::Arc;

use mimi_client::vault::Purpose;
use mimi_store::{KeyRange, Row};
use mimi_uri::RoomUri;

use super::Followed;
use crate::bridge::{Core, PAGE};
use crate::fault::Fault;
use crate::rows::{self, ROOM, RoomKind, RoomRow, Stage};

impl Core {
    /// Wakes the rooms in which something is left to do, beside whatever else begins: to look at a room costs a hundredth
    /// of loading it, but there may be very many.
    pub(crate) fn wake_rooms(self: &Arc<Self>) {
        let core = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(fault) = core.look_at_rooms().await {
                tracing::warn!(%fault, "not all rooms could be looked at");
                core.store_failed.notify_one();
            }
        });
    }

    async fn look_at_rooms(&self) -> Result<(), Fault> {
        let mut logged: HashSet<RoomUri> = self.store.rooms(None).await?.into_iter().collect();
        let mut range = KeyRange::all();
        loop {
            let page = self.store.rows(ROOM, range.clone(), PAGE).await?;
            let Some(last) = page.last() else { break };
            range = range.behind(&last.key);
            for stored in page {
                let Ok(room) = RoomUri::parse_bytes(&stored.key) else { continue };
                logged.remove(&room);
                // What does not read is told by the run.
                if !self.rests(&room, &stored).await.unwrap_or(false) {
                    self.wake_room(room);
                }
            }
        }
        // There is a log, and we are not in the room: there may be a Welcome in it.
        for room in logged {
            self.wake_room(room);
        }
        Ok(())
    }

    /// Whether nothing is left to do in a room, as its row and its log say.
    async fn rests(&self, room: &RoomUri, stored: &Row) -> Result<bool, Fault> {
        let plain = self.vault.open(Purpose::RoomState, room.as_str().as_bytes(), &stored.bytes)?;
        let row: RoomRow = rows::decode(ROOM, &plain)?;
        match row.stage {
            Stage::Closed => return Ok(true),
            Stage::Opening => return Ok(false),
            Stage::Joined => {}
        }
        if !row.rests || row.in_flight.is_some() {
            return Ok(false);
        }
        let head = self.store.head(room).await?;
        Ok(head.is_none_or(|head| head.seq.0 <= row.position))
    }
}

impl Followed {
    /// Whether the group, as it is now, waits for nothing but what comes by the log. Conversations of several people have
    /// wishes besides.
    pub(super) fn group_rests(&self) -> bool {
        let waits = |client: &mimi_client::RoomClient| client.needs_resync() || client.can_commit_pending();
        self.row.kind == RoomKind::Direct && !self.client.as_ref().is_none_or(waits)
    }
}
