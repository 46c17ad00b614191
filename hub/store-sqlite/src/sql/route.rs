use mimi_mls::KeyPackageRef;
use mimi_store::StoreFault;
use mimi_uri::{Domain, RoomUri};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use super::unreadable;
use crate::writer::Undone;

/// Stores a route, or finds the same one stored; another one in its place is a conflict.
pub(crate) async fn store(
    connection: &mut SqliteConnection,
    room: i64,
    reference: &KeyPackageRef,
    peer: &Domain,
) -> Result<(), Undone> {
    let stored = sqlx::query(
        "INSERT INTO route (room, reference, peer) VALUES (?, ?, ?) \
         ON CONFLICT (room, reference) DO UPDATE SET peer = excluded.peer WHERE peer = excluded.peer",
    )
    .bind(room)
    .bind(reference.0.as_slice())
    .bind(peer.as_str())
    .execute(connection)
    .await?;
    Undone::unless_one(stored.rows_affected())
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
