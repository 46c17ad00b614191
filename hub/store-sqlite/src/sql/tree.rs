use mimi_mls::Epoch;
use mimi_store::limits::TREES_KEPT;
use mimi_uri::RoomUri;
use rusqlite::{Connection, params};

use super::{Unreadable, integer, one};
use crate::writer::Undone;

/// Stores the tree of an epoch, in place of one stored for it before.
pub(crate) fn store(connection: &Connection, room: i64, epoch: Epoch, tree: &[u8]) -> Result<(), Undone> {
    connection
        .prepare_cached(
            "INSERT INTO tree (room, epoch, bytes) VALUES (?, ?, ?) \
             ON CONFLICT (room, epoch) DO UPDATE SET bytes = excluded.bytes",
        )?
        .execute(params![room, integer(epoch.0), tree])?;
    Ok(())
}

/// Deletes the trees that are too old once this epoch has one.
pub(crate) fn delete_old(connection: &Connection, room: i64, newest: Epoch) -> Result<(), Undone> {
    let first_kept = newest.0.saturating_sub(TREES_KEPT - 1);
    connection
        .prepare_cached("DELETE FROM tree WHERE room = ? AND epoch < ?")?
        .execute(params![room, integer(first_kept)])?;
    Ok(())
}

pub(crate) fn read(
    connection: &Connection,
    room: &RoomUri,
    epoch: Epoch,
) -> Result<Option<Vec<u8>>, Unreadable> {
    one(
        connection,
        "SELECT bytes FROM tree WHERE room = (SELECT id FROM room WHERE uri = ?) AND epoch = ?",
        params![room.as_str(), integer(epoch.0)],
        |row| Ok(row.get(0)?),
    )
}
