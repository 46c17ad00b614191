use std::collections::HashMap;

use mimi_uri::RoomUri;
use rusqlite::Connection;

use crate::limits::FENCES_REMEMBERED_MAX;
use crate::sql::room::{self, Fence};

/// The fences of rooms that the writer saw lately, so that a message costs no read.
///
/// They are true while nobody else writes to the database and no transaction of ours is undone.
#[derive(Debug, Default)]
pub(super) struct Fences(HashMap<RoomUri, Fence>);

impl Fences {
    /// Forgets them all where they are too many.
    pub(super) fn bound(&mut self) {
        if self.0.len() >= FENCES_REMEMBERED_MAX {
            self.forget_all();
        }
    }

    pub(super) fn of(&mut self, connection: &Connection, room: &RoomUri) -> rusqlite::Result<Option<Fence>> {
        if let Some(fence) = self.0.get(room) {
            return Ok(Some(*fence));
        }
        let fence = room::fence(connection, room)?;
        if let Some(fence) = fence {
            self.0.insert(room.clone(), fence);
        }
        Ok(fence)
    }

    pub(super) fn remember(&mut self, room: &RoomUri, fence: Fence) {
        self.0.insert(room.clone(), fence);
    }

    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}
