use mimi_store::{LaneRow, Seq, StoreFault};
use mimi_uri::{Domain, RoomUri};
use sqlx::postgres::PgPool;
use sqlx::{PgConnection, Row as _};

use super::{integer, number, place, unreadable};

/// The bounds of an interval, and how far it was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) to: Option<Seq>,
    pub(crate) position: Seq,
    pub(crate) batch_end: Option<Seq>,
}

/// An interval is named by its room, by id, its provider and its start.
pub(crate) type Named<'v> = (i64, &'v Domain, Seq);

/// An interval as it is stored: the place of its lane, where it starts and ends, its position, its batch's end.
type Stored = (i64, i64, Option<i64>, i64, Option<i64>);

/// All intervals of these lanes: the place of the lane, the interval's start, the interval.
pub(crate) async fn load(
    connection: &mut PgConnection,
    lanes: &[(i64, &Domain)],
) -> sqlx::Result<Vec<(usize, Seq, Interval)>> {
    let rows: Vec<Stored> = sqlx::query_as(
        "SELECT n, starts, ends, position, batch_end \
         FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS t (room, peer, n) \
         JOIN lane USING (room, peer) ORDER BY room, peer, starts FOR UPDATE OF lane",
    )
    .bind(lanes.iter().map(|(room, _)| *room).collect::<Vec<i64>>())
    .bind(lanes.iter().map(|(_, peer)| peer.as_str()).collect::<Vec<&str>>())
    .fetch_all(connection)
    .await?;
    let seq = |place: i64| Seq(number(place));
    let interval = |(n, starts, ends, position, batch_end): Stored| {
        let (to, batch_end) = (ends.map(seq), batch_end.map(seq));
        (place(n), seq(starts), Interval { to, position: seq(position), batch_end })
    };
    Ok(rows.into_iter().map(interval).collect())
}

/// Writes intervals, whether or not they are there.
pub(crate) async fn put(
    connection: &mut PgConnection,
    intervals: &[(Named<'_>, Interval)],
) -> sqlx::Result<()> {
    let place = |seq: Seq| integer(seq.0);
    sqlx::query(
        "INSERT INTO lane (room, peer, starts, ends, position, batch_end) SELECT * FROM unnest \
         ($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) \
         ON CONFLICT (room, peer, starts) DO UPDATE \
         SET ends = excluded.ends, position = excluded.position, batch_end = excluded.batch_end",
    )
    .bind(intervals.iter().map(|((room, _, _), _)| *room).collect::<Vec<i64>>())
    .bind(intervals.iter().map(|((_, peer, _), _)| peer.as_str()).collect::<Vec<&str>>())
    .bind(intervals.iter().map(|((_, _, from), _)| place(*from)).collect::<Vec<i64>>())
    .bind(intervals.iter().map(|(_, interval)| interval.to.map(place)).collect::<Vec<Option<i64>>>())
    .bind(intervals.iter().map(|(_, interval)| place(interval.position)).collect::<Vec<i64>>())
    .bind(intervals.iter().map(|(_, interval)| interval.batch_end.map(place)).collect::<Vec<Option<i64>>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes intervals of which nothing is left to deliver.
pub(crate) async fn delete(connection: &mut PgConnection, intervals: &[Named<'_>]) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM lane USING unnest($1::bigint[], $2::text[], $3::bigint[]) AS t (room, peer, starts) \
         WHERE lane.room = t.room AND lane.peer = t.peer AND lane.starts = t.starts",
    )
    .bind(intervals.iter().map(|(room, _, _)| *room).collect::<Vec<i64>>())
    .bind(intervals.iter().map(|(_, peer, _)| peer.as_str()).collect::<Vec<&str>>())
    .bind(intervals.iter().map(|(_, _, from)| integer(from.0)).collect::<Vec<i64>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn list(readers: &PgPool) -> Result<Vec<LaneRow>, StoreFault> {
    let rows = sqlx::query(
        "SELECT uri, peer, starts, ends, position, batch_end FROM lane JOIN room ON room.id = lane.room \
         ORDER BY uri, peer, starts",
    )
    .fetch_all(readers)
    .await
    .map_err(unreadable)?;
    rows.iter()
        .map(|row| {
            let place = |column| row.try_get(column).map(|place| Seq(number(place))).map_err(unreadable);
            let bound = |column| {
                let bound: Option<i64> = row.try_get(column).map_err(unreadable)?;
                Ok::<_, StoreFault>(bound.map(|place| Seq(number(place))))
            };
            Ok(LaneRow {
                room: RoomUri::parse(row.try_get("uri").map_err(unreadable)?).map_err(unreadable)?,
                peer: Domain::parse(row.try_get("peer").map_err(unreadable)?).map_err(unreadable)?,
                from: place("starts")?,
                to: bound("ends")?,
                position: place("position")?,
                batch_end: bound("batch_end")?,
            })
        })
        .collect()
}
