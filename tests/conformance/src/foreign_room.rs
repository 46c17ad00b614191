use mimi_mls::hosted::{CommitPlan, HostedRoom, NewRoom};
use mimi_mls::{IdentityAuthority, read_key_package};
use mimi_room::PolicyComponents;
use mimi_room_policy::template;
use mimi_uri::RoomUri;
use mimi_wire::{Clock, FanoutEvent, FanoutMessage, RatchetTreeOption, Timestamp};

use crate::chat::{client, key_package, with_agents};
use crate::member::Member;
use crate::world::{World, domain, user};

/// A direct chat that `b.example` hosts, as its hub tells the server under test of it.
pub struct ForeignRoom {
    /// The room.
    pub uri: RoomUri,
    /// Alice, of the server under test; not in yet.
    pub alice: Member,
    /// Bob, who founded it.
    pub bob: Member,
    /// What the hub tells when Bob adds Alice: his commit, and the Welcome for her.
    pub arrival: Vec<FanoutMessage>,
    told: u64,
}

impl World {
    /// A room of Bob's in which nobody else is, of which nobody was told.
    pub fn room_of_bob(&self, name: &str) -> ForeignRoom {
        self.room_certified_by(&self.b.authority, "bob@b", name)
    }

    /// The same of anybody in Bob's place, whoever vouches for him.
    pub fn room_certified_by(&self, authority: &IdentityAuthority, founder: &str, name: &str) -> ForeignRoom {
        let uri = RoomUri::new(&domain("b.example"), &[name]).unwrap();
        let creator = client(authority, &user(founder), self.clock.now().seconds());
        let components = template::direct(&uri, &user("alice@a"), &user(founder));
        let hub = &self.a.facts.external_sender;
        let new = NewRoom {
            group_id: format!("mimi://b.example/g/{name}").into_bytes(),
            components: with_agents(components, &self.a.facts),
            external_senders: vec![(hub.credential.clone(), hub.signature_key.clone())],
            creator: &creator,
        };
        let mut bob = Member::new(user(founder));
        bob.room = Some(HostedRoom::create(&new).unwrap().0);
        ForeignRoom { uri, alice: Member::new(user("alice@a")), bob, arrival: vec![], told: 0 }
    }

    /// A room of Bob's to which he has added Alice, with a `KeyPackage` that the server under test gave him for it.
    pub async fn foreign_room(&self) -> ForeignRoom {
        let mut room = self.room_of_bob("foreign");
        let request = room.bob.asks_for(&user("alice@a"), &room.uri);
        let package = key_package(&self.b.key_material(&request).await);
        let reference = read_key_package(&package).unwrap().reference;
        room.alice.secrets.push(self.a.secret(&reference).await);
        room.bob_adds(package);
        room
    }
}

impl ForeignRoom {
    /// Bob adds whoever this `KeyPackage` is of.
    pub fn bob_adds(&mut self, package: Vec<u8>) {
        let leaf = self.bob.leaf();
        let plan = CommitPlan { adds: vec![package], ..CommitPlan::default() };
        let own = self.bob.room().commit(leaf, &plan, &PolicyComponents).unwrap();
        self.bob.room().confirm_commit().unwrap();
        let tree = self.bob.room().ratchet_tree().unwrap();
        let commit = FanoutEvent::Commit { message: own.commit, external_proposals: vec![] };
        let welcome = FanoutEvent::Welcome {
            message: own.welcome.unwrap(),
            ratchet_tree: RatchetTreeOption::Full(tree),
        };
        self.arrival = vec![self.event(commit), self.event(welcome)];
    }

    /// What the hub tells when it has accepted a message of Bob's.
    pub fn bob_says(&mut self, text: &str) -> FanoutMessage {
        let message = self.bob.says(text).app_message;
        self.event(FanoutEvent::Application { message, frank: None })
    }

    fn event(&mut self, event: FanoutEvent) -> FanoutMessage {
        self.told += 1;
        FanoutMessage { timestamp: Timestamp(1_800_000_000_000 + self.told), event }
    }

    /// A batch, as it is posted.
    pub fn batch(messages: &[FanoutMessage]) -> Vec<u8> {
        messages.iter().flat_map(FanoutMessage::encode).collect()
    }
}
