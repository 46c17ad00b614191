use mimi_mls::KeyPackageRef;
use mimi_store::{KeyPackageRow, NewKeyPackage, StoreFault};
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::Timestamp;
use rusqlite::{Connection, params};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use super::{integer, number, unreadable};
use crate::writer::Undone;

/// Stores a `KeyPackage` that this provider is about to get.
pub(crate) fn insert(connection: &Connection, peer: &Domain, minted: &NewKeyPackage) -> Result<(), Undone> {
    connection
        .prepare_cached(
            "INSERT INTO key_package (reference, peer, user, client, requester, room, secret, not_after) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            minted.reference.0,
            peer.as_str(),
            minted.user.as_str(),
            minted.client.as_str(),
            minted.requester.as_str(),
            minted.room.as_str(),
            minted.secret,
            integer(minted.not_after.0)
        ])?;
    Ok(())
}

/// Deletes a `KeyPackage` that was used; one that is gone was used before.
pub(crate) fn delete(connection: &Connection, reference: &KeyPackageRef) -> Result<(), Undone> {
    let deleted = connection
        .prepare_cached("DELETE FROM key_package WHERE reference = ?")?
        .execute(params![reference.0])?;
    Undone::unless_one(deleted)
}

pub(crate) async fn read(
    readers: &SqlitePool,
    reference: &KeyPackageRef,
) -> Result<Option<KeyPackageRow>, StoreFault> {
    let row = sqlx::query(
        "SELECT peer, user, client, requester, room, secret, not_after FROM key_package WHERE reference = ?",
    )
    .bind(reference.0.as_slice())
    .fetch_optional(readers)
    .await
    .map_err(unreadable)?;
    row.map(|row| key_package_row(reference, &row)).transpose()
}

fn key_package_row(reference: &KeyPackageRef, row: &SqliteRow) -> Result<KeyPackageRow, StoreFault> {
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
