use mimi_store::Seq;
use mimi_wire::RequestHash;
use rusqlite::{Connection, params};

use super::{integer, number};

/// A request, by the id of its room and its hash.
pub(crate) type Request = (i64, RequestHash);

/// Whether the table has this request.
pub(crate) fn is_known(connection: &Connection, (room, hash): &Request) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM request WHERE room = ? AND request_hash = ?")?
        .exists(params![room, hash.0])
}

/// The requests of events that the table has not got to.
pub(crate) fn recent(connection: &Connection) -> rusqlite::Result<Vec<(Request, Seq)>> {
    connection
        .prepare_cached(
            "SELECT room, request_hash, seq FROM event \
             WHERE number > (SELECT up_to FROM request_table) AND request_hash IS NOT NULL",
        )?
        .query_map([], |row| Ok(((row.get(0)?, RequestHash(row.get(1)?)), Seq(number(row.get(2)?)))))?
        .collect()
}

/// Adds requests to the table, in their order: each of its pages is written once.
pub(crate) fn insert(connection: &Connection, sorted: &[(Request, Seq)]) -> rusqlite::Result<()> {
    let mut insert =
        connection.prepare_cached("INSERT INTO request (room, request_hash, seq) VALUES (?, ?, ?)")?;
    for ((room, hash), seq) in sorted {
        insert.execute(params![room, hash.0, integer(seq.0)])?;
    }
    Ok(())
}

/// Notes that the table has the requests of all events stored so far.
pub(crate) fn is_complete(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE request_table SET up_to = (SELECT coalesce(max(number), 0) FROM event)")?
        .execute([])?;
    Ok(())
}
