use mimi_store::{LaneRow, Seq, StoreFault};
use mimi_uri::{Domain, RoomUri};
use sqlx::sqlite::SqlitePool;
use sqlx::{Row as _, SqliteConnection};

use super::{integer, number, unreadable};
use crate::writer::Undone;

/// Opens an interval, if none is open and none reaches beyond its start.
pub(crate) async fn open(
    connection: &mut SqliteConnection,
    room: i64,
    peer: &Domain,
    from: Seq,
) -> Result<(), Undone> {
    let inserted = sqlx::query(
        "INSERT INTO lane (room, peer, starts, position) SELECT ?1, ?2, ?3, ?3 WHERE NOT EXISTS \
         (SELECT 1 FROM lane WHERE room = ?1 AND peer = ?2 AND (ends IS NULL OR ends > ?3))",
    )
    .bind(room)
    .bind(peer.as_str())
    .bind(integer(from.0))
    .execute(connection)
    .await?;
    Undone::unless_one(inserted.rows_affected())
}

/// Closes the open interval; the table's checks refuse an end before what was sent.
pub(crate) async fn close(
    connection: &mut SqliteConnection,
    room: i64,
    peer: &Domain,
    to: Seq,
) -> Result<(), Undone> {
    let updated = sqlx::query("UPDATE lane SET ends = ? WHERE room = ? AND peer = ? AND ends IS NULL")
        .bind(integer(to.0))
        .bind(room)
        .bind(peer.as_str())
        .execute(connection)
        .await?;
    Undone::unless_one(updated.rows_affected())
}

/// Deletes the closed intervals of a lane of which nothing is left to deliver.
pub(crate) async fn delete_delivered(
    connection: &mut SqliteConnection,
    room: i64,
    peer: &Domain,
) -> Result<(), Undone> {
    sqlx::query("DELETE FROM lane WHERE room = ? AND peer = ? AND position = ends")
        .bind(room)
        .bind(peer.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes how far the batch that is about to be sent reaches; the table's checks keep it ahead and within.
pub(crate) async fn set_batch_end(
    connection: &mut SqliteConnection,
    room: i64,
    (peer, from): (&Domain, Seq),
    batch_end: Seq,
) -> Result<(), Undone> {
    let updated = sqlx::query("UPDATE lane SET batch_end = ? WHERE room = ? AND peer = ? AND starts = ?")
        .bind(integer(batch_end.0))
        .bind(room)
        .bind(peer.as_str())
        .bind(integer(from.0))
        .execute(connection)
        .await?;
    Undone::unless_one(updated.rows_affected())
}

/// Moves an interval forwards, and tells where it ends if it is closed.
pub(crate) async fn advance(
    connection: &mut SqliteConnection,
    room: i64,
    (peer, from): (&Domain, Seq),
    position: Seq,
) -> Result<Option<Seq>, Undone> {
    let ends: Option<Option<i64>> = sqlx::query_scalar(
        "UPDATE lane SET position = ?1, batch_end = CASE WHEN batch_end > ?1 THEN batch_end END \
         WHERE room = ?2 AND peer = ?3 AND starts = ?4 AND position <= ?1 RETURNING ends",
    )
    .bind(integer(position.0))
    .bind(room)
    .bind(peer.as_str())
    .bind(integer(from.0))
    .fetch_optional(connection)
    .await?;
    let ends = ends.ok_or(Undone::Conflict)?;
    Ok(ends.map(|ends| Seq(number(ends))))
}

pub(crate) async fn list(readers: &SqlitePool) -> Result<Vec<LaneRow>, StoreFault> {
    let rows = sqlx::query(
        "SELECT uri, peer, starts, ends, position, batch_end FROM lane JOIN room ON room.id = lane.room \
         ORDER BY uri, peer, starts",
    )
    .fetch_all(readers)
    .await
    .map_err(unreadable)?;
    rows.iter()
        .map(|row| {
            let place = |column| row.try_get(column).map(|place| Seq(number(place))).map_err(unreadable);
            let bound = |column| {
                let bound: Option<i64> = row.try_get(column).map_err(unreadable)?;
                Ok::<_, StoreFault>(bound.map(|place| Seq(number(place))))
            };
            Ok(LaneRow {
                room: RoomUri::parse(row.try_get("uri").map_err(unreadable)?).map_err(unreadable)?,
                peer: Domain::parse(row.try_get("peer").map_err(unreadable)?).map_err(unreadable)?,
                from: place("starts")?,
                to: bound("ends")?,
                position: place("position")?,
                batch_end: bound("batch_end")?,
            })
        })
        .collect()
}
