use mimi_store::Claim;
use mimi_uri::Domain;
use mimi_wire::{RequestHash, Timestamp};
use sqlx::PgConnection;

use super::{integer, number, place};

/// The answers that requests got before: the place of the request, the answer, and when it expires.
pub(crate) async fn load(
    connection: &mut PgConnection,
    requests: &[(&Domain, &RequestHash)],
) -> sqlx::Result<Vec<(usize, Vec<u8>, Timestamp)>> {
    let peers: Vec<&str> = requests.iter().map(|(peer, _)| peer.as_str()).collect();
    let hashes: Vec<&[u8]> = requests.iter().map(|(_, hash)| hash.0.as_slice()).collect();
    let rows: Vec<(i64, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT n, bytes, expires FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS t (peer, request_hash, n) \
         JOIN answer USING (peer, request_hash) ORDER BY peer, request_hash FOR UPDATE OF answer",
    )
    .bind(peers)
    .bind(hashes)
    .fetch_all(connection)
    .await?;
    let answer = |(n, bytes, expires)| (place(n), bytes, Timestamp(number(expires)));
    Ok(rows.into_iter().map(answer).collect())
}

/// Deletes the answers that nobody gets any more.
pub(crate) async fn delete_expired(connection: &mut PgConnection, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM answer WHERE expires <= $1").bind(integer(now.0)).execute(connection).await?;
    Ok(())
}

/// Stores what requests are answered.
pub(crate) async fn insert(connection: &mut PgConnection, claims: &[&Claim]) -> sqlx::Result<()> {
    let peers: Vec<&str> = claims.iter().map(|claim| claim.peer.as_str()).collect();
    let hashes: Vec<&[u8]> = claims.iter().map(|claim| claim.request_hash.0.as_slice()).collect();
    let answers: Vec<&[u8]> = claims.iter().map(|claim| claim.answer.as_slice()).collect();
    let expiries: Vec<i64> = claims.iter().map(|claim| integer(claim.expires.0)).collect();
    sqlx::query(
        "INSERT INTO answer (peer, request_hash, bytes, expires) \
         SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[])",
    )
    .bind(peers)
    .bind(hashes)
    .bind(answers)
    .bind(expiries)
    .execute(connection)
    .await?;
    Ok(())
}
