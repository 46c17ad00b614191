use mimi_store::{Audience, EventKind, EventLimit, EventRow, Head, NewEvent, Seq, StoreFault};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{RequestHash, Timestamp};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row as _};

use super::{integer, limit as row_limit, number, place, unreadable};
use crate::limits::EVENTS_PER_READ;

/// An event and the room, by its id, whose log it enters.
pub(crate) type Append<'v> = (i64, &'v NewEvent);

/// Appends events to the logs of any rooms.
pub(crate) async fn append(connection: &mut PgConnection, events: &[Append<'_>]) -> sqlx::Result<()> {
    let audience = |event: &NewEvent| match &event.audience {
        Audience::Everyone => None,
        Audience::Only(peer) => Some(peer.to_string()),
    };
    let hash = |event: &NewEvent| event.request_hash.map(|hash| hash.0.to_vec());
    sqlx::query(
        "INSERT INTO event (room, seq, timestamp, kind, audience, bytes, request_hash) SELECT * FROM unnest \
         ($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::bytea[])",
    )
    .bind(events.iter().map(|(room, _)| *room).collect::<Vec<i64>>())
    .bind(events.iter().map(|(_, event)| integer(event.seq.0)).collect::<Vec<i64>>())
    .bind(events.iter().map(|(_, event)| integer(event.timestamp.0)).collect::<Vec<i64>>())
    .bind(events.iter().map(|(_, event)| event.kind.name()).collect::<Vec<&str>>())
    .bind(events.iter().map(|(_, event)| audience(event)).collect::<Vec<Option<String>>>())
    .bind(events.iter().map(|(_, event)| event.bytes.as_slice()).collect::<Vec<&[u8]>>())
    .bind(events.iter().map(|(_, event)| hash(event)).collect::<Vec<Option<Vec<u8>>>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Which of these places in logs are taken.
pub(crate) async fn taken(connection: &mut PgConnection, places: &[(i64, Seq)]) -> sqlx::Result<Vec<usize>> {
    let taken: Vec<i64> = sqlx::query_scalar(
        "SELECT n FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS t (room, seq, n) \
         JOIN event USING (room, seq)",
    )
    .bind(places.iter().map(|(room, _)| *room).collect::<Vec<i64>>())
    .bind(places.iter().map(|(_, seq)| integer(seq.0)).collect::<Vec<i64>>())
    .fetch_all(connection)
    .await?;
    Ok(taken.into_iter().map(place).collect())
}

/// Which of these requests are in the logs.
pub(crate) async fn logged(
    connection: &mut PgConnection,
    requests: &[(i64, RequestHash)],
) -> sqlx::Result<Vec<usize>> {
    let logged: Vec<i64> = sqlx::query_scalar(
        "SELECT n FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS t (room, request_hash, n) \
         JOIN event USING (room, request_hash)",
    )
    .bind(requests.iter().map(|(room, _)| *room).collect::<Vec<i64>>())
    .bind(requests.iter().map(|(_, hash)| hash.0.as_slice()).collect::<Vec<&[u8]>>())
    .fetch_all(connection)
    .await?;
    Ok(logged.into_iter().map(place).collect())
}

pub(crate) async fn head(readers: &PgPool, room: &RoomUri) -> Result<Option<Head>, StoreFault> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "SELECT seq, timestamp FROM event WHERE room = (SELECT id FROM room WHERE uri = $1) \
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(room.as_str())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    Ok(row.map(|(seq, timestamp)| Head { seq: Seq(number(seq)), timestamp: Timestamp(number(timestamp)) }))
}

/// Reads in pages, for a limit of bytes is not known to the database, and a log may be long.
pub(crate) async fn read(
    readers: &PgPool,
    room: &RoomUri,
    from: Seq,
    limit: EventLimit,
) -> Result<Vec<EventRow>, StoreFault> {
    let mut events: Vec<EventRow> = Vec::new();
    let mut bytes = 0;
    let mut next = from;
    loop {
        let wanted = limit.count.saturating_sub(events.len()).min(EVENTS_PER_READ);
        let page = page(readers, room, next, wanted).await?;
        let is_last = page.len() < EVENTS_PER_READ;
        for event in page {
            if !limit.admits(events.len(), bytes, event.bytes.len()) {
                return Ok(events);
            }
            bytes += event.bytes.len();
            next = event.seq.next();
            events.push(event);
        }
        if is_last {
            return Ok(events);
        }
    }
}

async fn page(
    readers: &PgPool,
    room: &RoomUri,
    from: Seq,
    count: usize,
) -> Result<Vec<EventRow>, StoreFault> {
    let rows = sqlx::query(
        "SELECT seq, timestamp, kind, audience, bytes, request_hash FROM event \
         WHERE room = (SELECT id FROM room WHERE uri = $1) AND seq >= $2 ORDER BY seq LIMIT $3",
    )
    .bind(room.as_str())
    .bind(integer(from.0))
    .bind(row_limit(count))
    .fetch_all(readers)
    .await
    .map_err(unreadable)?;
    rows.iter().map(event_row).collect()
}

pub(crate) async fn by_request(
    readers: &PgPool,
    room: &RoomUri,
    request_hash: &RequestHash,
) -> Result<Option<EventRow>, StoreFault> {
    let row = sqlx::query(
        "SELECT seq, timestamp, kind, audience, bytes, request_hash FROM event \
         WHERE room = (SELECT id FROM room WHERE uri = $1) AND request_hash = $2",
    )
    .bind(room.as_str())
    .bind(request_hash.0.as_slice())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    row.as_ref().map(event_row).transpose()
}

fn event_row(row: &PgRow) -> Result<EventRow, StoreFault> {
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
