//! The bridge as a whole: what it is made of, how it starts and how it stops.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mimi_adapter::{Adapter, Outcome, Session};
use mimi_client::vault::Vault;
use mimi_edge_policy::Rules;
use mimi_mls::IdentityRoots;
use mimi_store::{Batch, KeyRange, Next, Row, RowChange, RowKind, Runs, Store};
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{Clock, Hub, IdentityRootsDocument};
use tokio::sync::{Notify, RwLock, broadcast};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::intake::{Intake, Lane, Sequence};
use crate::limits::STORE_FAILED_PAUSE;
use crate::memory::{Attempts, FirstTries, LastPosts, ShownNames};
use crate::names::Networks;
use crate::progress::{RECEIPT, SHOWING};
use crate::room::Rooms;
use crate::rows::{INBOX, Key, LETTER, LinkId, OUTBOX, ROOTS};
use mimi_client::HubAgents;

use crate::sealing::Sealing;
use crate::troubles::{Queue, Troubles};

/// What a bridge is made of.
pub struct BridgeParts {
    /// The names of the networks, and which users of our domain live where.
    pub networks: Networks,
    /// Where everything is remembered.
    pub store: Arc<dyn Store>,
    /// The way to the hubs, our own included.
    pub hub: Arc<dyn Hub>,
    /// What our own hub puts into the rooms that we found.
    pub agents: HubAgents,
    /// Seals what is at rest.
    pub vault: Vault,
    /// Issues the certificates of hosted clients.
    pub authority: Arc<mimi_mls::IdentityAuthority>,
    /// The adapter instances by name.
    pub adapters: Vec<(String, Arc<dyn Adapter>)>,
    /// Who may reach whom.
    pub rules: Rules,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// The gateway between native networks and MIMI rooms.
pub struct Bridge {
    core: Arc<Core>,
}

/// An adapter instance with its current session, if it has one.
pub(crate) struct Instance {
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) session: RwLock<Option<Box<dyn Session>>>,
}

/// What all runs share.
pub(crate) struct Core {
    pub(crate) networks: Networks,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) hub: Arc<dyn Hub>,
    pub(crate) agents: HubAgents,
    pub(crate) vault: Vault,
    pub(crate) authority: Arc<mimi_mls::IdentityAuthority>,
    pub(crate) rules: Rules,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sealing: Sealing,
    pub(crate) sequence: Sequence,
    pub(crate) instances: HashMap<String, Instance>,
    pub(crate) rooms: Rooms,
    pub(crate) roots: RwLock<IdentityRoots>,
    pub(crate) attempts: Attempts,
    pub(crate) last_posts: LastPosts,
    pub(crate) shown_names: ShownNames,
    /// Told when the store failed: what it was given may be stored, though nobody acted on that.
    pub(crate) store_failed: Notify,
    pub(crate) troubles: Troubles,
    pub(crate) first_tries: FirstTries,
    runs: OnceLock<AllRuns>,
}

struct AllRuns {
    lanes: Runs<Lane>,
    rooms: Runs<RoomUri>,
    links: Runs<LinkId>,
    showings: Runs<LinkId>,
    reports: Runs<LinkId>,
}

impl Bridge {
    /// Assembles a bridge; nothing runs yet.
    pub async fn new(parts: BridgeParts) -> Result<Self, String> {
        let last = last_number(parts.store.as_ref()).await.map_err(|fault| fault.to_string())?;
        let instances = parts
            .adapters
            .into_iter()
            .map(|(name, adapter)| (name, Instance { adapter, session: RwLock::new(None) }))
            .collect();
        let core = Core {
            networks: parts.networks,
            sealing: Sealing::new(parts.vault.clone(), Arc::clone(&parts.store)),
            sequence: Sequence::after(last),
            store: parts.store,
            hub: parts.hub,
            agents: parts.agents,
            vault: parts.vault,
            authority: parts.authority,
            rules: parts.rules,
            clock: parts.clock,
            instances,
            rooms: Rooms::default(),
            roots: RwLock::default(),
            attempts: Attempts::default(),
            last_posts: LastPosts::default(),
            shown_names: ShownNames::default(),
            store_failed: Notify::new(),
            troubles: Troubles::default(),
            first_tries: FirstTries::default(),
            runs: OnceLock::new(),
        };
        Ok(Self { core: Arc::new(core) })
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Carries messages until `stop`, then closes the native sessions.
    pub async fn run(&self, stop: CancellationToken) {
        self.core.start_runs(&stop);
        let mut appended = self.core.store.appended();
        if let Err(fault) = self.core.wake_all().await {
            tracing::error!(%fault, "what was left undone at the last stop cannot be listed");
        }
        let watch = Arc::clone(&self.core);
        let watching = tokio::spawn({
            let stop = stop.clone();
            async move { watch.watch(stop).await }
        });
        let sessions: Vec<_> = self
            .core
            .instances
            .keys()
            .map(|name| tokio::spawn(Arc::clone(&self.core).keep_open(name.clone(), stop.clone())))
            .collect();
        let mut again_at = None;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.core.store_failed.notified(), if again_at.is_none() => {
                    again_at = Some(Instant::now() + STORE_FAILED_PAUSE);
                }
                () = sleep_until(again_at.unwrap_or_else(Instant::now)), if again_at.is_some() => {
                    again_at = self.core.wake_all().await.err().map(|_| Instant::now() + STORE_FAILED_PAUSE);
                }
                room = appended.recv() => match room {
                    Ok(room) => self.core.wake_room(room),
                    Err(broadcast::error::RecvError::Lagged(_)) => drop(self.core.wake_all().await),
                    Err(broadcast::error::RecvError::Closed) => break,
                },
            }
        }
        for session in sessions {
            drop(session.await);
        }
        drop(watching.await);
    }

    /// Whether every adapter instance has an open session.
    pub async fn is_ready(&self) -> bool {
        for instance in self.core.instances.values() {
            if instance.session.read().await.is_none() {
                return false;
            }
        }
        true
    }
}

impl Core {
    fn start_runs(self: &Arc<Self>, stop: &CancellationToken) {
        let (for_lanes, for_rooms, for_links) = (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        let (for_showings, for_reports) = (Arc::clone(self), Arc::clone(self));
        let runs = AllRuns {
            lanes: Runs::new(stop.clone(), move |lane: Lane| {
                let core = Arc::clone(&for_lanes);
                async move { core.report(Queue::Lane(lane.clone()), core.run_lane(&lane).await) }
            }),
            rooms: Runs::new(stop.clone(), move |room: RoomUri| {
                let core = Arc::clone(&for_rooms);
                async move { core.report(Queue::Room(room.clone()), core.run_room(&room).await) }
            }),
            links: Runs::new(stop.clone(), move |link: LinkId| {
                let core = Arc::clone(&for_links);
                async move { core.report(Queue::Link(link.clone()), core.run_link(&link).await) }
            }),
            showings: Runs::new(stop.clone(), move |link: LinkId| {
                let core = Arc::clone(&for_showings);
                async move { core.report(Queue::Showing(link.clone()), core.run_showing(&link).await) }
            }),
            reports: Runs::new(stop.clone(), move |link: LinkId| {
                let core = Arc::clone(&for_reports);
                async move { core.report(Queue::Report(link.clone()), core.run_report(&link).await) }
            }),
        };
        drop(self.runs.set(runs));
    }

    /// Notes what was in the way of a run, or that nothing was.
    fn report(&self, queue: Queue, result: Result<Next, Fault>) -> Next {
        match result {
            Ok(next @ (Next::Rest | Next::Again)) => {
                self.troubles.clear(&queue);
                next
            }
            // It waits for a reason that it has noted itself.
            Ok(next @ (Next::BackOff | Next::After(_))) => next,
            Err(fault) => {
                if matches!(fault, Fault::Store(_)) {
                    self.store_failed.notify_one();
                }
                if !matches!(fault, Fault::Overtaken) {
                    tracing::warn!(?queue, %fault, "will be tried again");
                    self.troubles.note(queue, &fault.to_string(), false, self.clock.now().0);
                }
                fault.next()
            }
        }
    }

    /// Tries a queue again now, whatever it waits for.
    pub(crate) fn hurry(&self, queue: &Queue) {
        let Some(runs) = self.runs.get() else { return };
        match queue.clone() {
            Queue::Lane(lane) => runs.lanes.hurry(lane),
            Queue::Room(room) => runs.rooms.hurry(room),
            Queue::Link(link) => runs.links.hurry(link),
            Queue::Showing(link) => runs.showings.hurry(link),
            Queue::Report(link) => runs.reports.hurry(link),
        }
    }

    /// How long a queue waits before it is tried again.
    pub(crate) fn waits(&self, queue: &Queue) -> Option<Duration> {
        let runs = self.runs.get()?;
        match queue {
            Queue::Lane(lane) => runs.lanes.waits(lane),
            Queue::Room(room) => runs.rooms.waits(room),
            Queue::Link(link) => runs.links.waits(link),
            Queue::Showing(link) => runs.showings.waits(link),
            Queue::Report(link) => runs.reports.waits(link),
        }
    }

    pub(crate) fn wake_lane(&self, lane: Lane) {
        if let Some(runs) = self.runs.get() {
            runs.lanes.wake(lane);
        }
    }

    pub(crate) fn wake_room(&self, room: RoomUri) {
        if let Some(runs) = self.runs.get() {
            runs.rooms.wake(room);
        }
    }

    /// Wakes a room after a while, besides whatever wakes it before.
    pub(crate) fn wake_room_after(&self, room: RoomUri, wait: Duration) {
        if let Some(runs) = self.runs.get() {
            let rooms = runs.rooms.clone();
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                rooms.wake(room);
            });
        }
    }

    pub(crate) fn wake_link(&self, link: LinkId) {
        if let Some(runs) = self.runs.get() {
            runs.links.wake(link);
        }
    }

    pub(crate) fn wake_showing(&self, link: LinkId) {
        if let Some(runs) = self.runs.get() {
            runs.showings.wake(link);
        }
    }

    pub(crate) fn wake_report(&self, link: LinkId) {
        if let Some(runs) = self.runs.get() {
            runs.reports.wake(link);
        }
    }

    /// Finds everything that has something to do.
    async fn wake_all(self: &Arc<Self>) -> Result<(), Fault> {
        for key in self.keys(INBOX).await? {
            if let Some((parts, _)) = Key::read(&key, 2) {
                let text = |at: usize| String::from_utf8_lossy(parts[at]).into_owned();
                self.wake_lane(Lane { adapter: text(0), room: text(1).into() });
            }
        }
        for key in self.keys(OUTBOX).await? {
            if let Some((parts, _)) = Key::read(&key, 1) {
                self.wake_link(LinkId(String::from_utf8_lossy(parts[0]).into_owned()));
            }
        }
        for (kind, wake) in [(SHOWING, Self::wake_showing as fn(&Self, LinkId)), (RECEIPT, Self::wake_report)]
        {
            for key in self.keys(kind).await? {
                if let Some(parts) = Key::parts(&key, 2) {
                    wake(self, LinkId(String::from_utf8_lossy(parts[0]).into_owned()));
                }
            }
        }
        self.wake_rooms();
        Ok(())
    }

    async fn keys(&self, kind: RowKind) -> Result<Vec<Vec<u8>>, Fault> {
        all_keys(self.store.as_ref(), kind).await
    }

    /// Sees to it that a provider's identity roots are known.
    pub(crate) async fn know_roots(&self, domain: &Domain) -> Result<(), Fault> {
        if !self.roots.read().await.of(domain).is_empty() {
            return Ok(());
        }
        let known = self.roots_of(domain).await?;
        let mut roots = self.roots.write().await;
        for root in known {
            roots.insert(domain, root).map_err(|fault| Fault::Group(fault.to_string()))?;
        }
        Ok(())
    }

    /// Keeps an adapter instance's session open until `stop`.
    async fn keep_open(self: Arc<Self>, name: String, stop: CancellationToken) {
        let Some(instance) = self.instances.get(&name) else { return };
        let mut delay = mimi_store::limits::RETRY_DELAY_MIN;
        loop {
            let host = Arc::new(Intake::new(Arc::clone(&self), name.clone()));
            match instance.adapter.open(host).await {
                Ok(session) => {
                    *instance.session.write().await = Some(session);
                    break;
                }
                Err(fault) => {
                    tracing::warn!(adapter = %name, %fault, "the native network cannot be reached yet");
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(delay) => delay = (delay * 2).min(mimi_store::limits::RETRY_DELAY_MAX),
            }
        }
        stop.cancelled().await;
        if let Some(session) = instance.session.write().await.take() {
            session.close().await;
        }
    }

    /// A provider's roots as they were learnt before, or from the provider itself.
    async fn roots_of(&self, domain: &Domain) -> Result<Vec<Vec<u8>>, Fault> {
        let key = domain.as_str().as_bytes();
        if let Some(row) = self.store.row(ROOTS, key).await? {
            let stored =
                IdentityRootsDocument::decode(&row.bytes).map_err(|fault| Fault::Group(fault.to_string()))?;
            return Ok(stored.roots);
        }
        let asked = self.hub.identity_roots(domain).await;
        let roots = asked.map_err(|fault| Fault::Unreachable(fault.to_string()))?;
        let bytes = IdentityRootsDocument { roots: roots.clone() }.encode();
        let put = RowChange::Put { kind: ROOTS, key: key.to_vec(), expected: None, bytes };
        self.store.record(Batch { rows: vec![put], ..Batch::default() }).await?;
        Ok(roots)
    }

    /// Hands an operation to an adapter instance.
    pub(crate) async fn deliver(&self, adapter: &str, delivery: mimi_adapter::Delivery) -> Outcome {
        let Some(instance) = self.instances.get(adapter) else {
            return Outcome::Broken { why: format!("no adapter named {adapter} is configured") };
        };
        match instance.session.read().await.as_ref() {
            Some(session) => session.deliver(delivery).await,
            None => Outcome::Broken { why: format!("{adapter} is not connected") },
        }
    }
}

/// Rows listed at once.
pub(crate) const PAGE: usize = 1000;

/// The highest number that a queue row has, so that what comes sorts behind it.
async fn last_number(store: &dyn Store) -> Result<u64, Fault> {
    let mut last = 0;
    for (kind, parts) in [(INBOX, 2), (OUTBOX, 1), (LETTER, 1)] {
        let keys = all_keys(store, kind).await?;
        last = keys
            .iter()
            .filter_map(|key| Key::read(key, parts))
            .map(|(_, number)| number)
            .fold(last, u64::max);
    }
    Ok(last)
}

async fn all_keys(store: &dyn Store, kind: RowKind) -> Result<Vec<Vec<u8>>, Fault> {
    Ok(all_rows(store, kind, KeyRange::all()).await?.into_iter().map(|row| row.key).collect())
}

pub(crate) async fn all_rows(
    store: &dyn Store,
    kind: RowKind,
    mut range: KeyRange,
) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    loop {
        let page = store.rows(kind, range.clone(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        range = range.behind(&last.key);
        rows.extend(page);
    }
}
