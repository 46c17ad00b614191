//! A hub with a room, and gateways that follow it exactly as the lanes deliver it.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use mimi_mls::hosted::{CommitPlan, Founding, HostedRoom, NewRoom, OwnCommit};
use mimi_mls::hub::ExternalSender;
use mimi_mls::{
    FRANK_AAD, HostedClient, IdentityAuthority, IdentityRoots, LeafIndex, MessageKind, MlsMessage,
    SigningKey, mint_key_package,
};
use mimi_room::{
    Audience, Decision, Effects, Envelope, EventKind, FrankingKeys, HubFacts, LaneChange, PolicyComponents,
    Reason, Refusal, Room, RoomEvent, Verdict,
};
use mimi_room_policy::components::{
    OperationalParameters, ParticipantListUpdate, UserIndexRolePair, UserRolePair,
};
use mimi_room_policy::template;
use mimi_room_policy::{ComponentId, RoleIndex};
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::{
    CreateRoomRequest, FanoutEvent, GroupInfoOption, HandshakeBundle, HubKey, RatchetTreeOption, RequestHash,
    SubmitMessageRequest, SubmitMessageResponse, Timestamp, UpdateRequest, UpdateRoomResponse,
};

pub(crate) const HUB: &str = "a.example";
pub(crate) const PROVIDERS: [&str; 3] = [HUB, "b.example", "c.example"];

pub(crate) fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

/// `alice@a` is `mimi://a.example/u/alice`.
pub(crate) fn user(address: &str) -> UserUri {
    let (name, provider) = address.split_once('@').unwrap();
    UserUri::new(&domain(&format!("{provider}.example")), &[name]).unwrap()
}

pub(crate) fn room_uri() -> RoomUri {
    RoomUri::new(&domain(HUB), &["room"]).unwrap()
}

pub(crate) fn now() -> Timestamp {
    Timestamp(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

/// The gateway of one provider: it reads the room for all its users.
#[derive(Default)]
pub(crate) struct Gateway {
    pub(crate) room: Option<HostedRoom>,
    pub(crate) secrets: Vec<Vec<u8>>,
    position: u64,
}

pub(crate) struct World {
    pub(crate) hub: HubFacts,
    pub(crate) room: Room,
    pub(crate) authorities: BTreeMap<Domain, IdentityAuthority>,
    pub(crate) gateways: BTreeMap<Domain, Gateway>,
    pub(crate) log: Vec<RoomEvent>,
    pub(crate) lanes: BTreeMap<Domain, Vec<(u64, Option<u64>)>>,
    pub(crate) now: Timestamp,
    devices: u32,
}

pub(crate) fn hub_facts(authorities: &BTreeMap<Domain, IdentityAuthority>) -> HubFacts {
    let mut roots = IdentityRoots::default();
    for (domain, authority) in authorities {
        roots.insert(domain, authority.root_der().to_vec()).unwrap();
    }
    let signing_key = SigningKey::from_bytes(&[7; 32]).unwrap();
    // A basic credential: the hub's name.
    let credential = [&[0, 1, 9][..], HUB.as_bytes()].concat();
    let agent = [&[32], signing_key.public().as_slice(), &credential].concat();
    let external_sender = ExternalSender { credential, signature_key: signing_key.public() };
    let franking = FrankingKeys { hub_key: HubKey::new(&[9; 32]), signing_key, agent };
    HubFacts { domain: domain(HUB), roots, franking, external_sender, envelope: Envelope::default() }
}

/// The components of a new room.
pub(crate) type Components = Vec<(ComponentId, Vec<u8>)>;

/// What a founding is made of, to be spoilt by tests.
pub(crate) struct Beginning {
    pub(crate) authorities: BTreeMap<Domain, IdentityAuthority>,
    pub(crate) hub: HubFacts,
    pub(crate) components: Components,
    pub(crate) creator: UserUri,
}

impl Beginning {
    pub(crate) fn new(components: Components) -> Self {
        let authorities: BTreeMap<_, _> =
            PROVIDERS.map(|name| (domain(name), IdentityAuthority::generate(&domain(name)).unwrap())).into();
        let hub = hub_facts(&authorities);
        let mut components = components;
        components.insert(1, (ComponentId::FRANKING_AGENT, hub.franking.agent.clone()));
        Self { authorities, hub, components, creator: user("alice@a") }
    }

    /// A direct chat between alice@a and bob@b, founded by alice.
    pub(crate) fn direct() -> Self {
        Self::new(template::direct(&room_uri(), &user("alice@a"), &user("bob@b")))
    }

    /// A cooperative group of alice@a.
    pub(crate) fn cooperative() -> Self {
        Self::new(template::cooperative(&room_uri(), &user("alice@a")))
    }

    /// The same with another operational policy.
    pub(crate) fn operated(mut self, change: impl FnOnce(&mut OperationalParameters)) -> Self {
        let policy = ComponentId::MLS_OPERATIONAL_POLICY;
        let (_, bytes) = self.components.iter_mut().find(|(id, _)| *id == policy).unwrap();
        let mut parameters = OperationalParameters::decode(bytes).unwrap();
        change(&mut parameters);
        *bytes = parameters.encode();
        self
    }

    pub(crate) fn found(&self) -> (HostedRoom, Founding) {
        self.found_as(b"mimi://a.example/g/room")
    }

    pub(crate) fn found_as(&self, group_id: &[u8]) -> (HostedRoom, Founding) {
        let authority = &self.authorities[self.creator.domain()];
        let client = device(&self.creator, 0);
        let creator =
            HostedClient::generate(authority, &self.creator, &client, 86_400, now().seconds()).unwrap();
        let hub = &self.hub.external_sender;
        let room = NewRoom {
            group_id: group_id.to_vec(),
            components: self.components.iter().map(|(id, bytes)| (id.0, bytes.clone())).collect(),
            external_senders: vec![(hub.credential.clone(), hub.signature_key.clone())],
            creator: &creator,
        };
        HostedRoom::create(&room).unwrap()
    }

    pub(crate) fn request(&self, founding: &Founding) -> CreateRoomRequest {
        CreateRoomRequest {
            room: room_uri(),
            creator: self.creator.clone(),
            group_info: founding.group_info.clone(),
            ratchet_tree: founding.ratchet_tree.clone(),
        }
    }

    pub(crate) fn create(&self) -> Result<(Room, Effects), Refusal> {
        let (_, founding) = self.found();
        Room::create(&self.hub, &self.request(&founding), &RequestHash::of(b"request"), now())
    }

    pub(crate) fn world(self) -> World {
        let (hosted, founding) = self.found();
        let at = now();
        let by = RequestHash::of(b"request");
        let (room, effects) = Room::create(&self.hub, &self.request(&founding), &by, at).unwrap();
        assert!(effects.events.is_empty() && effects.lanes.is_empty() && effects.state_changed);
        let mut gateways: BTreeMap<_, Gateway> =
            PROVIDERS.map(|name| (domain(name), Gateway::default())).into();
        gateways.get_mut(&domain(HUB)).unwrap().room = Some(hosted);
        World {
            hub: self.hub,
            room,
            authorities: self.authorities,
            gateways,
            log: Vec::new(),
            lanes: BTreeMap::new(),
            now: at,
            devices: 0,
        }
    }
}

fn device(user: &UserUri, number: u32) -> ClientUri {
    let name = user.segments().last().unwrap();
    ClientUri::new(user.domain(), &[&name, &number.to_string()]).unwrap()
}

impl World {
    /// Both are there.
    pub(crate) fn direct() -> Self {
        let mut world = Beginning::direct().world();
        world.brings("alice@a", "bob@b");
        world
    }

    pub(crate) fn hosted(&mut self, who: &UserUri) -> &mut HostedRoom {
        self.gateways.get_mut(who.domain()).unwrap().room.as_mut().unwrap()
    }

    pub(crate) fn leaf(&self, who: &str) -> LeafIndex {
        let who = user(who);
        self.gateways[who.domain()].room.as_ref().unwrap().leaf_of(&who).unwrap()
    }

    /// A KeyPackage of a new client of the user, as its provider's gateway issues it.
    pub(crate) fn mint(&mut self, who: &str) -> Vec<u8> {
        self.mint_for(who, 3_600)
    }

    pub(crate) fn mint_for(&mut self, who: &str, lifetime_s: u64) -> Vec<u8> {
        self.devices += 1;
        let (who, number) = (user(who), self.devices);
        let authority = &self.authorities[who.domain()];
        let minted =
            mint_key_package(authority, &who, &device(&who, number), lifetime_s, now().seconds()).unwrap();
        self.gateways.get_mut(who.domain()).unwrap().secrets.push(minted.secret);
        minted.key_package
    }

    pub(crate) fn own_commit(&mut self, who: &str, plan: &CommitPlan) -> OwnCommit {
        let who = user(who);
        let room = self.hosted(&who);
        let leaf = room.leaf_of(&who).unwrap();
        room.commit(leaf, plan, &PolicyComponents).unwrap()
    }

    /// Commits as the user; whatever the hub says, his gateway hears of it from the log or not at all.
    pub(crate) fn commit(&mut self, who: &str, plan: &CommitPlan) -> Verdict<UpdateRoomResponse> {
        let own = self.own_commit(who, plan);
        let verdict = self.update(user(who).domain().as_str(), &bundle(&own));
        if verdict.is_err() {
            self.hosted(&user(who)).abandon_commit();
        }
        verdict
    }

    pub(crate) fn update(&mut self, provider: &str, bundle: &HandshakeBundle) -> Verdict<UpdateRoomResponse> {
        let request = UpdateRequest { bundle: bundle.clone() };
        // What crosses the wire arrives as it was sent.
        assert_eq!(UpdateRequest::decode(&request.encode()).as_ref(), Ok(&request));
        let before = (self.room.header_bytes(), self.room.group_bytes());
        let verdict = self.room.update(&self.hub, &domain(provider), &request, self.now).unwrap();
        match &verdict {
            Ok(decision) => self.store(&decision.effects),
            Err(_) => assert!(
                before == (self.room.header_bytes(), self.room.group_bytes()),
                "a refusal changed the room"
            ),
        }
        verdict
    }

    pub(crate) fn propose(
        &mut self,
        provider: &str,
        proposals: &[MlsMessage],
    ) -> Verdict<UpdateRoomResponse> {
        let (proposal, more_proposals) = proposals.split_first().unwrap();
        let bundle =
            HandshakeBundle::Proposal { proposal: proposal.clone(), more_proposals: more_proposals.to_vec() };
        self.update(provider, &bundle)
    }

    /// `SelfRemove` of the user's leaf.
    pub(crate) fn leaves(&mut self, who: &str) -> Verdict<UpdateRoomResponse> {
        let leaf = self.leaf(who);
        let proposal = self.hosted(&user(who)).propose_self_remove(leaf).unwrap();
        self.propose(user(who).domain().as_str(), &[proposal])
    }

    pub(crate) fn message(&mut self, who: &str) -> SubmitMessageRequest {
        let leaf = self.leaf(who);
        let room = self.hosted(&user(who));
        let sealed = room.seal(leaf, &[(FRANK_AAD, vec![5; 32])], b"sealed for members").unwrap();
        SubmitMessageRequest { app_message: sealed.message, sending_user: user(who) }
    }

    pub(crate) fn submit(
        &mut self,
        provider: &str,
        request: &SubmitMessageRequest,
    ) -> Verdict<SubmitMessageResponse> {
        let verdict = self.room.submit(&self.hub, &domain(provider), request, self.now);
        if let Ok(decision) = &verdict {
            assert!(!decision.effects.state_changed && decision.effects.lanes.is_empty());
            self.store(&decision.effects);
        }
        verdict
    }

    pub(crate) fn says(&mut self, who: &str) -> Verdict<SubmitMessageResponse> {
        let request = self.message(who);
        self.submit(user(who).domain().as_str(), &request)
    }

    /// One lets a client of another in, and all hear of it.
    pub(crate) fn brings(&mut self, who: &str, whom: &str) {
        let plan = CommitPlan { adds: vec![self.mint(whom)], ..CommitPlan::default() };
        self.commit(who, &plan).unwrap();
        self.deliver();
    }

    /// The store's part: the log grows without a gap, timestamps strictly increase (I4), lanes are intervals.
    fn store(&mut self, effects: &Effects) {
        for event in &effects.events {
            assert_eq!(event.seq, self.log.len() as u64 + 1);
            assert_eq!(event.timestamp, event.message.timestamp);
            assert!(self.log.last().is_none_or(|last| last.timestamp < event.timestamp));
            self.log.push(event.clone());
        }
        for change in &effects.lanes {
            match change {
                LaneChange::Open { peer, from } => {
                    let lane = self.lanes.entry(peer.clone()).or_default();
                    assert!(lane.last().is_none_or(|(_, to)| to.is_some_and(|to| to <= *from)), "{lane:?}");
                    lane.push((*from, None));
                }
                LaneChange::Close { peer, to } => {
                    let last = self.lanes.get_mut(peer).unwrap().last_mut().unwrap();
                    assert!(last.1.is_none() && last.0 < *to, "{last:?}");
                    last.1 = Some(*to);
                }
            }
        }
    }

    /// What a provider is sent.
    pub(crate) fn delivered(&self, provider: &str) -> Vec<&RoomEvent> {
        let provider = domain(provider);
        let intervals = self.lanes.get(&provider).cloned().unwrap_or_default();
        let covers = |seq| intervals.iter().any(|(from, to)| *from <= seq && to.is_none_or(|to| seq < to));
        let is_own = provider == domain(HUB);
        let events = self.log.iter().filter(|event| is_own || covers(event.seq));
        events
            .filter(|event| {
                event.audience == Audience::Everyone || event.audience == Audience::Only(provider.clone())
            })
            .collect()
    }

    /// Every gateway catches up. I6: what it is sent, in that order, is enough to follow the room.
    pub(crate) fn deliver(&mut self) {
        for provider in PROVIDERS {
            let events: Vec<_> = self.delivered(provider).into_iter().cloned().collect();
            let gateway = self.gateways.get_mut(&domain(provider)).unwrap();
            let known = gateway.position;
            for event in events.iter().filter(|event| event.seq > known) {
                gateway.hear(&event.message.event);
            }
            gateway.position = self.log.len() as u64;
        }
    }

    /// The room as another process finds it.
    pub(crate) fn reload(&mut self) {
        let (header, group) = (self.room.header_bytes(), self.room.group_bytes());
        let mut room = Room::load(room_uri(), &header, group.clone()).unwrap();
        assert!(room.header_bytes() == header && room.group_bytes() == group);
        if let Some(last) = self.log.last() {
            room.advance(last.seq, last.timestamp);
        }
        self.room = room;
    }
}

impl Gateway {
    fn hear(&mut self, event: &FanoutEvent) {
        match event {
            FanoutEvent::Welcome { message, ratchet_tree } => self.enter(message, ratchet_tree),
            FanoutEvent::Proposal { message, more_proposals } => {
                std::iter::once(message).chain(more_proposals).for_each(|message| self.process(message));
            }
            FanoutEvent::Application { message, .. } | FanoutEvent::Commit { message, .. } => {
                self.process(message);
            }
        }
    }

    fn enter(&mut self, welcome: &MlsMessage, tree: &RatchetTreeOption) {
        let RatchetTreeOption::Full(tree) = tree else { panic!("a Welcome needs the full tree") };
        match &mut self.room {
            Some(room) => {
                for secret in &self.secrets {
                    room.add_hosted(secret).unwrap();
                }
            }
            None => self.room = Some(HostedRoom::join(welcome, tree, &self.secrets).unwrap()),
        }
    }

    /// A13: joiners ignore the commit that adds them; who has gone hears no more, and whose reader was removed without
    /// another to take over would have to come back from outside.
    fn process(&mut self, message: &MlsMessage) {
        let Some(room) = &mut self.room else { return };
        assert!(!matches!(message.kind(), MessageKind::Welcome));
        room.process(message, &PolicyComponents).unwrap();
        if room.hosted_leaves().is_empty() || room.needs_resync() {
            self.room = None;
        }
    }
}

pub(crate) fn bundle(own: &OwnCommit) -> HandshakeBundle {
    HandshakeBundle::Commit {
        commit: own.commit.clone(),
        welcome: own.welcome.clone(),
        group_info: GroupInfoOption::full(&own.group_info),
        ratchet_tree: RatchetTreeOption::DistributionService,
    }
}

/// An update of the participant list: (position, role), positions, (user, role).
pub(crate) fn list_update(changed: &[(u32, u32)], removed: &[u32], added: &[(&str, u32)]) -> (u16, Vec<u8>) {
    let changed =
        changed.iter().map(|(at, role)| UserIndexRolePair { user_index: *at, role_index: RoleIndex(*role) });
    let added =
        added.iter().map(|(who, role)| UserRolePair { user: user(who), role_index: RoleIndex(*role) });
    let update = ParticipantListUpdate {
        changed_role_participants: changed.collect(),
        removed_indices: removed.to_vec(),
        added_participants: added.collect(),
    };
    (ComponentId::PARTICIPANT_LIST.0, update.encode())
}

pub(crate) fn kinds(effects: &Effects) -> Vec<EventKind> {
    effects.events.iter().map(|event| event.kind).collect()
}

/// The reason of a refusal with that code.
pub(crate) fn not_allowed<A>(verdict: Verdict<A>) -> String {
    match verdict {
        Err(Refusal::NotAllowed(reason)) => reason.to_string(),
        other => panic!("expected notAllowed: {:?}", other.err()),
    }
}

pub(crate) fn invalid_proposal<A>(verdict: Verdict<A>) -> String {
    match verdict {
        Err(Refusal::InvalidProposal(reason)) => reason.to_string(),
        other => panic!("expected invalidProposal: {:?}", other.err()),
    }
}

pub(crate) fn is_not_that_provider<A>(verdict: &Verdict<A>) -> bool {
    matches!(verdict, Err(Refusal::NotAllowed(Reason::NotThatProvider)))
}

pub(crate) fn accepted<A>(verdict: &Verdict<A>) -> bool {
    matches!(verdict, Ok(Decision { .. }))
}
