use mimi_mls::KeyPackageRef;
use mimi_store::StoreFault;
use mimi_uri::{Domain, RoomUri};
use rusqlite::{Connection, params};
use sqlx::sqlite::SqlitePool;

use super::unreadable;
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

pub(crate) async fn read(
    readers: &SqlitePool,
    room: &RoomUri,
    reference: &KeyPackageRef,
) -> Result<Option<Domain>, StoreFault> {
    let peer: Option<String> = sqlx::query_scalar(
        "SELECT peer FROM route WHERE room = (SELECT id FROM room WHERE uri = ?) AND reference = ?",
    )
    .bind(room.as_str())
    .bind(reference.0.as_slice())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    peer.map(|peer| Domain::parse(&peer).map_err(unreadable)).transpose()
}
