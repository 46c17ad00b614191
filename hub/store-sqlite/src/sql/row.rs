use mimi_store::{KeyRange, Row, RowKind, RowVersion};
use rusqlite::{Connection, params};

use super::{Unreadable, all, integer, limit as row_limit, number, one};
use crate::writer::Undone;

/// Inserts a row that must not be there.
pub(crate) fn insert(connection: &Connection, kind: RowKind, key: &[u8], bytes: &[u8]) -> Result<(), Undone> {
    connection
        .prepare_cached(r#"INSERT INTO "row" (kind, key, version, bytes) VALUES (?, ?, ?, ?)"#)?
        .execute(params![kind.0, key, integer(RowVersion::FIRST.0), bytes])?;
    Ok(())
}

/// Writes a row, whether or not it is there.
pub(crate) fn put(connection: &Connection, kind: RowKind, key: &[u8], bytes: &[u8]) -> Result<(), Undone> {
    connection
        .prepare_cached(
            r#"INSERT INTO "row" (kind, key, version, bytes) VALUES (?, ?, ?, ?)
               ON CONFLICT (kind, key) DO UPDATE SET version = version + 1, bytes = excluded.bytes"#,
        )?
        .execute(params![kind.0, key, integer(RowVersion::FIRST.0), bytes])?;
    Ok(())
}

/// Writes a row that must have this version.
pub(crate) fn compare_and_put(
    connection: &Connection,
    (kind, key): (RowKind, &[u8]),
    expected: RowVersion,
    bytes: &[u8],
) -> Result<(), Undone> {
    let updated = connection
        .prepare_cached(
            r#"UPDATE "row" SET version = version + 1, bytes = ? WHERE kind = ? AND key = ? AND version = ?"#,
        )?
        .execute(params![bytes, kind.0, key, integer(expected.0)])?;
    Undone::unless_one(updated)
}

/// Deletes a row, if it is there.
pub(crate) fn delete(connection: &Connection, kind: RowKind, key: &[u8]) -> Result<(), Undone> {
    connection
        .prepare_cached(r#"DELETE FROM "row" WHERE kind = ? AND key = ?"#)?
        .execute(params![kind.0, key])?;
    Ok(())
}

/// Deletes a row that must have this version.
pub(crate) fn compare_and_delete(
    connection: &Connection,
    kind: RowKind,
    key: &[u8],
    expected: RowVersion,
) -> Result<(), Undone> {
    let deleted = connection
        .prepare_cached(r#"DELETE FROM "row" WHERE kind = ? AND key = ? AND version = ?"#)?
        .execute(params![kind.0, key, integer(expected.0)])?;
    Undone::unless_one(deleted)
}

pub(crate) fn read(connection: &Connection, kind: RowKind, key: &[u8]) -> Result<Option<Row>, Unreadable> {
    one(
        connection,
        r#"SELECT key, version, bytes FROM "row" WHERE kind = ? AND key = ?"#,
        params![kind.0, key],
        opaque_row,
    )
}

pub(crate) fn list(
    connection: &Connection,
    kind: RowKind,
    range: &KeyRange,
    limit: usize,
) -> Result<Vec<Row>, Unreadable> {
    all(
        connection,
        r#"SELECT key, version, bytes FROM "row"
           WHERE kind = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key LIMIT ?4"#,
        params![kind.0, range.from, range.to, row_limit(limit)],
        opaque_row,
    )
}

fn opaque_row(row: &rusqlite::Row<'_>) -> Result<Row, Unreadable> {
    Ok(Row { key: row.get(0)?, version: RowVersion(number(row.get(1)?)), bytes: row.get(2)? })
}
