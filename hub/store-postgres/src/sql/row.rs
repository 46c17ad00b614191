use mimi_store::{KeyRange, Row, RowKind, RowVersion, StoreFault};
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row as _};

use super::{integer, limit as row_limit, number, place, unreadable};

/// A row is named by its kind and its key.
pub(crate) type Named<'v> = (&'static str, &'v [u8]);

/// The versions of rows, with the places of those that are stored.
pub(crate) async fn load(
    connection: &mut PgConnection,
    rows: &[Named<'_>],
) -> sqlx::Result<Vec<(usize, RowVersion)>> {
    let found: Vec<(i64, i64)> = sqlx::query_as(
        r#"SELECT n, version FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS t (kind, key, n)
           JOIN "row" USING (kind, key) ORDER BY kind, key FOR UPDATE OF "row""#,
    )
    .bind(rows.iter().map(|(kind, _)| *kind).collect::<Vec<&str>>())
    .bind(rows.iter().map(|(_, key)| *key).collect::<Vec<&[u8]>>())
    .fetch_all(connection)
    .await?;
    Ok(found.into_iter().map(|(n, version)| (place(n), RowVersion(number(version)))).collect())
}

/// Inserts rows that are not there.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    rows: &[(Named<'_>, RowVersion, &[u8])],
) -> sqlx::Result<()> {
    sqlx::query(
        r#"INSERT INTO "row" (kind, key, version, bytes)
           SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bytea[])"#,
    )
    .bind(rows.iter().map(|((kind, _), ..)| *kind).collect::<Vec<&str>>())
    .bind(rows.iter().map(|((_, key), ..)| *key).collect::<Vec<&[u8]>>())
    .bind(rows.iter().map(|(_, version, _)| integer(version.0)).collect::<Vec<i64>>())
    .bind(rows.iter().map(|(.., bytes)| *bytes).collect::<Vec<&[u8]>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Overwrites rows that are there.
pub(crate) async fn update(
    connection: &mut PgConnection,
    rows: &[(Named<'_>, RowVersion, &[u8])],
) -> sqlx::Result<()> {
    sqlx::query(
        r#"UPDATE "row" SET version = t.version, bytes = t.bytes
           FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bytea[]) AS t (kind, key, version, bytes)
           WHERE "row".kind = t.kind AND "row".key = t.key"#,
    )
    .bind(rows.iter().map(|((kind, _), ..)| *kind).collect::<Vec<&str>>())
    .bind(rows.iter().map(|((_, key), ..)| *key).collect::<Vec<&[u8]>>())
    .bind(rows.iter().map(|(_, version, _)| integer(version.0)).collect::<Vec<i64>>())
    .bind(rows.iter().map(|(.., bytes)| *bytes).collect::<Vec<&[u8]>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes rows.
pub(crate) async fn delete(connection: &mut PgConnection, rows: &[Named<'_>]) -> sqlx::Result<()> {
    sqlx::query(
        r#"DELETE FROM "row" USING unnest($1::text[], $2::bytea[]) AS t (kind, key)
           WHERE "row".kind = t.kind AND "row".key = t.key"#,
    )
    .bind(rows.iter().map(|(kind, _)| *kind).collect::<Vec<&str>>())
    .bind(rows.iter().map(|(_, key)| *key).collect::<Vec<&[u8]>>())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn read(readers: &PgPool, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault> {
    let row = sqlx::query(r#"SELECT key, version, bytes FROM "row" WHERE kind = $1 AND key = $2"#)
        .bind(kind.0)
        .bind(key)
        .fetch_optional(readers)
        .await
        .map_err(unreadable)?;
    row.as_ref().map(opaque_row).transpose()
}

pub(crate) async fn list(
    readers: &PgPool,
    kind: RowKind,
    range: &KeyRange,
    limit: usize,
) -> Result<Vec<Row>, StoreFault> {
    let rows = sqlx::query(
        r#"SELECT key, version, bytes FROM "row"
           WHERE kind = $1 AND key >= $2 AND ($3::bytea IS NULL OR key < $3) ORDER BY key LIMIT $4"#,
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

fn opaque_row(row: &PgRow) -> Result<Row, StoreFault> {
    Ok(Row {
        key: row.try_get("key").map_err(unreadable)?,
        version: RowVersion(number(row.try_get("version").map_err(unreadable)?)),
        bytes: row.try_get("bytes").map_err(unreadable)?,
    })
}
