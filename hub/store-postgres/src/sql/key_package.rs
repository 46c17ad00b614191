use mimi_mls::KeyPackageRef;
use mimi_store::{KeyPackageRow, NewKeyPackage, StoreFault};
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::Timestamp;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::{PgConnection, Row as _};

use super::{integer, number, place, unreadable};

/// A `KeyPackage` and the provider that is about to get it.
pub(crate) type Minted<'v> = (&'v Domain, &'v NewKeyPackage);

/// Which of these `KeyPackages` are stored.
pub(crate) async fn load(
    connection: &mut PgConnection,
    references: &[&KeyPackageRef],
) -> sqlx::Result<Vec<usize>> {
    let stored: Vec<i64> = sqlx::query_scalar(
        "SELECT n FROM unnest($1::bytea[]) WITH ORDINALITY AS t (reference, n) \
         JOIN key_package USING (reference) ORDER BY reference FOR UPDATE OF key_package",
    )
    .bind(references.iter().map(|reference| reference.0.as_slice()).collect::<Vec<&[u8]>>())
    .fetch_all(connection)
    .await?;
    Ok(stored.into_iter().map(place).collect())
}

/// Stores `KeyPackages`.
pub(crate) async fn insert(connection: &mut PgConnection, minted: &[Minted<'_>]) -> sqlx::Result<()> {
    let texts = |text: fn(&NewKeyPackage) -> &str| -> Vec<&str> {
        minted.iter().map(|(_, minted)| text(minted)).collect()
    };
    sqlx::query(
        r#"INSERT INTO key_package (reference, peer, "user", client, requester, room, secret, not_after)
           SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                                $7::bytea[], $8::bigint[])"#,
    )
    .bind(minted.iter().map(|(_, minted)| minted.reference.0.as_slice()).collect::<Vec<&[u8]>>())
    .bind(minted.iter().map(|(peer, _)| peer.as_str()).collect::<Vec<&str>>())
    .bind(texts(|minted| minted.user.as_str()))
    .bind(texts(|minted| minted.client.as_str()))
    .bind(texts(|minted| minted.requester.as_str()))
    .bind(texts(|minted| minted.room.as_str()))
    .bind(minted.iter().map(|(_, minted)| minted.secret.as_slice()).collect::<Vec<&[u8]>>())
    .bind(minted.iter().map(|(_, minted)| integer(minted.not_after.0)).collect::<Vec<i64>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes `KeyPackages` that were used.
pub(crate) async fn delete(connection: &mut PgConnection, used: &[&KeyPackageRef]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM key_package WHERE reference = ANY ($1)")
        .bind(used.iter().map(|reference| reference.0.as_slice()).collect::<Vec<&[u8]>>())
        .execute(connection)
        .await?;
    Ok(())
}

pub(crate) async fn read(
    readers: &PgPool,
    reference: &KeyPackageRef,
) -> Result<Option<KeyPackageRow>, StoreFault> {
    let row = sqlx::query(
        r#"SELECT peer, "user", client, requester, room, secret, not_after FROM key_package WHERE reference = $1"#,
    )
    .bind(reference.0.as_slice())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    row.map(|row| key_package_row(reference, &row)).transpose()
}

fn key_package_row(reference: &KeyPackageRef, row: &PgRow) -> Result<KeyPackageRow, StoreFault> {
    let text = |column| row.try_get::<&str, _>(column).map_err(unreadable);
    Ok(KeyPackageRow {
        reference: reference.clone(),
        peer: Domain::parse(text("peer")?).map_err(unreadable)?,
        user: UserUri::parse(text("user")?).map_err(unreadable)?,
        client: ClientUri::parse(text("client")?).map_err(unreadable)?,
        requester: UserUri::parse(text("requester")?).map_err(unreadable)?,
        room: RoomUri::parse(text("room")?).map_err(unreadable)?,
        secret: row.try_get("secret").map_err(unreadable)?,
        not_after: Timestamp(number(row.try_get("not_after").map_err(unreadable)?)),
    })
}
