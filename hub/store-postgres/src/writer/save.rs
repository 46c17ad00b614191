//! Writing what a group changed: at most three statements for each table.

use std::collections::HashMap;

use mimi_store::{RoomState, RoomVersion, RowVersion};
use sqlx::PgConnection;

use super::tables::{Answer, KeyPackage, RoomPlace, RowNow, Tables};
use crate::sql::{answer, event, key_package, lane, room, route, row, tree};

type RowToWrite<'t> = (row::Named<'t>, RowVersion, &'t [u8]);

impl Tables<'_> {
    /// Writes the difference between what was loaded and what the verbs left.
    pub(super) async fn save(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let ids = self.save_rooms(connection).await?;
        self.save_of_rooms(connection, &ids).await?;
        self.save_claims(connection).await?;
        self.save_rows(connection).await
    }

    /// Tells the ids of all rooms, those founded among them.
    async fn save_rooms(&self, connection: &mut PgConnection) -> sqlx::Result<HashMap<RoomPlace, i64>> {
        let places = 0..self.uris.len();
        let mut ids: HashMap<RoomPlace, i64> =
            places.filter_map(|place| Some((place, self.rooms.get(&place)?.id?))).collect();
        let founded: Vec<_> = self.rooms.inserted().collect();
        if !founded.is_empty() {
            let rows: Vec<room::Founded<'_>> = founded
                .iter()
                .map(|(place, room)| (self.uris[**place], room.role, room.version, room.state))
                .collect();
            let new = room::found(connection, &rows).await?;
            ids.extend(founded.iter().map(|(place, _)| **place).zip(new));
        }
        let changed: Vec<(i64, RoomVersion, &RoomState)> = self
            .rooms
            .updated()
            .filter_map(|(_, room)| Some((room.id?, room.version, room.state?)))
            .collect();
        if !changed.is_empty() {
            room::change(connection, &changed).await?;
        }
        Ok(ids)
    }

    async fn save_of_rooms(
        &self,
        connection: &mut PgConnection,
        ids: &HashMap<RoomPlace, i64>,
    ) -> sqlx::Result<()> {
        let id = |room: &RoomPlace| ids.get(room).copied();
        let events: Vec<event::Append<'_>> =
            self.events.iter().filter_map(|(room, event)| Some((id(room)?, *event))).collect();
        if !events.is_empty() {
            event::append(connection, &events).await?;
        }
        let gone: Vec<lane::Named<'_>> =
            self.lanes.deleted().filter_map(|(room, peer, from)| Some((id(room)?, *peer, *from))).collect();
        if !gone.is_empty() {
            lane::delete(connection, &gone).await?;
        }
        let lanes: Vec<(lane::Named<'_>, lane::Interval)> = self
            .lanes
            .inserted()
            .chain(self.lanes.updated())
            .filter_map(|((room, peer, from), interval)| Some(((id(room)?, *peer, *from), *interval)))
            .collect();
        if !lanes.is_empty() {
            lane::put(connection, &lanes).await?;
        }
        let routes: Vec<_> = self
            .routes
            .inserted()
            .filter_map(|((room, reference), peer)| Some((id(room)?, *reference, peer)))
            .collect();
        if !routes.is_empty() {
            route::insert(connection, &routes).await?;
        }
        let trees: Vec<_> = self
            .trees
            .inserted()
            .filter_map(|((room, epoch), bytes)| Some(((id(room)?, *epoch), *bytes)))
            .collect();
        if !trees.is_empty() {
            tree::put(connection, &trees).await?;
            tree::delete_old(connection, &trees).await?;
        }
        Ok(())
    }

    async fn save_claims(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if let Some(now) = self.claimed_at {
            answer::delete_expired(connection, now).await?;
        }
        let changed = self.answers.inserted().chain(self.answers.updated());
        let claims: Vec<_> = changed
            .filter_map(|(_, answer)| match answer {
                Answer::New(claim) => Some(*claim),
                Answer::Stored(..) => None,
            })
            .collect();
        if !claims.is_empty() {
            answer::insert(connection, &claims).await?;
        }
        let used: Vec<_> = self.key_packages.deleted().copied().collect();
        if !used.is_empty() {
            key_package::delete(connection, &used).await?;
        }
        let minted: Vec<key_package::Minted<'_>> = self
            .key_packages
            .inserted()
            .chain(self.key_packages.updated())
            .filter_map(|(_, key_package)| match key_package {
                KeyPackage::New(minted) => Some(*minted),
                KeyPackage::Stored => None,
            })
            .collect();
        if !minted.is_empty() {
            key_package::insert(connection, &minted).await?;
        }
        Ok(())
    }

    async fn save_rows(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let gone: Vec<row::Named<'_>> = self.rows.deleted().copied().collect();
        if !gone.is_empty() {
            row::delete(connection, &gone).await?;
        }
        let new: Vec<RowToWrite<'_>> = self.rows.inserted().filter_map(to_write).collect();
        if !new.is_empty() {
            row::insert(connection, &new).await?;
        }
        let changed: Vec<RowToWrite<'_>> = self.rows.updated().filter_map(to_write).collect();
        if !changed.is_empty() {
            row::update(connection, &changed).await?;
        }
        Ok(())
    }
}

fn to_write<'t>((name, row): (&'t row::Named<'_>, &'t RowNow<'_>)) -> Option<RowToWrite<'t>> {
    Some((*name, row.version, row.bytes?))
}
