use mimi_mls::KeyPackageRef;
use mimi_store::{KeyPackageRow, NewKeyPackage};
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::Timestamp;
use rusqlite::{Connection, params};

use super::{Unreadable, integer, number, one};
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

pub(crate) fn read(
    connection: &Connection,
    reference: &KeyPackageRef,
) -> Result<Option<KeyPackageRow>, Unreadable> {
    one(
        connection,
        "SELECT peer, user, client, requester, room, secret, not_after FROM key_package WHERE reference = ?",
        [reference.0.as_slice()],
        |row| {
            Ok(KeyPackageRow {
                reference: reference.clone(),
                peer: Domain::parse(row.get_ref(0)?.as_str()?)?,
                user: UserUri::parse(row.get_ref(1)?.as_str()?)?,
                client: ClientUri::parse(row.get_ref(2)?.as_str()?)?,
                requester: UserUri::parse(row.get_ref(3)?.as_str()?)?,
                room: RoomUri::parse(row.get_ref(4)?.as_str()?)?,
                secret: row.get(5)?,
                not_after: Timestamp(number(row.get(6)?)),
            })
        },
    )
}
