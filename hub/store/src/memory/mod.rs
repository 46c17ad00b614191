mod record;
mod state;
mod table;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mimi_mls::{Epoch, KeyPackageRef};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::RequestHash;
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;

use self::state::State;
use crate::limits::APPENDED_ROOMS_HELD_MAX;
use crate::{
    Batch, Claim, Claimed, Decide, EventLimit, EventRow, Head, KeyPackageRow, KeyRange, LaneRow, Lease,
    LeaseRow, LeaseTable, RoomRole, RoomRow, Row, RowKind, Seq, Store, StoreFault,
};

/// The store of simulations: nothing is durable, everything is deterministic.
///
/// Verbs take effect in the order in which they are first polled, and never wait. [`reopen`](Self::reopen) stands for
/// a crash: a store over the same data that knows nothing of the first one's readers.
#[derive(Debug)]
pub struct MemoryStore {
    disk: Arc<Mutex<Disk>>,
    appended: broadcast::Sender<RoomUri>,
}

/// A fault that a test wants the store to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// The verb stores nothing and is answered `Unavailable`.
    NothingStored,
    /// The verb is stored, and answered `Unavailable` all the same: the answer was lost.
    AnswerLost,
}

#[derive(Debug, Default)]
struct Disk {
    state: State,
    leases: LeaseTable,
    given_up: Arc<Notify>,
    faults: VecDeque<InjectedFault>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::over(Arc::default())
    }
}

impl MemoryStore {
    /// A store that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store over the same data, as after a crash.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self::over(Arc::clone(&self.disk))
    }

    /// Makes a verb fail: the next one, or the first behind those that are to fail already.
    pub fn fail_next(&self, fault: InjectedFault) {
        self.disk().faults.push_back(fault);
    }

    fn over(disk: Arc<Mutex<Disk>>) -> Self {
        let (appended, _) = broadcast::channel(APPENDED_ROOMS_HELD_MAX);
        Self { disk, appended }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit<T>(&self, verb: impl FnOnce(&mut State) -> Result<T, StoreFault>) -> Result<T, StoreFault> {
        let mut disk = self.disk();
        let fault = disk.faults.pop_front();
        if fault == Some(InjectedFault::NothingStored) {
            return Err(StoreFault::Unavailable("a test wants nothing stored".into()));
        }
        match verb(&mut disk.state) {
            Ok(_) if fault == Some(InjectedFault::AnswerLost) => {
                disk.state.commit();
                Err(StoreFault::Unavailable("a test wants the answer lost".into()))
            }
            Ok(answer) => {
                disk.state.commit();
                Ok(answer)
            }
            Err(conflict) => {
                disk.state.roll_back();
                Err(conflict)
            }
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn decide(&self, decide: Decide) -> Result<(), StoreFault> {
        let grown = (!decide.events.is_empty()).then(|| decide.room.clone());
        self.commit(|state| state.decide(decide))?;
        if let Some(room) = grown {
            // Nobody listening is no fault: who opens later reads the log.
            let _ = self.appended.send(room);
        }
        Ok(())
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreFault> {
        self.commit(|state| state.claim(claim))
    }

    async fn record(&self, batch: Batch) -> Result<(), StoreFault> {
        self.commit(|state| state.record(batch))
    }

    async fn room(&self, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault> {
        Ok(self.disk().state.rooms.get(room).cloned())
    }

    async fn rooms(&self, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault> {
        let disk = self.disk();
        let rooms = disk.state.rooms.iter().map(|(_, row)| row);
        Ok(rooms.filter(|row| role.is_none_or(|role| row.role == role)).map(|row| row.room.clone()).collect())
    }

    async fn head(&self, room: &RoomUri) -> Result<Option<Head>, StoreFault> {
        let disk = self.disk();
        let last = disk.state.events.range(log(room, Seq(0))).next_back();
        Ok(last.map(|(_, row)| Head { seq: row.seq, timestamp: row.timestamp }))
    }

    async fn events(
        &self,
        room: &RoomUri,
        from: Seq,
        limit: EventLimit,
    ) -> Result<Vec<EventRow>, StoreFault> {
        let disk = self.disk();
        let mut events = Vec::new();
        let mut bytes = 0;
        for (_, row) in disk.state.events.range(log(room, from)) {
            if !limit.admits(events.len(), bytes, row.bytes.len()) {
                break;
            }
            bytes += row.bytes.len();
            events.push(row.clone());
        }
        Ok(events)
    }

    async fn event_by_hash(
        &self,
        room: &RoomUri,
        request_hash: &RequestHash,
    ) -> Result<Option<EventRow>, StoreFault> {
        let disk = self.disk();
        let seq = disk.state.hashes.get(&(room.clone(), *request_hash));
        Ok(seq.and_then(|seq| disk.state.events.get(&(room.clone(), *seq))).cloned())
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>, StoreFault> {
        Ok(self.disk().state.lanes.iter().map(|(_, row)| row.clone()).collect())
    }

    async fn route(&self, room: &RoomUri, key_package: &KeyPackageRef) -> Result<Option<Domain>, StoreFault> {
        Ok(self.disk().state.routes.get(&(room.clone(), key_package.clone())).cloned())
    }

    async fn tree(&self, room: &RoomUri, epoch: Epoch) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.disk().state.trees.get(&(room.clone(), epoch)).cloned())
    }

    async fn key_package(&self, reference: &KeyPackageRef) -> Result<Option<KeyPackageRow>, StoreFault> {
        Ok(self.disk().state.key_packages.get(reference).cloned())
    }

    async fn row(&self, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault> {
        Ok(self.disk().state.rows.get(&(kind, key.to_vec())).cloned())
    }

    async fn rows(&self, kind: RowKind, range: KeyRange, limit: usize) -> Result<Vec<Row>, StoreFault> {
        let disk = self.disk();
        let rows = disk.state.rows.range((kind, range.from.clone())..);
        let inside = rows.take_while(|((of, key), _)| *of == kind && range.contains(key));
        Ok(inside.take(limit).map(|(_, row)| row.clone()).collect())
    }

    fn appended(&self) -> broadcast::Receiver<RoomUri> {
        self.appended.subscribe()
    }

    async fn lease(&self, lease: Lease) -> Result<Vec<LeaseRow>, StoreFault> {
        let mut disk = self.disk();
        if !lease.given_up.is_empty() {
            disk.given_up.notify_waiters();
        }
        Ok(disk.leases.apply(lease, Instant::now()))
    }

    async fn given_up(&self) {
        let given_up = Arc::clone(&self.disk().given_up);
        given_up.notified().await;
    }
}

fn log(room: &RoomUri, from: Seq) -> std::ops::RangeInclusive<(RoomUri, Seq)> {
    (room.clone(), from)..=(room.clone(), Seq(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample;

    struct SharedMemory(MemoryStore);

    #[async_trait]
    impl crate::contract::Disk for SharedMemory {
        async fn open(&self) -> Arc<dyn Store> {
            Arc::new(self.0.reopen())
        }
    }

    crate::contract_tests!(SharedMemory(MemoryStore::new()));

    #[tokio::test]
    async fn an_injected_fault_stores_nothing_and_only_hits_the_next_verb() {
        let store = MemoryStore::new();
        store.fail_next(InjectedFault::NothingStored);

        let failed = store.decide(sample::founding("r")).await;

        assert!(matches!(failed, Err(StoreFault::Unavailable(_))));
        assert_eq!(store.rooms(None).await.unwrap(), []);
        store.decide(sample::founding("r")).await.unwrap();
    }

    #[tokio::test]
    async fn a_lost_answer_hides_what_was_stored() {
        let store = MemoryStore::new();
        store.fail_next(InjectedFault::AnswerLost);

        let failed = store.decide(sample::founding("r")).await;

        assert!(matches!(failed, Err(StoreFault::Unavailable(_))));
        assert_eq!(store.rooms(None).await.unwrap(), [sample::room("r")]);
    }
}
