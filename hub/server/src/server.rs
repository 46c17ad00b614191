//! The server as a whole: its parts, what all requests share, how it starts and stops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mimi_edge_policy::Rules;
use mimi_mls::IdentityRoots;
use mimi_room::HubFacts;
use mimi_store::{EventRow, Store};
use mimi_transport::Outbound;
use mimi_uri::{Domain, RoomUri};
use mimi_wire::{Authority, Hub, Mint, RequestHash, Timestamp};
use tokio::sync::{RwLock, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::checks::Checks;
use crate::clock::SteadyClock;
use crate::endpoint::Endpoints;
use crate::failure::{Failure, Fault};
use crate::lanes::Lanes;
use crate::limits::OWNER_QUEUE_MAX;
use crate::local::LocalHub;
use crate::owner::{Ask, Owner, Reply};

/// What a server is made of.
pub struct ServerParts {
    /// The domain it serves.
    pub domain: Domain,
    /// Where other providers reach it: `a.example`, with a port if it is not 443.
    pub authority: Authority,
    /// Where everything is remembered.
    pub store: Arc<dyn Store>,
    /// The way to other providers.
    pub outbound: Outbound,
    /// Makes `KeyPackages` for the users of this domain.
    pub mint: Arc<dyn Mint>,
    /// What our hub puts into rooms and signs with, and our own identity roots.
    pub facts: HubFacts,
    /// The certificates of our identity CA, published to peers.
    pub identity_roots: Vec<Vec<u8>>,
    /// Who may reach whom.
    pub rules: Rules,
    /// The time of day.
    pub clock: Arc<dyn mimi_wire::Clock>,
}

/// The hub and follower of one domain.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

/// What all requests share.
pub(crate) struct Inner {
    pub(crate) domain: Domain,
    pub(crate) authority: Authority,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) outbound: Outbound,
    pub(crate) mint: Arc<dyn Mint>,
    pub(crate) identity_roots: Vec<Vec<u8>>,
    pub(crate) rules: Rules,
    pub(crate) lanes: Lanes,
    pub(crate) checks: Checks,
    clock: SteadyClock,
    facts: RwLock<Arc<HubFacts>>,
    owners: Mutex<HashMap<RoomUri, mpsc::Sender<Ask>>>,
    pub(crate) inboxes: crate::inbox::Inboxes,
    pub(crate) roots_fetched: Mutex<HashMap<Domain, Timestamp>>,
}

impl Server {
    /// Assembles a server; nothing runs yet.
    pub fn new(parts: ServerParts) -> Self {
        let inner = Inner {
            domain: parts.domain,
            authority: parts.authority,
            store: parts.store,
            outbound: parts.outbound,
            mint: parts.mint,
            identity_roots: parts.identity_roots,
            rules: parts.rules,
            lanes: Lanes::default(),
            checks: Checks::default(),
            clock: SteadyClock::new(parts.clock),
            facts: RwLock::new(Arc::new(parts.facts)),
            owners: Mutex::default(),
            inboxes: crate::inbox::Inboxes::default(),
            roots_fetched: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The endpoints, to be served behind mutual TLS.
    pub fn endpoints(&self) -> Endpoints {
        Endpoints::new(Arc::clone(&self.inner))
    }

    /// The way to any hub, our own included, for the gateway beside us.
    pub fn hub(&self) -> Arc<dyn Hub> {
        Arc::new(LocalHub::new(Arc::clone(&self.inner)))
    }

    /// Delivers to followers until `stop`.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), String> {
        self.inner.lanes.start(&self.inner, &stop).await.map_err(|fault| fault.to_string())?;
        stop.cancelled().await;
        Ok(())
    }
}

impl Inner {
    /// The time, unless the clocks disagree: a hub without a clock it trusts orders nothing.
    pub(crate) fn now(&self) -> Result<Timestamp, Failure> {
        self.clock.now().map_err(|skew| Failure::Fault(Fault::new(skew)))
    }

    pub(crate) async fn facts(&self) -> Arc<HubFacts> {
        Arc::clone(&*self.facts.read().await)
    }

    /// Takes over what another provider says of its identity roots.
    pub(crate) async fn learn_roots(&self, domain: &Domain, roots: &[Vec<u8>]) -> Result<(), Fault> {
        let mut facts = self.facts.write().await;
        let mut learned = HubFacts::clone(&facts);
        for root in roots {
            learned.roots.insert(domain, root.clone()).map_err(Fault::new)?;
        }
        *facts = Arc::new(learned);
        Ok(())
    }

    /// The identity roots that are known now.
    pub(crate) async fn known_roots(&self) -> IdentityRoots {
        self.facts().await.roots.clone()
    }

    /// Asks a room's owner, starting it if it is not there.
    pub(crate) async fn ask<T>(
        self: &Arc<Self>,
        room: &RoomUri,
        ask: impl FnOnce(Reply<T>) -> Ask,
    ) -> Result<T, Failure> {
        if room.domain() != &self.domain {
            return Err(Failure::NoSuchRoom);
        }
        let (reply, answer) = oneshot::channel();
        let mut ask = ask(reply);
        for _ in 0..OWNER_STARTS_MAX {
            match self.owner(room).try_send(ask) {
                Ok(()) => return answer.await.unwrap_or(Err(Failure::TryAgain)),
                Err(mpsc::error::TrySendError::Full(_)) => return Err(Failure::TryAgain),
                // It ended for lack of work just now; the next one is fresh.
                Err(mpsc::error::TrySendError::Closed(unasked)) => {
                    ask = unasked;
                    self.owners.lock().unwrap_or_else(PoisonError::into_inner).remove(room);
                }
            }
        }
        Err(Failure::TryAgain)
    }

    fn owner(self: &Arc<Self>, room: &RoomUri) -> mpsc::Sender<Ask> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let (asks, asked) = mpsc::channel(OWNER_QUEUE_MAX);
            tokio::spawn(Owner::new(Arc::clone(self), room.clone()).run(asked));
            asks
        };
        owners.entry(room.clone()).or_insert_with(start).clone()
    }

    /// The answer that a request got before, if the conflict that it met was with itself.
    pub(crate) async fn answered_before<T>(
        &self,
        room: &RoomUri,
        hash: &RequestHash,
        answer: fn(&EventRow) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self.store.event_by_hash(room, hash).await? {
            Some(event) => answer(&event),
            None => Err(Failure::TryAgain),
        }
    }
}

/// An owner may end between being found and being asked; more than once in a row it does not.
const OWNER_STARTS_MAX: usize = 3;
