use mimi_mls::KeyPackageRef;
use mimi_store::StoreFault;
use mimi_uri::{Domain, RoomUri};
use sqlx::PgConnection;
use sqlx::postgres::PgPool;

use super::{place, unreadable};

/// The providers that these routes lead to, with the places of the routes that are stored.
pub(crate) async fn load(
    connection: &mut PgConnection,
    routes: &[(i64, &KeyPackageRef)],
) -> sqlx::Result<Vec<(usize, Domain)>> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT n, peer FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS t (room, reference, n) \
         JOIN route USING (room, reference)",
    )
    .bind(routes.iter().map(|(room, _)| *room).collect::<Vec<i64>>())
    .bind(routes.iter().map(|(_, reference)| reference.0.as_slice()).collect::<Vec<&[u8]>>())
    .fetch_all(connection)
    .await?;
    let route = |(n, peer): (_, String)| {
        let peer = Domain::parse(&peer).map_err(|fault| sqlx::Error::Decode(Box::new(fault)))?;
        Ok((place(n), peer))
    };
    rows.into_iter().map(route).collect()
}

/// Stores routes.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    routes: &[(i64, &KeyPackageRef, &Domain)],
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO route (room, reference, peer) SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[])",
    )
    .bind(routes.iter().map(|(room, ..)| *room).collect::<Vec<i64>>())
    .bind(routes.iter().map(|(_, reference, _)| reference.0.as_slice()).collect::<Vec<&[u8]>>())
    .bind(routes.iter().map(|(.., peer)| peer.as_str()).collect::<Vec<&str>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn read(
    readers: &PgPool,
    room: &RoomUri,
    reference: &KeyPackageRef,
) -> Result<Option<Domain>, StoreFault> {
    let peer: Option<String> = sqlx::query_scalar(
        "SELECT peer FROM route WHERE room = (SELECT id FROM room WHERE uri = $1) AND reference = $2",
    )
    .bind(room.as_str())
    .bind(reference.0.as_slice())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    peer.map(|peer| Domain::parse(&peer).map_err(unreadable)).transpose()
}
