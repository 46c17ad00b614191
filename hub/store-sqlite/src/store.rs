use std::path::Path;

use async_trait::async_trait;
use mimi_mls::{Epoch, KeyPackageRef};
use mimi_store::{
    Batch, Claim, Claimed, Decide, EventLimit, EventRow, Head, KeyPackageRow, KeyRange, LaneRow, Lease,
    LeaseRow, RoomRole, RoomRow, Row, RowKind, Seq, Store, StoreFault,
};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::RequestHash;
use sqlx::sqlite::SqlitePool;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot};

use crate::alone::Alone;
use crate::limits::VERBS_WAITING_MAX;
use crate::open::{self, OpenFault};
use crate::sql;
use crate::writer::{Job, Message, Recent, Stored, Verb, Writer};

/// The store in one `SQLite` file.
///
/// Dropping it is safe: what was acknowledged is on disk. [`close`](Self::close) is the polite way.
#[derive(Debug)]
pub struct SqliteStore {
    messages: mpsc::Sender<Message>,
    /// Hears of the writer's end.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
    readers: SqlitePool,
    recent: Recent,
    appended: broadcast::Sender<RoomUri>,
    alone: Alone,
}

impl SqliteStore {
    /// Opens the database in this file, making it if it is not there, and starts the thread that writes.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenFault> {
        let path = path.as_ref();
        open::create(path)?;
        let options = open::options(path);
        open::migrate(&options).await?;
        let connection = open::writing(path)?;
        let readers = open::reading(options).await?;
        let (messages, received) = mpsc::channel(VERBS_WAITING_MAX);
        let (appended, _) = broadcast::channel(mimi_store::limits::APPENDED_ROOMS_HELD_MAX);
        let recent = Recent::load(&connection)?;
        let writer = Writer::new(path.to_owned(), connection, received, appended.clone(), recent.clone());
        let ended = writer.start().map_err(OpenFault::Thread)?;
        Ok(Self {
            messages,
            ended: Mutex::new(Some(ended)),
            readers,
            recent,
            appended,
            alone: Alone::beside(path),
        })
    }

    /// Stores what was asked for so far, then closes the database; later calls fault.
    pub async fn close(&self) {
        // Either fails only if the writer has ended before, and then there is nothing left to close.
        let _ = self.messages.send(Message::Close).await;
        if let Some(ended) = self.ended.lock().await.take() {
            let _ = ended.await;
        }
        self.readers.close().await;
    }

    async fn write(&self, verb: Verb) -> Result<Stored, StoreFault> {
        let (answer, answered) = oneshot::channel();
        let job = Job { verb, answer };
        self.messages.send(Message::Write(job)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

fn closed() -> StoreFault {
    StoreFault::Unavailable("the store was closed".into())
}

#[async_trait]
impl Store for SqliteStore {
    async fn decide(&self, decide: Decide) -> Result<(), StoreFault> {
        self.write(Verb::Decide(decide)).await.map(drop)
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreFault> {
        let stored = self.write(Verb::Claim(claim)).await?;
        Ok(stored.first_answer.map_or(Claimed::Fresh, Claimed::Replayed))
    }

    async fn record(&self, batch: Batch) -> Result<(), StoreFault> {
        self.write(Verb::Record(batch)).await.map(drop)
    }

    async fn room(&self, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault> {
        sql::room::read(&self.readers, room).await
    }

    async fn rooms(&self, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault> {
        sql::room::list(&self.readers, role).await
    }

    async fn head(&self, room: &RoomUri) -> Result<Option<Head>, StoreFault> {
        sql::event::head(&self.readers, room).await
    }

    async fn events(
        &self,
        room: &RoomUri,
        from: Seq,
        limit: EventLimit,
    ) -> Result<Vec<EventRow>, StoreFault> {
        sql::event::read(&self.readers, room, from, limit).await
    }

    async fn event_by_hash(
        &self,
        room: &RoomUri,
        request_hash: &RequestHash,
    ) -> Result<Option<EventRow>, StoreFault> {
        sql::event::by_request(&self.readers, &self.recent, room, request_hash).await
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>, StoreFault> {
        sql::lane::list(&self.readers).await
    }

    async fn route(&self, room: &RoomUri, key_package: &KeyPackageRef) -> Result<Option<Domain>, StoreFault> {
        sql::route::read(&self.readers, room, key_package).await
    }

    async fn tree(&self, room: &RoomUri, epoch: Epoch) -> Result<Option<Vec<u8>>, StoreFault> {
        sql::tree::read(&self.readers, room, epoch).await
    }

    async fn key_package(&self, reference: &KeyPackageRef) -> Result<Option<KeyPackageRow>, StoreFault> {
        sql::key_package::read(&self.readers, reference).await
    }

    async fn row(&self, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault> {
        sql::row::read(&self.readers, kind, key).await
    }

    async fn rows(&self, kind: RowKind, range: KeyRange, limit: usize) -> Result<Vec<Row>, StoreFault> {
        sql::row::list(&self.readers, kind, &range, limit).await
    }

    fn appended(&self) -> broadcast::Receiver<RoomUri> {
        self.appended.subscribe()
    }

    async fn lease(&self, lease: Lease) -> Result<Vec<LeaseRow>, StoreFault> {
        self.alone.lease(lease)
    }
}
