use mimi_store::{KeyRange, Row, RowKind, RowVersion, StoreFault};
use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row as _, SqliteConnection};

use super::{integer, limit as row_limit, number, unreadable};
use crate::writer::Undone;

/// Inserts a row that must not be there.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    kind: RowKind,
    key: &[u8],
    bytes: &[u8],
) -> Result<(), Undone> {
    sqlx::query(r#"INSERT INTO "row" (kind, key, version, bytes) VALUES (?, ?, ?, ?)"#)
        .bind(kind.0)
        .bind(key)
        .bind(integer(RowVersion::FIRST.0))
        .bind(bytes)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes a row, whether or not it is there.
pub(crate) async fn put(
    connection: &mut SqliteConnection,
    kind: RowKind,
    key: &[u8],
    bytes: &[u8],
) -> Result<(), Undone> {
    sqlx::query(
        r#"INSERT INTO "row" (kind, key, version, bytes) VALUES (?, ?, ?, ?)
           ON CONFLICT (kind, key) DO UPDATE SET version = version + 1, bytes = excluded.bytes"#,
    )
    .bind(kind.0)
    .bind(key)
    .bind(integer(RowVersion::FIRST.0))
    .bind(bytes)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a row that must have this version.
pub(crate) async fn compare_and_put(
    connection: &mut SqliteConnection,
    (kind, key): (RowKind, &[u8]),
    expected: RowVersion,
    bytes: &[u8],
) -> Result<(), Undone> {
    let updated = sqlx::query(
        r#"UPDATE "row" SET version = version + 1, bytes = ? WHERE kind = ? AND key = ? AND version = ?"#,
    )
    .bind(bytes)
    .bind(kind.0)
    .bind(key)
    .bind(integer(expected.0))
    .execute(connection)
    .await?;
    Undone::unless_one(updated.rows_affected())
}

/// Deletes a row, if it is there.
pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    kind: RowKind,
    key: &[u8],
) -> Result<(), Undone> {
    sqlx::query(r#"DELETE FROM "row" WHERE kind = ? AND key = ?"#)
        .bind(kind.0)
        .bind(key)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes a row that must have this version.
pub(crate) async fn compare_and_delete(
    connection: &mut SqliteConnection,
    kind: RowKind,
    key: &[u8],
    expected: RowVersion,
) -> Result<(), Undone> {
    let deleted = sqlx::query(r#"DELETE FROM "row" WHERE kind = ? AND key = ? AND version = ?"#)
        .bind(kind.0)
        .bind(key)
        .bind(integer(expected.0))
        .execute(connection)
        .await?;
    Undone::unless_one(deleted.rows_affected())
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
