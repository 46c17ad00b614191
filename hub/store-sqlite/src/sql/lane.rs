use mimi_store::{LaneRow, Seq};
use mimi_uri::{Domain, RoomUri};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Unreadable, all, integer, number};
use crate::writer::Undone;

/// Opens an interval, if none is open and none reaches beyond its start.
pub(crate) fn open(connection: &Connection, room: i64, peer: &Domain, from: Seq) -> Result<(), Undone> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO lane (room, peer, starts, position) SELECT ?1, ?2, ?3, ?3 WHERE NOT EXISTS \
             (SELECT 1 FROM lane WHERE room = ?1 AND peer = ?2 AND (ends IS NULL OR ends > ?3))",
        )?
        .execute(params![room, peer.as_str(), integer(from.0)])?;
    Undone::unless_one(inserted)
}

/// Closes the open interval; the table's checks refuse an end before what was sent.
pub(crate) fn close(connection: &Connection, room: i64, peer: &Domain, to: Seq) -> Result<(), Undone> {
    let updated = connection
        .prepare_cached("UPDATE lane SET ends = ? WHERE room = ? AND peer = ? AND ends IS NULL")?
        .execute(params![integer(to.0), room, peer.as_str()])?;
    Undone::unless_one(updated)
}

/// Deletes the closed intervals of a lane of which nothing is left to deliver.
pub(crate) fn delete_delivered(connection: &Connection, room: i64, peer: &Domain) -> Result<(), Undone> {
    connection
        .prepare_cached("DELETE FROM lane WHERE room = ? AND peer = ? AND position = ends")?
        .execute(params![room, peer.as_str()])?;
    Ok(())
}

/// Notes how far the batch that is about to be sent from here reaches; the table's checks keep it ahead and within.
pub(crate) fn set_batch_end(
    connection: &Connection,
    (room, peer, from): (i64, &Domain, Seq),
    position: Seq,
    batch_end: Seq,
) -> Result<(), Undone> {
    let updated = connection
        .prepare_cached(
            "UPDATE lane SET batch_end = ?1 WHERE room = ?2 AND peer = ?3 AND starts = ?4 AND position = ?5",
        )?
        .execute(params![integer(batch_end.0), room, peer.as_str(), integer(from.0), integer(position.0)])?;
    Undone::unless_one(updated)
}

/// Moves an interval forwards, and tells where it ends if it is closed.
pub(crate) fn advance(
    connection: &Connection,
    room: i64,
    (peer, from): (&Domain, Seq),
    position: Seq,
) -> Result<Option<Seq>, Undone> {
    let ends: Option<Option<i64>> = connection
        .prepare_cached(
            "UPDATE lane SET position = ?1, batch_end = CASE WHEN batch_end > ?1 THEN batch_end END \
             WHERE room = ?2 AND peer = ?3 AND starts = ?4 AND position <= ?1 RETURNING ends",
        )?
        .query_row(params![integer(position.0), room, peer.as_str(), integer(from.0)], |row| row.get(0))
        .optional()?;
    let ends = ends.ok_or(Undone::Conflict)?;
    Ok(ends.map(|ends| Seq(number(ends))))
}

pub(crate) fn list(connection: &Connection) -> Result<Vec<LaneRow>, Unreadable> {
    all(
        connection,
        "SELECT uri, peer, starts, ends, position, batch_end FROM lane JOIN room ON room.id = lane.room \
         ORDER BY uri, peer, starts",
        [],
        |row| {
            let bound = |column| {
                Ok::<_, Unreadable>(row.get::<_, Option<_>>(column)?.map(|place| Seq(number(place))))
            };
            Ok(LaneRow {
                room: RoomUri::parse(row.get_ref(0)?.as_str()?)?,
                peer: Domain::parse(row.get_ref(1)?.as_str()?)?,
                from: Seq(number(row.get(2)?)),
                to: bound(3)?,
                position: Seq(number(row.get(4)?)),
                batch_end: bound(5)?,
            })
        },
    )
}
