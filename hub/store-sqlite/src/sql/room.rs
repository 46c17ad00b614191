use mimi_store::{RoomRole, RoomRow, RoomState, RoomVersion, StoreFault};
use mimi_uri::RoomUri;
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, SqliteConnection};

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
pub(crate) async fn found(
    connection: &mut SqliteConnection,
    room: &RoomUri,
    role: RoomRole,
    state: &RoomState,
) -> Result<i64, Undone> {
    let inserted =
        sqlx::query(r#"INSERT INTO room (uri, role, version, header, "group") VALUES (?, ?, ?, ?, ?)"#)
            .bind(room.as_str())
            .bind(role.name())
            .bind(integer(RoomVersion::FIRST.0))
            .bind(&state.header)
            .bind(&state.group)
            .execute(connection)
            .await?;
    Ok(inserted.last_insert_rowid())
}

/// Stores a room's new state under its new version.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    id: i64,
    version: RoomVersion,
    state: &RoomState,
) -> Result<(), Undone> {
    sqlx::query(r#"UPDATE room SET version = ?, header = ?, "group" = ? WHERE id = ?"#)
        .bind(integer(version.0))
        .bind(&state.header)
        .bind(&state.group)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The fence of a room, as the writer's transaction sees it.
pub(crate) async fn fence(
    connection: &mut SqliteConnection,
    room: &RoomUri,
) -> Result<Option<Fence>, sqlx::Error> {
    let row = sqlx::query("SELECT id, role, version FROM room WHERE uri = ?")
        .bind(room.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| {
        let role =
            RoomRole::from_name(row.try_get("role")?).ok_or(sqlx::Error::ColumnNotFound("role".into()))?;
        Ok(Fence { id: row.try_get("id")?, role, version: RoomVersion(number(row.try_get("version")?)) })
    })
    .transpose()
}

/// Changes whenever another connection than this one has written to the database.
pub(crate) async fn data_version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await
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
