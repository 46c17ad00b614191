use mimi_store::{Audience, EventKind, EventLimit, EventRow, Head, NewEvent, Seq};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{RequestHash, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{Unreadable, integer, limit as row_limit, number, one};
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

pub(crate) fn head(connection: &Connection, room: &RoomUri) -> Result<Option<Head>, Unreadable> {
    one(
        connection,
        "SELECT seq, timestamp FROM event WHERE room = (SELECT id FROM room WHERE uri = ?) \
         ORDER BY seq DESC LIMIT 1",
        [room.as_str()],
        |row| Ok(Head { seq: Seq(number(row.get(0)?)), timestamp: Timestamp(number(row.get(1)?)) }),
    )
}

pub(crate) fn read(
    connection: &Connection,
    room: &RoomUri,
    from: Seq,
    limit: EventLimit,
) -> Result<Vec<EventRow>, Unreadable> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, timestamp, kind, audience, bytes, request_hash FROM event \
         WHERE room = (SELECT id FROM room WHERE uri = ?) AND seq >= ? ORDER BY seq LIMIT ?",
    )?;
    let mut rows = statement.query(params![room.as_str(), integer(from.0), row_limit(limit.count)])?;
    let mut events = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let event = event_row(row)?;
        if !limit.admits(events.len(), bytes, event.bytes.len()) {
            break;
        }
        bytes += event.bytes.len();
        events.push(event);
    }
    Ok(events)
}

pub(crate) fn by_request(
    connection: &Connection,
    recent: &Recent,
    room: &RoomUri,
    request_hash: RequestHash,
) -> Result<Option<EventRow>, Unreadable> {
    let id = one(connection, "SELECT id FROM room WHERE uri = ?", [room.as_str()], |row| Ok(row.get(0)?))?;
    let Some(id) = id else { return Ok(None) };
    let recent = recent.seq(&(id, request_hash)).map(|seq| integer(seq.0));
    one(
        connection,
        "SELECT seq, timestamp, kind, audience, bytes, request_hash FROM event WHERE room = ?1 AND seq = \
         coalesce(?2, (SELECT seq FROM request WHERE room = ?1 AND request_hash = ?3)) AND request_hash = ?3",
        params![id, recent, request_hash.0],
        event_row,
    )
}

fn event_row(row: &Row<'_>) -> Result<EventRow, Unreadable> {
    let kind = row.get_ref(2)?.as_str()?;
    let audience = row.get_ref(3)?.as_str_or_null()?;
    Ok(EventRow {
        seq: Seq(number(row.get(0)?)),
        timestamp: Timestamp(number(row.get(1)?)),
        kind: EventKind::from_name(kind)
            .ok_or_else(|| Unreadable::new("a stored kind of event is unknown"))?,
        audience: match audience {
            None => Audience::Everyone,
            Some(peer) => Audience::Only(Domain::parse(peer)?),
        },
        bytes: row.get(4)?,
        request_hash: row.get::<_, Option<_>>(5)?.map(RequestHash),
    })
}
