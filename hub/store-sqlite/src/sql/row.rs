use mimi_store::{KeyRange, Row, RowKind, RowVersion, StoreFault};
use rusqlite::{Connection, params};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::{integer, limit as row_limit, number, unreadable};
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

pub(crate) async fn read(readers: &SqlitePool, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault> {
    let row = sqlx::query(r#"SELECT key, version, bytes FROM "row" WHERE kind = ? AND key = ?"#)
        .bind(kind.0)
        .bind(key)
        .fetch_optional(readers)
        .await
        .map_err(unreadable)?;
    row.as_ref().map(opaque_row).transpose()
}

pub(crate) async fn list(
    readers: &SqlitePool,
    kind: RowKind,
    range: &KeyRange,
    limit: usize,
) -> Result<Vec<Row>, StoreFault> {
    let rows = sqlx::query(
        r#"SELECT key, version, bytes FROM "row"
           WHERE kind = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key LIMIT ?4"#,
    )
    .bind(kind.0)
    .bind(range.from.as_slice())
    .bind(range.to.as_deref())
    .bind(row_limit(limit))
    .fetch_all(readers)
    .await
    .map_err(unreadable)?;
    rows.iter().map(opaque_row).collect()
}

fn opaque_row(row: &SqliteRow) -> Result<Row, StoreFault> {
    Ok(Row {
        key: row.try_get("key").map_err(unreadable)?,
        version: RowVersion(number(row.try_get("version").map_err(unreadable)?)),
        bytes: row.try_get("bytes").map_err(unreadable)?,
    })
}
