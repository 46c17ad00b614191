use std::collections::BTreeMap;

use mimi_mls::hosted::{CommitPlan, HostedRoom, NewRoom};
use mimi_mls::{HostedClient, IdentityAuthority, encode_component_list};
use mimi_room::HubFacts;
use mimi_room_policy::{ComponentId, template};
use mimi_uri::{ClientUri, RoomUri, UserUri};
use mimi_wire::{
    ClientMaterial, Clock, CreateRoomRequest, CreateRoomResponse, FanoutMessage, KeyMaterialResponse,
    UpdateRequest, UpdateVerdict,
};

use crate::member::{Member, list_update};
use crate::world::{World, domain, user};

/// What a new room's dictionary holds.
pub(crate) type Components = Vec<(ComponentId, Vec<u8>)>;

/// A room of the server under test, with Alice of its own and Bob of `b.example`.
pub struct Chat {
    /// The room.
    pub uri: RoomUri,
    /// Alice.
    pub alice: Member,
    /// Bob.
    pub bob: Member,
}

impl World {
    /// A direct chat between the two, both of whom are in; Bob's key material came by way of the protocol.
    pub async fn direct_chat(&self) -> Chat {
        let mut chat = self.direct_chat_of_alice("direct").await;
        self.bring_bob(&mut chat, vec![]).await;
        chat
    }

    /// A direct chat for the two, in which Alice is still alone.
    pub async fn direct_chat_of_alice(&self, name: &str) -> Chat {
        let room = room_uri(name);
        self.found(&room, template::direct(&room, &user("alice@a"), &user("bob@b"))).await
    }

    /// A direct chat of Alice's with somebody of another provider, who is in; its name.
    pub async fn direct_chat_with(&self, other: &UserUri) -> RoomUri {
        let uri = room_uri("other");
        let mut chat = self.found(&uri, template::direct(&uri, &user("alice@a"), other)).await;
        let update = self.addition(&mut chat, other, vec![]).await;
        let answer = self.a.update(&uri, &update).await;
        assert!(matches!(answer.verdict, UpdateVerdict::Success { .. }), "{answer:?}");
        uri
    }

    /// A group of Alice's, with Bob in it as an ordinary participant.
    pub async fn group_chat(&self) -> Chat {
        let room = room_uri("group");
        let mut chat = self.found(&room, template::cooperative(&room, &user("alice@a"))).await;
        let listed = list_update(&[], &[], &[(&user("bob@b"), 2)]);
        self.bring_bob(&mut chat, vec![listed]).await;
        chat
    }

    /// A group of Alice's with Bob, and with Carol of `c.example`, as ordinary participants.
    pub async fn chat_of_three(&self) -> Chat {
        let mut chat = self.group_chat().await;
        self.bring_carol(&mut chat).await;
        chat
    }

    /// A group of Alice's with Carol of `c.example`; Bob is not in it.
    pub async fn chat_without_bob(&self) -> Chat {
        let room = room_uri("without-bob");
        let mut chat = self.found(&room, template::cooperative(&room, &user("alice@a"))).await;
        self.bring_carol(&mut chat).await;
        chat
    }

    async fn bring_carol(&self, chat: &mut Chat) {
        let listed = list_update(&[], &[], &[(&user("carol@c"), 2)]);
        let update = self.addition(chat, &user("carol@c"), vec![listed]).await;
        let answer = self.a.update(&chat.uri, &update).await;
        assert!(matches!(answer.verdict, UpdateVerdict::Success { .. }), "{answer:?}");
        self.deliver(chat).await;
    }

    /// Everybody hears what there is to hear: Alice from the log, Bob from what his provider was notified of.
    pub async fn deliver(&self, chat: &mut Chat) {
        self.a.ledger.settled().await;
        let log = self.a.ledger.log(&chat.uri).await;
        let logged: Vec<_> = log.iter().map(|event| FanoutMessage::decode(&event.bytes).unwrap()).collect();
        chat.bob.secrets = self.b.sink.secrets(&chat.bob.user);
        for (member, events) in [(&mut chat.alice, logged), (&mut chat.bob, self.b.sink.taken(&chat.uri))] {
            let heard = member.heard;
            events.iter().skip(heard).for_each(|event| member.hears(event));
            member.heard = events.len();
        }
    }

    async fn found(&self, room: &RoomUri, components: Components) -> Chat {
        let (hosted, request) = self.founding(room, &user("alice@a"), components);
        let answer = self.a.hub().create_room(request).await.unwrap();
        assert!(matches!(answer, CreateRoomResponse::Created { .. }), "{answer:?}");
        let mut alice = Member::new(user("alice@a"));
        alice.room = Some(hosted);
        Chat { uri: room.clone(), alice, bob: Member::new(user("bob@b")) }
    }

    /// A room of Alice's that nobody has told the hub about.
    pub fn founding(
        &self,
        room: &RoomUri,
        creator: &UserUri,
        components: Vec<(ComponentId, Vec<u8>)>,
    ) -> (HostedRoom, CreateRoomRequest) {
        let all = with_agents(components, &self.a.facts);
        let client = client(&self.a.authority, creator, self.clock.now().seconds());
        let hub = &self.a.facts.external_sender;
        let new = NewRoom {
            group_id: format!("mimi://{}/g/{}", room.domain(), room.path()).into_bytes(),
            components: all,
            external_senders: vec![(hub.credential.clone(), hub.signature_key.clone())],
            creator: &client,
        };
        let (hosted, founding) = HostedRoom::create(&new).unwrap();
        let request = CreateRoomRequest {
            room: room.clone(),
            creator: creator.clone(),
            group_info: founding.group_info,
            ratchet_tree: founding.ratchet_tree,
        };
        (hosted, request)
    }

    /// Alice's commit that adds somebody, with key material that came by way of the protocol.
    async fn addition(
        &self,
        chat: &mut Chat,
        whom: &UserUri,
        component_updates: Vec<(u16, Vec<u8>)>,
    ) -> UpdateRequest {
        self.a.hub().identity_roots(whom.domain()).await.unwrap();
        let request = chat.alice.asks_for(whom, &chat.uri);
        let response = self.a.hub().key_material(&request).await.unwrap();
        let adds = vec![key_package(&response)];
        chat.alice.commits(&CommitPlan { adds, component_updates, ..CommitPlan::default() })
    }

    async fn bring_bob(&self, chat: &mut Chat, component_updates: Vec<(u16, Vec<u8>)>) {
        let update = self.addition(chat, &user("bob@b"), component_updates).await;
        let answer = self.a.update(&chat.uri, &update).await;
        assert!(matches!(answer.verdict, UpdateVerdict::Success { .. }), "{answer:?}");
        self.deliver(chat).await;
        assert!(chat.bob.is_in());
    }
}

/// The one `KeyPackage` of an answer.
pub(crate) fn key_package(response: &KeyMaterialResponse) -> Vec<u8> {
    let [client] = &response.clients[..] else { panic!("not one client: {response:?}") };
    let ClientMaterial::Success { key_package } = &client.material else { panic!("no KeyPackage") };
    key_package.clone()
}

/// A client of a user.
pub(crate) fn client(authority: &IdentityAuthority, user: &UserUri, now_s: u64) -> HostedClient {
    let name = user.segments().last().unwrap();
    let client = ClientUri::new(user.domain(), &[&name, "1"]).unwrap();
    HostedClient::generate(authority, user, &client, 86_400, now_s).unwrap()
}

/// A room's components, with the hub's franking agent among them.
pub(crate) fn with_agents(components: Components, hub: &HubFacts) -> Vec<(u16, Vec<u8>)> {
    let mut all: BTreeMap<u16, Vec<u8>> = components.into_iter().map(|(id, bytes)| (id.0, bytes)).collect();
    all.insert(ComponentId::FRANKING_AGENT.0, hub.franking.agent.clone());
    let used: Vec<u16> = [ComponentId::APP_COMPONENTS.0, ComponentId::FRANK_AAD.0]
        .into_iter()
        .chain(all.keys().copied())
        .collect();
    all.insert(ComponentId::APP_COMPONENTS.0, encode_component_list(&used));
    all.into_iter().collect()
}

fn room_uri(name: &str) -> RoomUri {
    RoomUri::new(&domain("a.example"), &[name]).unwrap()
}
