//! Rooms founded for real, and messages sealed for them.
//!
//! Two providers, each the product's own server: alice of the hub opens a direct room with bob of the follower. His
//! provider mints a KeyPackage, hers commits his Add, the hub notifies his provider of the Welcome, and he joins by it.
//! Then he seals. What is kept is the hub's database as it is then; every turn of a run starts from a copy of it.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand;
use mimi_client::direct::Founding;
use mimi_client::{RoomClient, mint};
use mimi_mls::IdentityRoots;
use mimi_store::{EventKind, EventLimit, MemoryStore, Seq, Store};
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::{
    Authority, ClientMaterial, CreateRoomResponse, Directory, Endpoint, FanoutMessage, FrankingTag, Hub,
    KeyMaterialResponse, UpdateVerdict,
};
use tokio::net::TcpListener;

use crate::database::Database;
use crate::fault::Outcome;
use crate::limits::CONTENT_LENGTH;
use crate::messages::Messages;
use crate::papers::{FOLLOWER, HUB, Papers};
use crate::provider::{Provider, Serving, now};

/// The hub's keys.
pub(crate) const HUB_KEYS: &str = "hub.json";

/// The follower's identity roots.
pub(crate) const ROOTS: &str = "roots.bin";

/// The requests.
pub(crate) const MESSAGES: &str = "messages.bin";

/// Founds rooms and seals messages for them, in turns; all of it is kept in `directory`, but for a database of this URL.
pub(crate) async fn found(
    papers: &Papers,
    (directory, url): (&Path, Option<&str>),
    rooms: usize,
    messages: usize,
) -> Outcome<()> {
    let database = Database::open(directory, url).await?;
    let world = World::start(papers, database.store()).await?;
    world.alices.keep(&directory.join(HUB_KEYS))?;
    let mut members = Vec::with_capacity(rooms);
    for number in 0..rooms {
        let room = RoomUri::new(&world.alices.domain, &[&format!("bench-{number}")])?;
        members.push((path_of(Endpoint::SubmitMessage, &room)?, world.found(&room).await?));
    }
    seal(&mut members, &world.bob, &directory.join(MESSAGES), messages)?;
    world.stop().await?;
    database.close().await;
    Ok(())
}

/// Two providers that know each other.
pub(crate) struct World {
    pub(crate) alices: Provider,
    pub(crate) bobs: Provider,
    alice: UserUri,
    bob: UserUri,
    pub(crate) hub: Serving,
    follower: Serving,
    follower_store: Arc<MemoryStore>,
    roots: IdentityRoots,
}

impl World {
    pub(crate) async fn start(papers: &Papers, hub_store: Arc<dyn Store>) -> Outcome<Self> {
        let (alices, bobs) = (Provider::generate(HUB)?, Provider::generate(FOLLOWER)?);
        let hub_door = TcpListener::bind(("127.0.0.1", 0)).await?;
        let follower_door = TcpListener::bind(("127.0.0.1", 0)).await?;
        let hubs_peers = papers.peer(FOLLOWER, Some(follower_door.local_addr()?.port()))?;
        let followers_peers = papers.peer(HUB, Some(hub_door.local_addr()?.port()))?;
        let follower_store = Arc::new(MemoryStore::new());
        let mut hub = alices.serve(hub_door, hub_store, papers.certificate(HUB)?, hubs_peers)?;
        hub.deliver();
        let store = Arc::clone(&follower_store) as _;
        let follower = bobs.serve(follower_door, store, papers.certificate(FOLLOWER)?, followers_peers)?;
        let mut roots = IdentityRoots::default();
        for root in hub.server.hub().identity_roots(&bobs.domain).await? {
            roots.insert(&bobs.domain, root)?;
        }
        let (alice, bob) = (alices.user("alice")?, bobs.user("bob")?);
        Ok(Self { alices, bobs, alice, bob, hub, follower, follower_store, roots })
    }

    /// Founds a room and brings bob into it; bob's side of it.
    async fn found(&self, room: &RoomUri) -> Outcome<RoomClient> {
        let hub: Arc<dyn Hub> = self.hub.server.hub();
        let founding = Founding {
            room,
            creator: &self.alice,
            peer: &self.bob,
            agents: &self.alices.agents()?,
            authority: &self.alices.authority,
            now: now(),
        };
        let (mut alice, request) = RoomClient::found(&founding)?;
        if let CreateRoomResponse::Refused(why) = hub.create_room(request).await? {
            return Err(format!("the hub refuses to found a room: {why}").into());
        }
        let material = hub.key_material(&alice.key_material_request(&self.alice, &self.bob)?).await?;
        let update = alice.commit_add(&self.bob, &key_packages(material), &self.roots, now())?;
        let answer = hub.update(room, &update).await?;
        if !matches!(answer.verdict, UpdateVerdict::Success { .. }) {
            return Err(format!("the hub refuses to add somebody: {answer:?}").into());
        }
        self.join(room).await
    }

    pub(crate) async fn stop(self) -> Outcome<()> {
        self.hub.stop().await?;
        self.follower.stop().await
    }

    /// Bob's provider is notified of the Welcome, and he joins by it.
    async fn join(&self, room: &RoomUri) -> Outcome<RoomClient> {
        let mut appended = self.follower_store.appended();
        loop {
            let all = EventLimit { count: usize::MAX, bytes: usize::MAX };
            for event in self.follower_store.events(room, Seq(0), all).await? {
                if event.kind == EventKind::Welcome {
                    return self.welcomed(room, &event.bytes).await;
                }
            }
            appended.recv().await?;
        }
    }

    async fn welcomed(&self, room: &RoomUri, event: &[u8]) -> Outcome<RoomClient> {
        let [welcome] = &FanoutMessage::decode_all(event)?[..] else {
            return Err("an event is one message".into());
        };
        for reference in welcome.message().welcome_references() {
            let Some(key_package) = self.follower_store.key_package(&reference).await? else { continue };
            let secret = mint::open_secret(&self.bobs.vault, &reference, &key_package.secret)?;
            return Ok(RoomClient::join(room, welcome, &[secret])?);
        }
        Err("the Welcome is for somebody else".into())
    }
}

fn key_packages(material: KeyMaterialResponse) -> Vec<Vec<u8>> {
    let packages = material.clients.into_iter().filter_map(|client| match client.material {
        ClientMaterial::Success { key_package } => Some(key_package),
        ClientMaterial::KeyMaterialExhausted | ClientMaterial::NothingCompatible { .. } => None,
    });
    packages.collect()
}

/// Where requests of this kind for the room are posted to.
pub(crate) fn path_of(endpoint: Endpoint, room: &RoomUri) -> Outcome<String> {
    let authority = Authority::parse(HUB).ok_or("the hub's name is no authority")?;
    let directory = Directory::publish(&authority, &[endpoint]);
    Ok(directory.link(endpoint, room.as_str())?.path)
}

/// Seals messages of `sender`, one room after the other, and again.
fn seal(members: &mut [(String, RoomClient)], sender: &UserUri, file: &Path, messages: usize) -> Outcome<()> {
    let mut sealed = Messages::create(file)?;
    let mut content = [0; CONTENT_LENGTH];
    let mut salt = [0; 16];
    let rooms = members.len();
    for number in 0..messages {
        let (path, member) = &mut members[number % rooms];
        rand::fill(&mut content)?;
        rand::fill(&mut salt)?;
        let request = member.seal(sender, &content, &FrankingTag::of(&salt, &content).0)?;
        sealed.push(path, &request.encode())?;
    }
    sealed.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages;
    use mimi_wire::SubmitMessageRequest;

    #[tokio::test]
    async fn rooms_take_turns_and_every_message_is_another_one_of_a_real_member() {
        let directory = tempfile::tempdir().unwrap();
        let papers = Papers::at(directory.path());
        papers.issue().unwrap();

        found(&papers, (directory.path(), None), 2, 4).await.unwrap();

        let sealed = messages::read(&directory.path().join(MESSAGES)).unwrap();
        let paths: Vec<&str> = sealed.iter().map(|message| message.path.as_str()).collect();
        let requests: Vec<SubmitMessageRequest> =
            sealed.iter().map(|message| SubmitMessageRequest::decode(&message.body).unwrap()).collect();
        let room = "/v1/submitMessage/mimi%3A%2F%2Fa.example%2Fr%2Fbench-";
        assert_eq!(paths, ["0", "1", "0", "1"].map(|number| format!("{room}{number}")));
        for (number, request) in requests.iter().enumerate() {
            assert_eq!(request.sending_user.as_str(), "mimi://b.example/u/bob");
            assert!(!requests[..number].iter().any(|earlier| earlier.hash() == request.hash()));
        }
    }
}
