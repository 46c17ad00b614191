use mimi_store::Claim;
use mimi_wire::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::integer;
use crate::writer::Undone;

/// Deletes the answers that nobody gets any more.
pub(crate) fn delete_expired(connection: &Connection, now: Timestamp) -> Result<(), Undone> {
    connection.prepare_cached("DELETE FROM answer WHERE expires <= ?")?.execute([integer(now.0)])?;
    Ok(())
}

/// The answer that this request got before.
pub(crate) fn first(connection: &Connection, claim: &Claim) -> Result<Option<Vec<u8>>, Undone> {
    let bytes = connection
        .prepare_cached("SELECT bytes FROM answer WHERE peer = ? AND request_hash = ?")?
        .query_row(params![claim.peer.as_str(), claim.request_hash.0], |row| row.get(0))
        .optional()?;
    Ok(bytes)
}

/// Stores what this request is answered.
pub(crate) fn insert(connection: &Connection, claim: &Claim) -> Result<(), Undone> {
    connection
        .prepare_cached("INSERT INTO answer (peer, request_hash, bytes, expires) VALUES (?, ?, ?, ?)")?
        .execute(params![
            claim.peer.as_str(),
            claim.request_hash.0,
            claim.answer,
            integer(claim.expires.0)
        ])?;
    Ok(())
}
