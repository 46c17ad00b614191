//! The durable medium of a simulated machine, and the store over it.
//!
//! The store commits as the real ones do: what waits is committed together, after a while; a crash before loses it, a
//! crash after loses only the answer. Reads take time, too.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use mimi_mls::{Epoch, KeyPackageRef};
use mimi_store::{
    Batch, Claim, Claimed, Decide, EventLimit, EventRow, Head, KeyPackageRow, KeyRange, LaneRow, MemoryStore,
    RoomRole, RoomRow, Row, RowChange, RowKind, Seq, Store, StoreFault,
};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::RequestHash;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::dice::Dice;
use crate::mutant::Mutant;
use crate::plan::DiskPlan;
use crate::trace::Trace;

/// What a machine has left after a crash.
#[derive(Clone)]
pub(crate) struct Disk {
    memory: Arc<MemoryStore>,
    plan: Arc<Mutex<DiskPlan>>,
    name: &'static str,
    trace: Trace,
    mutant: Arc<Mutex<Option<Mutant>>>,
}

impl Disk {
    pub(crate) fn new(name: &'static str, plan: DiskPlan, trace: Trace, mutant: Option<Mutant>) -> Self {
        let (memory, plan) = (Arc::new(MemoryStore::new()), Arc::new(Mutex::new(plan)));
        Self { memory, plan, name, trace, mutant: Arc::new(Mutex::new(mutant)) }
    }

    /// From now on nothing fails any more.
    pub(crate) fn mend(&self) {
        self.plan().failing_percent = 0;
    }

    /// A look at what is stored, that takes no time.
    pub(crate) fn look(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.memory)
    }

    /// A store over it, for a machine that starts.
    pub(crate) fn open(&self, dice: Dice) -> Arc<dyn Store> {
        let memory = Arc::new(self.memory.reopen());
        let (queue, waiting) = mpsc::unbounded_channel();
        let writer = Writer { disk: self.clone(), memory: Arc::clone(&memory), dice: dice.clone(), waiting };
        tokio::spawn(writer.run());
        Arc::new(SlowStore { memory, queue, plan: Arc::clone(&self.plan), dice: Mutex::new(dice) })
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, DiskPlan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change that waits for its commit, with where the answer goes.
enum Verb {
    Decide(Decide, oneshot::Sender<Result<(), StoreFault>>),
    Claim(Claim, oneshot::Sender<Result<Claimed, StoreFault>>),
    Record(Batch, oneshot::Sender<Result<(), StoreFault>>),
}

struct SlowStore {
    memory: Arc<MemoryStore>,
    queue: mpsc::UnboundedSender<Verb>,
    plan: Arc<Mutex<DiskPlan>>,
    dice: Mutex<Dice>,
}

impl SlowStore {
    /// Some reads wait.
    async fn seek(&self) {
        let wait = {
            let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
            let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
            dice.percent(plan.slow_read_percent).then(|| dice.millis(1..=plan.read_ms_max))
        };
        if let Some(wait) = wait {
            tokio::time::sleep(wait).await;
        }
    }

    async fn commit<T>(
        &self,
        verb: impl FnOnce(oneshot::Sender<Result<T, StoreFault>>) -> Verb,
    ) -> Result<T, StoreFault> {
        let (answer, answered) = oneshot::channel();
        let gone = || StoreFault::Unavailable("the writer is gone".to_owned());
        self.queue.send(verb(answer)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

struct Writer {
    disk: Disk,
    memory: Arc<MemoryStore>,
    dice: Dice,
    waiting: mpsc::UnboundedReceiver<Verb>,
}

impl Writer {
    async fn run(mut self) {
        while let Some(first) = self.waiting.recv().await {
            let mut verbs = vec![first];
            while let Ok(verb) = self.waiting.try_recv() {
                verbs.push(verb);
            }
            let most = self.disk.plan().commit_ms_max;
            tokio::time::sleep(self.dice.millis(1..=most)).await;
            let mut answers: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
            for verb in verbs {
                answers.push(self.apply(verb).await);
            }
            if self.dice.percent(30) {
                tokio::time::sleep(self.dice.millis(1..=most)).await;
            }
            for answer in answers {
                answer();
            }
        }
    }

    async fn apply(&mut self, verb: Verb) -> Box<dyn FnOnce() + Send> {
        let fails = self.dice.percent(self.disk.plan().failing_percent);
        let is_stored = !fails || self.dice.percent(50);
        match verb {
            Verb::Decide(mut decide, answer) => {
                self.mutate_log(&mut decide);
                let told = format!("decide {} +{}", decide.room.path(), decide.events.len());
                let result = if is_stored { self.memory.decide(decide).await } else { Ok(()) };
                self.answer(&told, fails, result, answer)
            }
            Verb::Claim(claim, answer) => {
                let result = if is_stored { Some(self.memory.claim(claim).await) } else { None };
                let result = result.unwrap_or_else(|| Err(broken()));
                self.answer("claim", fails, result, answer)
            }
            Verb::Record(batch, answer) => {
                let told = told(&batch);
                let is_stored = is_stored && !self.forgets(&batch);
                let result = if is_stored { self.memory.record(batch).await } else { Ok(()) };
                self.answer(&told, fails, result, answer)
            }
        }
    }

    fn answer<T: Send + 'static>(
        &self,
        told: &str,
        fails: bool,
        result: Result<T, StoreFault>,
        answer: oneshot::Sender<Result<T, StoreFault>>,
    ) -> Box<dyn FnOnce() + Send> {
        let result = if fails { Err(broken()) } else { result };
        let how = match &result {
            Ok(_) => "ok",
            Err(StoreFault::Conflict) => "conflict",
            Err(StoreFault::Unavailable(_)) => "unavailable",
        };
        self.disk.trace.note(self.disk.name, &format_args!("{told} {how}"));
        Box::new(move || drop(answer.send(result)))
    }

    /// The mutant that acknowledges a native event and forgets it.
    fn forgets(&self, batch: &Batch) -> bool {
        let mut mutant = self.disk.mutant.lock().unwrap_or_else(PoisonError::into_inner);
        let takes_in = batch
            .rows
            .iter()
            .any(|change| matches!(change, RowChange::Insert { kind, .. } if *kind == RowKind("event")));
        let forgets = takes_in && mutant.is_some_and(|mutant| mutant == Mutant::ForgetsARow);
        if forgets {
            *mutant = None;
        }
        forgets
    }

    /// The mutant whose follower stores two events of a batch the wrong way round.
    fn mutate_log(&self, decide: &mut Decide) {
        let mut mutant = self.disk.mutant.lock().unwrap_or_else(PoisonError::into_inner);
        let is_one = mutant.is_some_and(|mutant| mutant == Mutant::SwapsTheLog);
        if is_one && decide.role == RoomRole::Follower && decide.events.len() > 1 {
            let bytes = decide.events[0].bytes.clone();
            decide.events[0].bytes = std::mem::replace(&mut decide.events[1].bytes, bytes);
            *mutant = None;
        }
    }
}

fn broken() -> StoreFault {
    StoreFault::Unavailable("the disk fails".to_owned())
}

/// What a batch is about: kinds of rows, and how many.
fn told(batch: &Batch) -> String {
    let rows = batch.rows.iter().map(|change| match change {
        RowChange::Insert { kind, .. } => format!("+{}", kind.0),
        RowChange::Put { kind, .. } => format!("={}", kind.0),
        RowChange::Delete { kind, .. } => format!("-{}", kind.0),
    });
    format!("record {} lanes {}", rows.collect::<Vec<_>>().join(" "), batch.lanes.len())
}

#[async_trait]
impl Store for SlowStore {
    async fn decide(&self, decide: Decide) -> Result<(), StoreFault> {
        self.commit(|answer| Verb::Decide(decide, answer)).await
    }

    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreFault> {
        self.commit(|answer| Verb::Claim(claim, answer)).await
    }

    async fn record(&self, batch: Batch) -> Result<(), StoreFault> {
        self.commit(|answer| Verb::Record(batch, answer)).await
    }

    async fn room(&self, room: &RoomUri) -> Result<Option<RoomRow>, StoreFault> {
        self.seek().await;
        self.memory.room(room).await
    }

    async fn rooms(&self, role: Option<RoomRole>) -> Result<Vec<RoomUri>, StoreFault> {
        self.seek().await;
        self.memory.rooms(role).await
    }

    async fn head(&self, room: &RoomUri) -> Result<Option<Head>, StoreFault> {
        self.seek().await;
        self.memory.head(room).await
    }

    async fn events(
        &self,
        room: &RoomUri,
        from: Seq,
        limit: EventLimit,
    ) -> Result<Vec<EventRow>, StoreFault> {
        self.seek().await;
        self.memory.events(room, from, limit).await
    }

    async fn event_by_hash(
        &self,
        room: &RoomUri,
        request_hash: &RequestHash,
    ) -> Result<Option<EventRow>, StoreFault> {
        self.seek().await;
        self.memory.event_by_hash(room, request_hash).await
    }

    async fn lanes(&self) -> Result<Vec<LaneRow>, StoreFault> {
        self.memory.lanes().await
    }

    async fn route(&self, room: &RoomUri, key_package: &KeyPackageRef) -> Result<Option<Domain>, StoreFault> {
        self.memory.route(room, key_package).await
    }

    async fn tree(&self, room: &RoomUri, epoch: Epoch) -> Result<Option<Vec<u8>>, StoreFault> {
        self.memory.tree(room, epoch).await
    }

    async fn key_package(&self, reference: &KeyPackageRef) -> Result<Option<KeyPackageRow>, StoreFault> {
        self.seek().await;
        self.memory.key_package(reference).await
    }

    async fn row(&self, kind: RowKind, key: &[u8]) -> Result<Option<Row>, StoreFault> {
        self.seek().await;
        self.memory.row(kind, key).await
    }

    async fn rows(&self, kind: RowKind, range: KeyRange, limit: usize) -> Result<Vec<Row>, StoreFault> {
        self.seek().await;
        self.memory.rows(kind, range, limit).await
    }

    fn appended(&self) -> broadcast::Receiver<RoomUri> {
        self.memory.appended()
    }
}
