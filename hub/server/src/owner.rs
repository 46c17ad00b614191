//! The owner of a room: the one task that holds it, decides in order, and answers after the commit.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::stream::{FuturesOrdered, StreamExt};
use mimi_room::{Decision, Refusal, Room};
use mimi_store::{Decide, EventRow, RoomRole, RoomState, RoomVersion, Seq, StoreFault, fail_point};
use mimi_uri::{Domain, RoomUri, UserUri};
use mimi_wire::{
    CreateRoomRequest, CreateRoomResponse, GroupInfoRequest, GroupInfoResponse, KeyMaterialRequest,
    KeyMaterialResponse, RequestHash, SubmitMessageRequest, SubmitMessageResponse, UpdateRequest,
    UpdateRoomResponse,
};
use tokio::sync::{mpsc, oneshot};

use crate::answers;
use crate::effects;
use crate::failure::{Failure, Fault};
use crate::limits::{DECISIONS_IN_FLIGHT_MAX, OWNER_IDLE};
use crate::server::Inner;

/// What a room's owner is asked, each with where the answer goes.
pub(crate) enum Ask {
    /// Found the room.
    Create(Box<CreateRoomRequest>, Reply<CreateRoomResponse>),
    /// Accept or refuse a handshake.
    Update(Asker, Box<UpdateRequest>, Reply<UpdateRoomResponse>),
    /// Accept or refuse a message.
    Submit(Asker, Box<SubmitMessageRequest>, Reply<SubmitMessageResponse>),
    /// May this key material be asked for, for this room?
    AuthorizeKeyMaterial(Domain, Box<KeyMaterialRequest>, Reply<()>),
    /// Give a user's client what it needs to come back.
    GroupInfo(Domain, UserUri, Box<GroupInfoRequest>, Reply<GroupInfoResponse>),
    /// Remember which provider issued what.
    RecordKeyMaterial(Box<(KeyMaterialRequest, KeyMaterialResponse)>, Reply<()>),
}

/// Who asks, and by which bytes.
pub(crate) struct Asker {
    pub(crate) provider: Domain,
    pub(crate) hash: RequestHash,
}

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Failure>>;

type Commit = std::pin::Pin<Box<dyn Future<Output = bool> + Send>>;

/// The room as its owner holds it.
struct Held {
    room: Room,
    version: RoomVersion,
}

pub(crate) struct Owner {
    inner: Arc<Inner>,
    uri: RoomUri,
    held: Option<Held>,
    commits: FuturesOrdered<Commit>,
}

impl Owner {
    pub(crate) fn new(inner: Arc<Inner>, uri: RoomUri) -> Self {
        Self { inner, uri, held: None, commits: FuturesOrdered::new() }
    }

    /// Decides what is asked, in order, until nobody asks any more.
    pub(crate) async fn run(mut self, mut asks: mpsc::Receiver<Ask>) {
        loop {
            tokio::select! {
                biased;
                Some(stored) = self.commits.next(), if !self.commits.is_empty() => {
                    if !stored {
                        self.drop_held().await;
                    }
                }
                ask = asks.recv(), if self.commits.len() < DECISIONS_IN_FLIGHT_MAX => match ask {
                    Some(ask) => self.handle(ask).await,
                    None => break,
                },
                () = tokio::time::sleep(OWNER_IDLE), if self.commits.is_empty() => {
                    asks.close();
                }
            }
        }
        while self.commits.next().await.is_some() {}
    }

    /// Memory is ahead of the store. What is on its way was decided on that memory, and takes its places in the log;
    /// the room is loaded anew behind it, or the next event would get a place that lanes have passed already.
    async fn drop_held(&mut self) {
        self.settle().await;
        self.held = None;
    }

    /// Waits for all that is on its way; whether all of it was stored.
    async fn settle(&mut self) -> bool {
        let mut all_stored = true;
        while let Some(stored) = self.commits.next().await {
            all_stored &= stored;
        }
        all_stored
    }

    async fn handle(&mut self, ask: Ask) {
        match ask {
            Ask::Create(request, reply) => self.create(&request, reply).await,
            Ask::Update(asker, request, reply) => self.update(asker, *request, reply).await,
            Ask::Submit(asker, request, reply) => self.submit(asker, &request, reply).await,
            Ask::AuthorizeKeyMaterial(provider, request, reply) => {
                let result = match self.hold().await {
                    Ok(held) => held.room.authorize_key_material(&provider, &request).map_err(Failure::from),
                    Err(failure) => Err(failure),
                };
                drop(reply.send(result));
            }
            Ask::GroupInfo(provider, user, request, reply) => {
                self.group_info((provider, user), *request, reply).await;
            }
            Ask::RecordKeyMaterial(exchange, reply) => self.record_key_material(&exchange, reply).await,
        }
    }

    /// The room, loaded if it is not held.
    async fn hold(&mut self) -> Result<&mut Held, Failure> {
        if self.held.is_none() {
            let row = self.inner.store.room(&self.uri).await?.ok_or(Failure::NoSuchRoom)?;
            if row.role != RoomRole::Hub {
                return Err(Failure::NoSuchRoom);
            }
            let mut room = Room::load(self.uri.clone(), &row.header, row.group).map_err(Fault::new)?;
            if let Some(head) = self.inner.store.head(&self.uri).await? {
                room.advance(head.seq.0, head.timestamp);
            }
            self.held = Some(Held { room, version: row.version });
        }
        self.held.as_mut().ok_or(Failure::NoSuchRoom)
    }

    async fn create(&mut self, request: &CreateRoomRequest, reply: Reply<CreateRoomResponse>) {
        let hash = founding_hash(request);
        if let Ok(held) = self.hold().await {
            let answer = match held.room.founded_by(&hash) {
                Some(accepted) => CreateRoomResponse::Created { accepted },
                None => CreateRoomResponse::Refused("a room of this name exists".to_owned()),
            };
            drop(reply.send(Ok(answer)));
            return;
        }
        let now = match self.inner.now() {
            Ok(now) => now,
            Err(failure) => return drop(reply.send(Err(failure))),
        };
        let facts = self.inner.facts().await;
        match Room::create(&facts, request, &hash, now) {
            Ok((room, effects)) => {
                let mut decide = Decide::new(self.uri.clone(), RoomRole::Hub, None);
                effects::fill(&mut decide, effects, None);
                decide.state = Some(RoomState { header: room.header_bytes(), group: room.group_bytes() });
                self.held = Some(Held { room, version: RoomVersion::FIRST });
                self.commit(decide, reply, CreateRoomResponse::Created { accepted: now });
            }
            Err(refusal) => drop(reply.send(Ok(CreateRoomResponse::Refused(refusal.to_string())))),
        }
    }

    async fn submit(
        &mut self,
        asker: Asker,
        request: &SubmitMessageRequest,
        reply: Reply<SubmitMessageResponse>,
    ) {
        let decided = match (self.inner.now(), self.hold().await) {
            (Ok(now), Ok(_)) => {
                let facts = self.inner.facts().await;
                self.held.as_mut().map(|held| held.room.submit(&facts, &asker.provider, request, now))
            }
            (Err(failure), _) | (_, Err(failure)) => return drop(reply.send(Err(failure))),
        };
        match decided {
            Some(Ok(decision)) => self.accept(asker.hash, decision, reply, answers::submitted),
            Some(Err(refusal)) => self.refuse(asker.hash, refusal, reply, answers::submitted).await,
            None => drop(reply.send(Err(Failure::NoSuchRoom))),
        }
    }

    /// Of the epoch that is stored: what a joiner builds on must not be undone. The group is read, and sealed for him, on
    /// the bounded pool.
    async fn group_info(
        &mut self,
        (provider, user): (Domain, UserUri),
        request: GroupInfoRequest,
        reply: Reply<GroupInfoResponse>,
    ) {
        if !self.settle().await {
            self.held = None;
        }
        if let Err(failure) = self.hold().await {
            return drop(reply.send(Err(failure)));
        }
        let facts = self.inner.facts().await;
        let given = self.on_pool(move |room| room.group_info(&facts, &provider, &user, &request)).await;
        drop(reply.send(match given {
            Ok(Ok(given)) => given.map_err(Failure::from),
            Ok(Err(fault)) => Err(Failure::Fault(Fault::new(fault))),
            Err(failure) => Err(failure),
        }));
    }

    /// Has the room do something on the bounded pool, the owner waiting. What has faulted may be half changed, and is
    /// dropped.
    async fn on_pool<R: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Room) -> Result<R, mimi_room::Fault> + Send + 'static,
    ) -> Result<Result<R, mimi_room::Fault>, Failure> {
        let mut held = self.held.take().ok_or(Failure::NoSuchRoom)?;
        let acted = self.inner.checks.run(move || {
            let acted = act(&mut held.room);
            (held, acted)
        });
        let (held, acted) = acted.await?;
        if acted.is_ok() {
            self.held = Some(held);
        }
        Ok(acted)
    }

    /// A handshake is checked on the bounded pool, the owner waiting: the next decision depends on it.
    async fn update(&mut self, asker: Asker, request: UpdateRequest, reply: Reply<UpdateRoomResponse>) {
        let now = match (self.inner.now(), self.hold().await) {
            (Ok(now), Ok(_)) => now,
            (Err(failure), _) | (_, Err(failure)) => return drop(reply.send(Err(failure))),
        };
        let facts = self.inner.facts().await;
        let provider = asker.provider.clone();
        let decided = self.on_pool(move |room| room.update(&facts, &provider, &request, now)).await;
        let decided = match decided {
            Ok(decided) => decided,
            Err(failure) => return drop(reply.send(Err(failure))),
        };
        match decided {
            Ok(Ok(decision)) => self.accept(asker.hash, decision, reply, answers::updated),
            Ok(Err(Refusal::UnknownRoots(domain))) => {
                let fetched = self.inner.fetch_roots(&domain).await;
                tracing::info!(%domain, fetched, "identity roots were missing");
                drop(reply.send(Err(Failure::TryAgain)));
            }
            Ok(Err(refusal)) => self.refuse(asker.hash, refusal, reply, answers::updated).await,
            Err(fault) => drop(reply.send(Err(Failure::Fault(Fault::new(fault))))),
        }
    }

    async fn record_key_material(
        &mut self,
        exchange: &(KeyMaterialRequest, KeyMaterialResponse),
        reply: Reply<()>,
    ) {
        let uri = self.uri.clone();
        match self.hold().await {
            Ok(held) => {
                let effects = held.room.record_key_material(&exchange.0, &exchange.1);
                let mut decide = Decide::new(uri, RoomRole::Hub, Some(held.version));
                effects::fill(&mut decide, effects, None);
                self.commit(decide, reply, ());
            }
            Err(failure) => drop(reply.send(Err(failure))),
        }
    }

    fn accept<T: Send + 'static>(
        &mut self,
        hash: RequestHash,
        decision: Decision<T>,
        reply: Reply<T>,
        answer: fn(&EventRow) -> Result<T, Failure>,
    ) {
        let Some(held) = self.held.as_mut() else { return };
        let mut decide = Decide::new(self.uri.clone(), RoomRole::Hub, Some(held.version));
        if decision.effects.state_changed {
            decide.state =
                Some(RoomState { header: held.room.header_bytes(), group: held.room.group_bytes() });
            held.version = held.version.next();
        }
        effects::fill(&mut decide, decision.effects, Some(hash));
        let (inner, uri, accepted) = (Arc::clone(&self.inner), self.uri.clone(), decision.answer);
        let stored = self.stored(decide);
        self.commits.push_back(Box::pin(async move {
            let (answered, stands) = match stored.await {
                Ok(()) => (Ok(accepted), true),
                Err(StoreFault::Conflict) => (inner.answered_before(&uri, &hash, answer).await, false),
                Err(fault) => (Err(fault.into()), false),
            };
            drop(reply.send(answered));
            stands
        }));
    }

    /// Hands a decision to the store. Polled once now, so that the store takes decisions in the order in which they
    /// were made; the room's lanes hear of it as soon as it is stored.
    fn stored(&self, decide: Decide) -> impl Future<Output = Result<(), StoreFault>> + Send + use<> {
        let (inner, uri, lanes) = (Arc::clone(&self.inner), self.uri.clone(), decide.lanes.clone());
        let first = decide.events.first().map(|event| (event.seq, event.request_hash));
        let mut storing = Box::pin(async move {
            fail_point("decision.made");
            let stored = inner.store.decide(decide).await;
            fail_point("decision.stored");
            if stored.is_ok() || inner.was_stored(&uri, first, &stored).await {
                inner.lanes.changed(&uri, &lanes);
            }
            stored
        });
        let first = (&mut storing).now_or_never();
        async move {
            match first {
                Some(result) => result,
                None => storing.await,
            }
        }
    }

    /// A refusal may answer a repetition of something accepted: then the first answer counts.
    async fn refuse<T: Send + 'static>(
        &mut self,
        hash: RequestHash,
        refusal: Refusal,
        reply: Reply<T>,
        answer: fn(&EventRow) -> Result<T, Failure>,
    ) {
        // What it repeats may be on its way; and what it is refused for may not have come to be.
        if !self.settle().await {
            self.held = None;
            return drop(reply.send(Err(Failure::TryAgain)));
        }
        let before = self.inner.store.event_by_hash(&self.uri, &hash).await;
        drop(reply.send(match before {
            Ok(Some(event)) => answer(&event),
            Ok(None) => Err(refusal.into()),
            Err(fault) => Err(fault.into()),
        }));
    }

    fn commit<T: Send + 'static>(&mut self, decide: Decide, reply: Reply<T>, answer: T) {
        let stored = self.stored(decide);
        self.commits.push_back(Box::pin(async move {
            let result = stored.await;
            let stands = result.is_ok();
            drop(reply.send(result.map(|()| answer).map_err(Failure::from)));
            stands
        }));
    }
}

impl Inner {
    /// Whether a decision was stored although the store says that it failed: its followers must not wait for a restart.
    async fn was_stored(
        &self,
        room: &RoomUri,
        first: Option<(Seq, Option<RequestHash>)>,
        stored: &Result<(), StoreFault>,
    ) -> bool {
        match (stored, first) {
            (Err(StoreFault::Unavailable(_)), Some((seq, Some(hash)))) => {
                let found = self.store.event_by_hash(room, &hash).await;
                matches!(found, Ok(Some(event)) if event.seq == seq)
            }
            (_, _) => false,
        }
    }
}

/// By this hash the same founding is known again; the request has no encoding of its own, for it never travels.
fn founding_hash(request: &CreateRoomRequest) -> RequestHash {
    let CreateRoomRequest { room, creator, group_info, ratchet_tree } = request;
    let parts = [room.as_str().as_bytes(), creator.as_str().as_bytes(), group_info, ratchet_tree];
    RequestHash::of(&parts.map(|part| RequestHash::of(part).0).concat())
}
