use mimi_store::Claim;
use mimi_wire::Timestamp;
use sqlx::SqliteConnection;

use super::integer;
use crate::writer::Undone;

/// Deletes the answers that nobody gets any more.
pub(crate) async fn delete_expired(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), Undone> {
    sqlx::query("DELETE FROM answer WHERE expires <= ?").bind(integer(now.0)).execute(connection).await?;
    Ok(())
}

/// The answer that this request got before.
pub(crate) async fn first(
    connection: &mut SqliteConnection,
    claim: &Claim,
) -> Result<Option<Vec<u8>>, Undone> {
    let bytes = sqlx::query_scalar("SELECT bytes FROM answer WHERE peer = ? AND request_hash = ?")
        .bind(claim.peer.as_str())
        .bind(claim.request_hash.0.as_slice())
        .fetch_optional(connection)
        .await?;
    Ok(bytes)
}

/// Stores what this request is answered.
pub(crate) async fn insert(connection: &mut SqliteConnection, claim: &Claim) -> Result<(), Undone> {
    sqlx::query("INSERT INTO answer (peer, request_hash, bytes, expires) VALUES (?, ?, ?, ?)")
        .bind(claim.peer.as_str())
        .bind(claim.request_hash.0.as_slice())
        .bind(&claim.answer)
        .bind(integer(claim.expires.0))
        .execute(connection)
        .await?;
    Ok(())
}
