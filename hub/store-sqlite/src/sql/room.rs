use mimi_store::{RoomRole, RoomRow, RoomState, RoomVersion, StoreFault};
use mimi_uri::RoomUri;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, params};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::{integer, number, unreadable};
use crate::writer::Undone;

/// What the writer must know of a room to admit a decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence {
    pub(crate) id: i64,
    pub(crate) role: RoomRole,
    pub(crate) version: RoomVersion,
}

/// Founds a room and tells its id.
pub(crate) fn found(
    connection: &Connection,
    room: &RoomUri,
    role: RoomRole,
    state: &RoomState,
) -> Result<i64, Undone> {
    connection
        .prepare_cached(r#"INSERT INTO room (uri, role, version, header, "group") VALUES (?, ?, ?, ?, ?)"#)?
        .execute(params![
            room.as_str(),
            role.name(),
            integer(RoomVersion::FIRST.0),
            state.header,
            state.group
        ])?;
    Ok(connection.last_insert_rowid())
}

/// Stores a room's new state under its new version.
pub(crate) fn change(
    connection: &Connection,
    id: i64,
    version: RoomVersion,
    state: &RoomState,
) -> Result<(), Undone> {
    connection
        .prepare_cached(r#"UPDATE room SET version = ?, header = ?, "group" = ? WHERE id = ?"#)?
        .execute(params![integer(version.0), state.header, state.group, id])?;
    Ok(())
}

/// The fence of a room, as the writer's transaction sees it.
pub(crate) fn fence(connection: &Connection, room: &RoomUri) -> rusqlite::Result<Option<Fence>> {
    connection
        .prepare_cached("SELECT id, role, version FROM room WHERE uri = ?")?
        .query_row([room.as_str()], |row| {
            let role: String = row.get(1)?;
            let role = RoomRole::from_name(&role)
                .ok_or_else(|| rusqlite::Error::InvalidColumnType(1, "role".into(), Type::Text))?;
            Ok(Fence { id: row.get(0)?, role, version: RoomVersion(number(row.get(2)?)) })
        })
        .optional()
}

/// Changes whenever another connection than this one has written to the database.
pub(crate) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

pub(crate) async fn read(readers: &SqlitePool, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault> {
    let row = sqlx::query(r#"SELECT role, version, header, "group" FROM room WHERE uri = ?"#)
        .bind(room.as_str())
        .fetch_optional(readers)
        .await
        .map_err(unreadable)?;
    row.map(|row| room_row(room, &row)).transpose()
}

fn room_row(room: &RoomUri, row: &SqliteRow) -> Result<RoomRow, StoreFault> {
    let role: &str = row.try_get("role").map_err(unreadable)?;
    Ok(RoomRow {
        room: room.clone(),
        role: RoomRole::from_name(role).ok_or_else(|| unreadable("a stored role is unknown"))?,
        version: RoomVersion(number(row.try_get("version").map_err(unreadable)?)),
        header: row.try_get("header").map_err(unreadable)?,
        group: row.try_get("group").map_err(unreadable)?,
    })
}

pub(crate) async fn list(readers: &SqlitePool, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault> {
    let uris: Vec<String> =
        sqlx::query_scalar("SELECT uri FROM room WHERE ?1 IS NULL OR role = ?1 ORDER BY uri")
            .bind(role.map(RoomRole::name))
            .fetch_all(readers)
            .await
            .map_err(unreadable)?;
    uris.iter().map(|uri| RoomUri::parse(uri).map_err(unreadable)).collect()
}
