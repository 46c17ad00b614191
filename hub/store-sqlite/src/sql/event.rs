use futures_util::TryStreamExt as _;
use mimi_store::{Audience, EventKind, EventLimit, EventRow, Head, NewEvent, Seq, StoreFault};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{RequestHash, Timestamp};
use rusqlite::{Connection, params};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::{integer, limit as row_limit, number, unreadable};
use crate::writer::{Recent, Undone};

/// Appends an event to the log of the room with this id.
pub(crate) fn append(connection: &Connection, room: i64, event: &NewEvent) -> Result<(), Undone> {
    let audience = match &event.audience {
        Audience::Everyone => None,
        Audience::Only(peer) => Some(peer.as_str()),
    };
    connection
        .prepare_cached(
            "INSERT INTO event (room, seq, timestamp, kind, audience, bytes, request_hash) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            room,
            integer(event.seq.0),
            integer(event.timestamp.0),
            event.kind.name(),
            audience,
            event.bytes,
            event.request_hash.map(|hash| hash.0)
        ])?;
    Ok(())
}

pub(crate) async fn head(readers: &SqlitePool, room: &RoomUri) -> Result<Option<Head>, StoreFault> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "SELECT seq, timestamp FROM event WHERE room = (SELECT id FROM room WHERE uri = ?) \
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(room.as_str())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    Ok(row.map(|(seq, timestamp)| Head { seq: Seq(number(seq)), timestamp: Timestamp(number(timestamp)) }))
}

pub(crate) async fn read(
    readers: &SqlitePool,
    room: &RoomUri,
    from: Seq,
    limit: EventLimit,
) -> Result<Vec<EventRow>, StoreFault> {
    let mut rows = sqlx::query(
        "SELECT seq, timestamp, kind, audience, bytes, request_hash FROM event \
         WHERE room = (SELECT id FROM room WHERE uri = ?) AND seq >= ? ORDER BY seq LIMIT ?",
    )
    .bind(room.as_str())
    .bind(integer(from.0))
    .bind(row_limit(limit.count))
    .fetch(readers);
    let mut events = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await.map_err(unreadable)? {
        let event = event_row(&row)?;
        if !limit.admits(events.len(), bytes, event.bytes.len()) {
            break;
        }
        bytes += event.bytes.len();
        events.push(event);
    }
    Ok(events)
}

pub(crate) async fn by_request(
    readers: &SqlitePool,
    recent: &Recent,
    room: &RoomUri,
    request_hash: &RequestHash,
) -> Result<Option<EventRow>, StoreFault> {
    let Some(room) = room_id(readers, room).await? else { return Ok(None) };
    let recent = recent.seq(&(room, *request_hash));
    let row = sqlx::query(
        "SELECT seq, timestamp, kind, audience, bytes, request_hash FROM event WHERE room = ?1 AND seq = \
         coalesce(?2, (SELECT seq FROM request WHERE room = ?1 AND request_hash = ?3)) AND request_hash = ?3",
    )
    .bind(room)
    .bind(recent.map(|seq| integer(seq.0)))
    .bind(request_hash.0.as_slice())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    row.as_ref().map(event_row).transpose()
}

async fn room_id(readers: &SqlitePool, room: &RoomUri) -> Result<Option<i64>, StoreFault> {
    sqlx::query_scalar("SELECT id FROM room WHERE uri = ?")
        .bind(room.as_str())
        .fetch_optional(readers)
        .await
        .map_err(unreadable)
}

fn event_row(row: &SqliteRow) -> Result<EventRow, StoreFault> {
    let kind: &str = row.try_get("kind").map_err(unreadable)?;
    let audience: Option<&str> = row.try_get("audience").map_err(unreadable)?;
    let request_hash: Option<&[u8]> = row.try_get("request_hash").map_err(unreadable)?;
    Ok(EventRow {
        seq: Seq(number(row.try_get("seq").map_err(unreadable)?)),
        timestamp: Timestamp(number(row.try_get("timestamp").map_err(unreadable)?)),
        kind: EventKind::from_name(kind).ok_or_else(|| unreadable("a stored kind of event is unknown"))?,
        audience: match audience {
            None => Audience::Everyone,
            Some(peer) => Audience::Only(Domain::parse(peer).map_err(unreadable)?),
        },
        bytes: row.try_get("bytes").map_err(unreadable)?,
        request_hash: request_hash
            .map(|hash| hash.try_into().map(RequestHash).map_err(unreadable))
            .transpose()?,
    })
}
