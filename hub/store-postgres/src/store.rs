use std::future::pending;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use mimi_mls::{Epoch, KeyPackageRef};
use mimi_store::{
    Batch, Claim, Claimed, Decide, EventLimit, EventRow, Head, KeyPackageRow, KeyRange, LaneRow, Lease,
    LeaseRow, RoomRole, RoomRow, Row, RowChange, RowKind, Seq, Store, StoreFault, Verb, Verbs,
};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::RequestHash;
use sqlx::PgConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool};
use tokio::sync::{Mutex, broadcast};
use tokio::task::JoinHandle;

use crate::limits::KEY_LENGTH_MAX;
use crate::open::{self, OpenFault};
use crate::sql;
use crate::writer::Writer;

/// The store in one `PostgreSQL` database.
///
/// Dropping it is safe: what was acknowledged is on disk. [`close`](Self::close) is the polite way.
#[derive(Debug)]
pub struct PostgresStore {
    verbs: Verbs,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: PgPool,
    options: PgConnectOptions,
    /// Leases have a connection of their own: they wait for no reader and no group.
    leasing: Mutex<Option<PgConnection>>,
    /// Hears that something was given up, while somebody waits for that.
    hearing: Mutex<Option<PgListener>>,
    /// Who was granted something here: from then on nothing is written unless he holds something still.
    holder: Arc<OnceLock<String>>,
}

impl PostgresStore {
    /// Connects to the database of this URL, brings its schema up to date, and starts the writer on the present runtime.
    pub async fn open(url: &str) -> Result<Self, OpenFault> {
        let options = open::options(url)?;
        let connection = open::writing(&options).await?;
        let readers = open::reading(options.clone());
        let (verbs, groups) = Verbs::new();
        let holder = Arc::new(OnceLock::new());
        let writer = Writer::new(options.clone(), connection, Arc::clone(&holder), groups);
        Ok(Self {
            verbs,
            writer: Mutex::new(Some(tokio::spawn(writer.run()))),
            readers,
            options,
            leasing: Mutex::new(None),
            hearing: Mutex::new(None),
            holder,
        })
    }

    /// Stores what was asked for so far, then closes the database; later calls fault.
    pub async fn close(&self) {
        self.verbs.close().await;
        if let Some(writer) = self.writer.lock().await.take() {
            // Fails only if the writer has ended before.
            let _ = writer.await;
        }
        self.readers.close().await;
    }

    /// Asks; with the first grant, nobody else's work is under way any more.
    async fn ask(&self, lease: &Lease) -> Result<Vec<LeaseRow>, OpenFault> {
        let mut leasing = self.leasing.lock().await;
        // Given up with whatever state it is in, unless all goes well.
        let mut connection = match leasing.take() {
            Some(connection) => connection,
            None => open::connect(&self.options).await?,
        };
        let rows = sql::lease::apply(&mut connection, lease).await?;
        let is_granted = rows.iter().any(|row| row.holder.name == lease.holder.name);
        if is_granted && self.holder.set(lease.holder.name.clone()).is_ok() {
            sql::lease::outlast_others(&mut connection).await?;
            // Whoever works waits for nobody: the connection goes back to the readers.
            if let Ok(mut hearing) = self.hearing.try_lock() {
                *hearing = None;
            }
        }
        *leasing = Some(connection);
        Ok(rows)
    }
}

fn key_length(change: &RowChange) -> usize {
    let (RowChange::Insert { key, .. } | RowChange::Put { key, .. } | RowChange::Delete { key, .. }) = change;
    key.len()
}

#[async_trait]
impl Store for PostgresStore {
    async fn decide(&self, decide: Decide) -> Result<(), StoreFault> {
        self.verbs.store(Verb::Decide(decide)).await.map(drop)
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreFault> {
        let stored = self.verbs.store(Verb::Claim(claim)).await?;
        Ok(stored.first_answer.map_or(Claimed::Fresh, Claimed::Replayed))
    }

    async fn record(&self, batch: Batch) -> Result<(), StoreFault> {
        if let Some(length) = batch.rows.iter().map(key_length).find(|length| *length > KEY_LENGTH_MAX) {
            let why = format!("a key of {length} bytes is longer than {KEY_LENGTH_MAX}");
            return Err(StoreFault::Unavailable(why));
        }
        self.verbs.store(Verb::Record(batch)).await.map(drop)
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
        sql::event::by_request(&self.readers, room, request_hash).await
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
        self.verbs.appended()
    }

    async fn lease(&self, lease: Lease) -> Result<Vec<LeaseRow>, StoreFault> {
        self.ask(&lease).await.map_err(|fault| StoreFault::Unavailable(fault.to_string()))
    }

    async fn given_up(&self) {
        let mut hearing = self.hearing.lock().await;
        let heard = async {
            let listener = match hearing.take() {
                Some(listener) => listener,
                None => sql::lease::listen(&self.readers).await?,
            };
            hearing.insert(listener).recv().await
        };
        if let Err(error) = heard.await {
            tracing::warn!(%error, "what other processes give up is not heard");
            *hearing = None;
            drop(hearing);
            pending::<()>().await;
        }
    }
}
