use mimi_store::{RoomRole, RoomRow, RoomState, RoomVersion};
use mimi_uri::RoomUri;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Unreadable, all, integer, number, one};
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

pub(crate) fn read(connection: &Connection, room: &RoomUri) -> Result<Option<RoomRow>, Unreadable> {
    one(
        connection,
        r#"SELECT role, version, header, "group" FROM room WHERE uri = ?"#,
        [room.as_str()],
        |row| {
            let role = RoomRole::from_name(row.get_ref(0)?.as_str()?);
            Ok(RoomRow {
                room: room.clone(),
                role: role.ok_or_else(|| Unreadable::new("a stored role is unknown"))?,
                version: RoomVersion(number(row.get(1)?)),
                header: row.get(2)?,
                group: row.get(3)?,
            })
        },
    )
}

pub(crate) fn list(connection: &Connection, role: Option<RoomRole>) -> Result<Vec<RoomUri>, Unreadable> {
    all(
        connection,
        "SELECT uri FROM room WHERE ?1 IS NULL OR role = ?1 ORDER BY uri",
        [role.map(RoomRole::name)],
        |row| Ok(RoomUri::parse(row.get_ref(0)?.as_str()?)?),
    )
}
