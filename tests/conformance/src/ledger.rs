use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use mimi_mls::{Epoch, KeyPackageRef};
use mimi_store::{
    Batch, Claim, Claimed, Decide, EventLimit, EventRow, Head, InjectedFault, KeyPackageRow, KeyRange,
    LaneRow, MemoryStore, RoomRole, RoomRow, Row, RowKind, Seq, Store, StoreFault,
};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::RequestHash;
use tokio::sync::{Semaphore, broadcast, watch};

/// A store in memory that keeps account of every change it ever made: what is not in the account was not stored.
#[derive(Debug)]
pub struct Ledger {
    store: MemoryStore,
    entries: Mutex<Vec<String>>,
    written: watch::Sender<usize>,
    is_paced: AtomicBool,
    pace: Semaphore,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            store: MemoryStore::new(),
            entries: Mutex::default(),
            written: watch::Sender::new(0),
            is_paced: AtomicBool::new(false),
            pace: Semaphore::new(0),
        }
    }
}

impl Ledger {
    /// Everything that was ever stored, in its order: rooms, events, lanes, routes, trees, key packages, answers, rows.
    pub fn entries(&self) -> Vec<String> {
        self.entries.lock().unwrap().clone()
    }

    /// How many of its entries are of that verb: `decide`, `claim` or `record`.
    pub fn count(&self, verb: &str) -> usize {
        self.entries().iter().filter(|entry| entry.starts_with(verb)).count()
    }

    /// The whole log of a room.
    pub async fn log(&self, room: &RoomUri) -> Vec<EventRow> {
        let limit = EventLimit { count: usize::MAX, bytes: usize::MAX };
        self.events(room, Seq::FIRST, limit).await.unwrap()
    }

    /// Waits until a lane has nothing more to deliver.
    pub async fn settled(&self) {
        let mut written = self.written.subscribe();
        while !self.is_settled().await {
            written.changed().await.unwrap();
        }
    }

    /// Waits until the lanes of one follower have nothing more to deliver.
    pub async fn delivered(&self, peer: &Domain) {
        let mut written = self.written.subscribe();
        while !self.is_delivered(|lane| lane.peer == *peer).await {
            written.changed().await.unwrap();
        }
    }

    /// Has the next verb fail.
    pub fn fails_next(&self, fault: InjectedFault) {
        self.store.fail_next(fault);
    }

    /// From now on decisions wait, in their order, until they are let through.
    pub fn paces(&self) {
        self.is_paced.store(true, Ordering::SeqCst);
    }

    /// Lets so many decisions through.
    pub fn lets(&self, count: usize) {
        self.pace.add_permits(count);
    }

    async fn is_settled(&self) -> bool {
        self.is_delivered(|_| true).await
    }

    async fn is_delivered(&self, counts: impl Fn(&LaneRow) -> bool) -> bool {
        for lane in self.lanes().await.unwrap().into_iter().filter(counts) {
            let last = self.head(&lane.room).await.unwrap().map_or(Seq(0), |head| head.seq);
            if lane.position <= last {
                return false;
            }
        }
        true
    }

    fn enter(&self, entry: String) {
        let mut entries = self.entries.lock().unwrap();
        entries.push(entry);
        self.written.send_replace(entries.len());
    }
}

#[async_trait]
impl Store for Ledger {
    async fn decide(&self, decide: Decide) -> Result<(), StoreFault> {
        let entry = format!("decide {decide:?}");
        if self.is_paced.load(Ordering::SeqCst) {
            self.pace.acquire().await.unwrap().forget();
        }
        self.store.decide(decide).await?;
        self.enter(entry);
        Ok(())
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreFault> {
        let entry = format!("claim {claim:?}");
        let claimed = self.store.claim(claim).await?;
        if claimed == Claimed::Fresh {
            self.enter(entry);
        }
        Ok(claimed)
    }

    async fn record(&self, batch: Batch) -> Result<(), StoreFault> {
        let entry = format!("record {batch:?}");
        self.store.record(batch).await?;
        self.enter(entry);
        Ok(())
    }

    async fn room(&self, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault> {
        self.store.room(room).await
    }

    async fn rooms(&self, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault> {
        self.store.rooms(role).await
    }

    async fn head(&self, room: &RoomUri) -> Result<Option<Head>, StoreFault> {
        self.store.head(room).await
    }

    async fn events(
        &self,
        room: &RoomUri,
        from: Seq,
        limit: EventLimit,
    ) -> Result<Vec<EventRow>, StoreFault> {
        self.store.events(room, from, limit).await
    }

    async fn event_by_hash(
        &self,
        room: &RoomUri,
        request_hash: &RequestHash,
    ) -> Result<Option<EventRow>, StoreFault> {
        self.store.event_by_hash(room, request_hash).await
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>, StoreFault> {
        self.store.lanes().await
    }

    async fn route(&self, room: &RoomUri, key_package: &KeyPackageRef) -> Result<Option<Domain>, StoreFault> {
        self.store.route(room, key_package).await
    }

    async fn tree(&self, room: &RoomUri, epoch: Epoch) -> Result<Option<Vec<u8>>, StoreFault> {
        self.store.tree(room, epoch).await
    }

    async fn key_package(&self, reference: &KeyPackageRef) -> Result<Option<KeyPackageRow>, StoreFault> {
        self.store.key_package(reference).await
    }

    async fn row(&self, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault> {
        self.store.row(kind, key).await
    }

    async fn rows(&self, kind: RowKind, range: KeyRange, limit: usize) -> Result<Vec<Row>, StoreFault> {
        self.store.rows(kind, range, limit).await
    }

    fn appended(&self) -> broadcast::Receiver<RoomUri> {
        self.store.appended()
    }
}
