//! Reading, and locking, all that a group touches: at most one statement for each table.

use std::collections::BTreeSet;

use mimi_mls::KeyPackageRef;
use mimi_store::{Decide, LaneChange, LaneProgress, RowChange, Seq, Verb};
use mimi_uri::Domain;
use mimi_wire::RequestHash;
use sqlx::PgConnection;

use super::tables::{Answer, KeyPackage, RoomNow, RoomPlace, RowNow, Tables};
use crate::sql::{answer, event, key_package, lane, room, route, row};

/// Whether the logs are looked at before they are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logs {
    /// No: nobody takes a place twice, and if somebody does, the database says so.
    Trusted,
    /// Yes: somebody did.
    Examined,
}

/// What verbs name.
#[derive(Default)]
struct Names<'v> {
    lanes: BTreeSet<(RoomPlace, &'v Domain)>,
    routes: BTreeSet<(RoomPlace, &'v KeyPackageRef)>,
    answers: BTreeSet<(&'v Domain, &'v RequestHash)>,
    key_packages: BTreeSet<&'v KeyPackageRef>,
    rows: BTreeSet<(&'static str, &'v [u8])>,
    seqs: BTreeSet<(RoomPlace, Seq)>,
    requests: BTreeSet<(RoomPlace, RequestHash)>,
}

/// Reads what these verbs touch; nobody else changes it before the transaction ends.
pub(super) async fn load<'v>(
    connection: &mut PgConnection,
    verbs: &'v [Verb],
    logs: Logs,
) -> sqlx::Result<Tables<'v>> {
    let mut tables = Tables::default();
    let names = Names::of(verbs, &mut tables, logs);
    if !tables.uris.is_empty() {
        for (place, fence) in room::lock(connection, &tables.uris).await? {
            let room = RoomNow { id: Some(fence.id), role: fence.role, version: fence.version, state: None };
            tables.rooms.found(place, room);
        }
    }
    tables.load_logs(connection, &names).await?;
    tables.load_lanes_and_routes(connection, &names).await?;
    tables.load_the_rest(connection, names).await?;
    Ok(tables)
}

impl<'v> Names<'v> {
    fn of(verbs: &'v [Verb], tables: &mut Tables<'v>, logs: Logs) -> Self {
        let mut names = Self::default();
        for verb in verbs {
            match verb {
                Verb::Decide(decide) => {
                    let room = tables.place(&decide.room);
                    names.of_decision(room, decide, logs);
                }
                Verb::Claim(claim) => {
                    names.answers.insert((&claim.peer, &claim.request_hash));
                    names.key_packages.extend(claim.minted.iter().map(|minted| &minted.reference));
                }
                Verb::Record(batch) => {
                    names.key_packages.extend(&batch.used_key_packages);
                    names.rows.extend(batch.rows.iter().map(row_name));
                    for progress in &batch.lanes {
                        let (LaneProgress::BatchEnd { room, peer, .. }
                        | LaneProgress::Advance { room, peer, .. }) = progress;
                        names.lanes.insert((tables.place(room), peer));
                    }
                }
            }
        }
        names
    }

    fn of_decision(&mut self, room: RoomPlace, decide: &'v Decide, logs: Logs) {
        for change in &decide.lanes {
            let (LaneChange::Open { peer, .. } | LaneChange::Close { peer, .. }) = change;
            self.lanes.insert((room, peer));
        }
        self.routes.extend(decide.routes.iter().map(|(reference, _)| (room, reference)));
        if logs == Logs::Examined {
            self.seqs.extend(decide.events.iter().map(|event| (room, event.seq)));
            let hashes = decide.events.iter().filter_map(|event| event.request_hash);
            self.requests.extend(hashes.map(|hash| (room, hash)));
        }
    }
}

fn row_name(change: &RowChange) -> (&'static str, &[u8]) {
    let (RowChange::Insert { kind, key, .. }
    | RowChange::Put { kind, key, .. }
    | RowChange::Delete { kind, key, .. }) = change;
    (kind.0, key)
}

impl<'v> Tables<'v> {
    /// Those of a table's names whose room is there: the name by place, the same by id.
    fn with_ids<N: Copy, I>(
        &self,
        names: impl IntoIterator<Item = N>,
        parts: impl Fn(N) -> (RoomPlace, I),
    ) -> (Vec<N>, Vec<(i64, I)>) {
        let with_id = |name| {
            let (room, rest) = parts(name);
            Some((name, (self.rooms.get(&room)?.id?, rest)))
        };
        names.into_iter().filter_map(with_id).unzip()
    }

    async fn load_logs(&mut self, connection: &mut PgConnection, names: &Names<'v>) -> sqlx::Result<()> {
        let (seqs, by_id) = self.with_ids(names.seqs.iter().copied(), |name| name);
        if !by_id.is_empty() {
            for at in event::taken(connection, &by_id).await? {
                self.seqs.found(seqs[at], ());
            }
        }
        let (requests, by_id) = self.with_ids(names.requests.iter().copied(), |name| name);
        if !by_id.is_empty() {
            for at in event::logged(connection, &by_id).await? {
                self.requests.found(requests[at], ());
            }
        }
        Ok(())
    }

    async fn load_lanes_and_routes(
        &mut self,
        connection: &mut PgConnection,
        names: &Names<'v>,
    ) -> sqlx::Result<()> {
        let (lanes, by_id) = self.with_ids(names.lanes.iter().copied(), |name| name);
        if !by_id.is_empty() {
            for (at, from, interval) in lane::load(connection, &by_id).await? {
                let (room, peer) = lanes[at];
                self.lanes.found((room, peer, from), interval);
            }
        }
        let (routes, by_id) = self.with_ids(names.routes.iter().copied(), |name| name);
        if !by_id.is_empty() {
            for (at, peer) in route::load(connection, &by_id).await? {
                self.routes.found(routes[at], peer);
            }
        }
        Ok(())
    }

    async fn load_the_rest(&mut self, connection: &mut PgConnection, names: Names<'v>) -> sqlx::Result<()> {
        let answers: Vec<_> = names.answers.into_iter().collect();
        if !answers.is_empty() {
            for (at, bytes, expires) in answer::load(connection, &answers).await? {
                let (peer, hash) = answers[at];
                self.answers.found((peer, *hash), Answer::Stored(bytes, expires));
            }
        }
        let key_packages: Vec<_> = names.key_packages.into_iter().collect();
        if !key_packages.is_empty() {
            for at in key_package::load(connection, &key_packages).await? {
                self.key_packages.found(key_packages[at], KeyPackage::Stored);
            }
        }
        let rows: Vec<_> = names.rows.into_iter().collect();
        if !rows.is_empty() {
            for (at, version) in row::load(connection, &rows).await? {
                self.rows.found(rows[at], RowNow { version, bytes: None });
            }
        }
        Ok(())
    }
}
