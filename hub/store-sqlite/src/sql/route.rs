use mimi_mls::KeyPackageRef;
use mimi_uri::{Domain, RoomUri};
use rusqlite::{Connection, params};

use super::{Unreadable, one};
use crate::writer::Undone;

/// Stores a route, or finds the same one stored; another one in its place is a conflict.
pub(crate) fn store(
    connection: &Connection,
    room: i64,
    reference: &KeyPackageRef,
    peer: &Domain,
) -> Result<(), Undone> {
    let stored = connection
        .prepare_cached(
            "INSERT INTO route (room, reference, peer) VALUES (?, ?, ?) \
             ON CONFLICT (room, reference) DO UPDATE SET peer = excluded.peer WHERE peer = excluded.peer",
        )?
        .execute(params![room, reference.0, peer.as_str()])?;
    Undone::unless_one(stored)
}

pub(crate) fn read(
    connection: &Connection,
    room: &RoomUri,
    reference: &KeyPackageRef,
) -> Result<Option<Domain>, Unreadable> {
    one(
        connection,
        "SELECT peer FROM route WHERE room = (SELECT id FROM room WHERE uri = ?) AND reference = ?",
        params![room.as_str(), reference.0],
        |row| Ok(Domain::parse(row.get_ref(0)?.as_str()?)?),
    )
}
