use std::path::Path;

use async_trait::async_trait;
use mimi_mls::{Epoch, KeyPackageRef};
use mimi_store::{
    Batch, Claim, Claimed, Decide, EventLimit, EventRow, Head, KeyPackageRow, KeyRange, LaneRow, Lease,
    LeaseRow, RoomRole, RoomRow, Row, RowKind, Seq, Store, StoreFault, Verb, Verbs,
};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::RequestHash;
use tokio::sync::{Mutex, broadcast, oneshot};

use crate::alone::Alone;
use crate::open::{self, OpenFault};
use crate::readers::Readers;
use crate::sql;
use crate::writer::{Recent, Writer};

/// The store in one `SQLite` file.
///
/// Dropping it is safe: what was acknowledged is on disk. [`close`](Self::close) is the polite way.
#[derive(Debug)]
pub struct SqliteStore {
    verbs: Verbs,
    /// Hears of the writer's end.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
    readers: Readers,
    recent: Recent,
    alone: Alone,
}

impl SqliteStore {
    /// Opens the database in this file, making it if it is not there, and starts the thread that writes.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenFault> {
        let path = path.as_ref();
        open::create(path)?;
        open::migrate(path).await?;
        let connection = open::writing(path)?;
        let (verbs, groups) = Verbs::new();
        let recent = Recent::load(&connection)?;
        let writer = Writer::new(path.to_owned(), connection, groups, recent.clone());
        let ended = writer.start().map_err(OpenFault::Thread)?;
        Ok(Self {
            verbs,
            ended: Mutex::new(Some(ended)),
            readers: Readers::of(path),
            recent,
            alone: Alone::beside(path),
        })
    }

    /// Stores what was asked for so far, then closes the database; later calls fault.
    pub async fn close(&self) {
        self.readers.close().await;
        self.verbs.close().await;
        if let Some(ended) = self.ended.lock().await.take() {
            // Fails only if the writer has ended before.
            let _ = ended.await;
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn decide(&self, decide: Decide) -> Result<(), StoreFault> {
        self.verbs.store(Verb::Decide(decide)).await.map(drop)
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreFault> {
        let stored = self.verbs.store(Verb::Claim(claim)).await?;
        Ok(stored.first_answer.map_or(Claimed::Fresh, Claimed::Replayed))
    }

    async fn record(&self, batch: Batch) -> Result<(), StoreFault> {
        self.verbs.store(Verb::Record(batch)).await.map(drop)
    }

    async fn room(&self, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault> {
        let room = room.clone();
        self.readers.read(move |connection| sql::room::read(connection, &room)).await
    }

    async fn rooms(&self, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault> {
        self.readers.read(move |connection| sql::room::list(connection, role)).await
    }

    async fn head(&self, room: &RoomUri) -> Result<Option<Head>, StoreFault> {
        let room = room.clone();
        self.readers.read(move |connection| sql::event::head(connection, &room)).await
    }

    async fn events(
        &self,
        room: &RoomUri,
        from: Seq,
        limit: EventLimit,
    ) -> Result<Vec<EventRow>, StoreFault> {
        let room = room.clone();
        self.readers.read(move |connection| sql::event::read(connection, &room, from, limit)).await
    }

    async fn event_by_hash(
        &self,
        room: &RoomUri,
        request_hash: &RequestHash,
    ) -> Result<Option<EventRow>, StoreFault> {
        let (recent, room, request_hash) = (self.recent.clone(), room.clone(), *request_hash);
        let read = move |connection: &_| sql::event::by_request(connection, &recent, &room, request_hash);
        self.readers.read(read).await
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>, StoreFault> {
        self.readers.read(sql::lane::list).await
    }

    async fn route(&self, room: &RoomUri, key_package: &KeyPackageRef) -> Result<Option<Domain>, StoreFault> {
        let (room, key_package) = (room.clone(), key_package.clone());
        self.readers.read(move |connection| sql::route::read(connection, &room, &key_package)).await
    }

    async fn tree(&self, room: &RoomUri, epoch: Epoch) -> Result<Option<Vec<u8>>, StoreFault> {
        let room = room.clone();
        self.readers.read(move |connection| sql::tree::read(connection, &room, epoch)).await
    }

    async fn key_package(&self, reference: &KeyPackageRef) -> Result<Option<KeyPackageRow>, StoreFault> {
        let reference = reference.clone();
        self.readers.read(move |connection| sql::key_package::read(connection, &reference)).await
    }

    async fn row(&self, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault> {
        let key = key.to_vec();
        self.readers.read(move |connection| sql::row::read(connection, kind, &key)).await
    }

    async fn rows(&self, kind: RowKind, range: KeyRange, limit: usize) -> Result<Vec<Row>, StoreFault> {
        self.readers.read(move |connection| sql::row::list(connection, kind, &range, limit)).await
    }

    fn appended(&self) -> broadcast::Receiver<RoomUri> {
        self.verbs.appended()
    }

    async fn lease(&self, lease: Lease) -> Result<Vec<LeaseRow>, StoreFault> {
        self.alone.lease(lease)
    }
}
