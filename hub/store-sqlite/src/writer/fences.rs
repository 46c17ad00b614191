use std::collections::HashMap;

use mimi_uri::RoomUri;
use rusqlite::Connection;

use crate::limits::FENCES_REMEMBERED_MAX;
use crate::sql::room::{self, Fence};

/// The fences of rooms that the writer saw lately, so that a message costs no read.
///
/// They are true while nobody else writes to the database and no transaction of ours is undone.
#[derive(Debug, Default)]
pub(super) struct Fences {
    known: HashMap<RoomUri, Fence>,
    data_version: Option<i64>,
}

impl Fences {
    /// Forgets what another process may have changed. To be called within the transaction that relies on it.
    pub(super) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let data_version = Some(room::data_version(connection)?);
        if self.data_version != data_version || self.known.len() >= FENCES_REMEMBERED_MAX {
            self.known.clear();
        }
        self.data_version = data_version;
        Ok(())
    }

    pub(super) fn of(&mut self, connection: &Connection, room: &RoomUri) -> rusqlite::Result<Option<Fence>> {
        if let Some(fence) = self.known.get(room) {
            return Ok(Some(*fence));
        }
        let fence = room::fence(connection, room)?;
        if let Some(fence) = fence {
            self.known.insert(room.clone(), fence);
        }
        Ok(fence)
    }

    pub(super) fn remember(&mut self, room: &RoomUri, fence: Fence) {
        self.known.insert(room.clone(), fence);
    }

    pub(super) fn forget_all(&mut self) {
        *self = Self::default();
    }
}
