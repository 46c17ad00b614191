use mimi_mls::Epoch;
use mimi_store::StoreFault;
use mimi_store::limits::TREES_KEPT;
use mimi_uri::RoomUri;
use sqlx::PgConnection;
use sqlx::postgres::PgPool;

use super::{integer, unreadable};

/// Stores the trees of epochs, in place of those stored for them before.
pub(crate) async fn put(connection: &mut PgConnection, trees: &[((i64, Epoch), &[u8])]) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO tree (room, epoch, bytes) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) \
         ON CONFLICT (room, epoch) DO UPDATE SET bytes = excluded.bytes",
    )
    .bind(trees.iter().map(|((room, _), _)| *room).collect::<Vec<i64>>())
    .bind(trees.iter().map(|((_, epoch), _)| integer(epoch.0)).collect::<Vec<i64>>())
    .bind(trees.iter().map(|(_, bytes)| *bytes).collect::<Vec<&[u8]>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes the trees that are too old once these epochs have one.
pub(crate) async fn delete_old(
    connection: &mut PgConnection,
    trees: &[((i64, Epoch), &[u8])],
) -> sqlx::Result<()> {
    let first_kept = |epoch: Epoch| integer(epoch.0.saturating_sub(TREES_KEPT - 1));
    sqlx::query(
        "DELETE FROM tree USING unnest($1::bigint[], $2::bigint[]) AS t (room, first_kept) \
         WHERE tree.room = t.room AND tree.epoch < t.first_kept",
    )
    .bind(trees.iter().map(|((room, _), _)| *room).collect::<Vec<i64>>())
    .bind(trees.iter().map(|((_, epoch), _)| first_kept(*epoch)).collect::<Vec<i64>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn read(
    readers: &PgPool,
    room: &RoomUri,
    epoch: Epoch,
) -> Result<Option<Vec<u8>>, StoreFault> {
    sqlx::query_scalar(
        "SELECT bytes FROM tree WHERE room = (SELECT id FROM room WHERE uri = $1) AND epoch = $2",
    )
    .bind(room.as_str())
    .bind(integer(epoch.0))
    .fetch_optional(readers)
    .await
    .map_err(unreadable)
}
