use mimi_mls::Epoch;
use mimi_store::StoreFault;
use mimi_store::limits::TREES_KEPT;
use mimi_uri::RoomUri;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use super::{integer, unreadable};
use crate::writer::Undone;

/// Stores the tree of an epoch, in place of one stored for it before.
pub(crate) async fn store(
    connection: &mut SqliteConnection,
    room: i64,
    epoch: Epoch,
    tree: &[u8],
) -> Result<(), Undone> {
    sqlx::query(
        "INSERT INTO tree (room, epoch, bytes) VALUES (?, ?, ?) \
         ON CONFLICT (room, epoch) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(room)
    .bind(integer(epoch.0))
    .bind(tree)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes the trees that are too old once this epoch has one.
pub(crate) async fn delete_old(
    connection: &mut SqliteConnection,
    room: i64,
    newest: Epoch,
) -> Result<(), Undone> {
    let first_kept = newest.0.saturating_sub(TREES_KEPT - 1);
    sqlx::query("DELETE FROM tree WHERE room = ? AND epoch < ?")
        .bind(room)
        .bind(integer(first_kept))
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn read(
    readers: &SqlitePool,
    room: &RoomUri,
    epoch: Epoch,
) -> Result<Option<Vec<u8>>, StoreFault> {
    sqlx::query_scalar(
        "SELECT bytes FROM tree WHERE room = (SELECT id FROM room WHERE uri = ?) AND epoch = ?",
    )
    .bind(room.as_str())
    .bind(integer(epoch.0))
    .fetch_optional(readers)
    .await
    .map_err(unreadable)
}
