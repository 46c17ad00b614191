use mimi_store::{RoomRole, RoomRow, RoomState, RoomVersion, StoreFault};
use mimi_uri::RoomUri;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row as _};

use super::{integer, number, place, unreadable};

/// What the writer must know of a room to admit a decision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fence {
    pub(crate) id: i64,
    pub(crate) role: RoomRole,
    pub(crate) version: RoomVersion,
}

/// A room that is founded: who it is, which part we play in it, and its state.
pub(crate) type Founded<'v> = (&'v RoomUri, RoomRole, RoomVersion, Option<&'v RoomState>);

/// The fences of rooms with their places, locked: nobody else changes anything of these rooms before the commit.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    rooms: &[&RoomUri],
) -> sqlx::Result<Vec<(usize, Fence)>> {
    let rows: Vec<(i64, i64, String, i64)> = sqlx::query_as(
        "SELECT n, id, role, version FROM unnest($1::text[]) WITH ORDINALITY AS t (uri, n) \
         JOIN room USING (uri) ORDER BY id FOR NO KEY UPDATE OF room",
    )
    .bind(rooms.iter().map(|room| room.as_str()).collect::<Vec<&str>>())
    .fetch_all(connection)
    .await?;
    let fence = |(n, id, role, version): (_, _, String, _)| {
        let unknown = || sqlx::Error::Decode(format!("a stored role is unknown: {role}").into());
        let role = RoomRole::from_name(&role).ok_or_else(unknown)?;
        Ok((place(n), Fence { id, role, version: RoomVersion(number(version)) }))
    };
    rows.into_iter().map(fence).collect()
}

/// Founds rooms and tells their ids, in the same order.
pub(crate) async fn found(connection: &mut PgConnection, rooms: &[Founded<'_>]) -> sqlx::Result<Vec<i64>> {
    let part = |part: fn(&RoomState) -> &[u8]| -> Vec<&[u8]> {
        rooms.iter().map(|(_, _, _, state)| state.map_or(&[][..], part)).collect()
    };
    let ids: Vec<(String, i64)> = sqlx::query_as(
        r#"INSERT INTO room (uri, role, version, header, "group")
           SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bytea[]) RETURNING uri, id"#,
    )
    .bind(rooms.iter().map(|(room, ..)| room.as_str()).collect::<Vec<&str>>())
    .bind(rooms.iter().map(|(_, role, ..)| role.name()).collect::<Vec<&str>>())
    .bind(rooms.iter().map(|(_, _, version, _)| integer(version.0)).collect::<Vec<i64>>())
    .bind(part(|state| &state.header))
    .bind(part(|state| &state.group))
    .fetch_all(connection)
    .await?;
    let id_of = |room: &RoomUri| ids.iter().find(|(uri, _)| uri == room.as_str()).map(|(_, id)| *id);
    rooms.iter().map(|(room, ..)| id_of(room).ok_or(sqlx::Error::RowNotFound)).collect()
}

/// Stores the new states of rooms under their new versions.
pub(crate) async fn change(
    connection: &mut PgConnection,
    rooms: &[(i64, RoomVersion, &RoomState)],
) -> sqlx::Result<()> {
    sqlx::query(
        r#"UPDATE room SET version = t.version, header = t.header, "group" = t."group"
           FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[]) AS t (id, version, header, "group")
           WHERE room.id = t.id"#,
    )
    .bind(rooms.iter().map(|(id, ..)| *id).collect::<Vec<i64>>())
    .bind(rooms.iter().map(|(_, version, _)| integer(version.0)).collect::<Vec<i64>>())
    .bind(rooms.iter().map(|(.., state)| state.header.as_slice()).collect::<Vec<&[u8]>>())
    .bind(rooms.iter().map(|(.., state)| state.group.as_slice()).collect::<Vec<&[u8]>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn read(readers: &PgPool, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault> {
    let row = sqlx::query(r#"SELECT role, version, header, "group" FROM room WHERE uri = $1"#)
        .bind(room.as_str())
        .fetch_optional(readers)
        .await
        .map_err(unreadable)?;
    row.map(|row| room_row(room, &row)).transpose()
}

fn room_row(room: &RoomUri, row: &PgRow) -> Result<RoomRow, StoreFault> {
    let role: &str = row.try_get("role").map_err(unreadable)?;
    Ok(RoomRow {
        room: room.clone(),
        role: RoomRole::from_name(role).ok_or_else(|| unreadable("a stored role is unknown"))?,
        version: RoomVersion(number(row.try_get("version").map_err(unreadable)?)),
        header: row.try_get("header").map_err(unreadable)?,
        group: row.try_get("group").map_err(unreadable)?,
    })
}

pub(crate) async fn list(readers: &PgPool, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault> {
    let uris: Vec<String> =
        sqlx::query_scalar("SELECT uri FROM room WHERE $1::text IS NULL OR role = $1 ORDER BY uri")
            .bind(role.map(RoomRole::name))
            .fetch_all(readers)
            .await
            .map_err(unreadable)?;
    uris.iter().map(|uri| RoomUri::parse(uri).map_err(unreadable)).collect()
}
