//! A hub in front of hosted rooms: both halves of this crate against each other.

use super::super::{Attachments, HubGroup};
use super::world::{LIFETIME_S, LastWins, NOW_S, ROSTER, TOPIC, names};
use crate::components::{FRANK_AAD, SAFE_AAD, encode_component_list};
use crate::group_info::GroupInfoOption;
use crate::hosted::{CommitPlan, HostedRoom, NewRoom, OwnCommit};
use crate::ids::LeafIndex;
use crate::message::{MessageKind, MlsMessage};
use crate::{HostedClient, IdentityAuthority, MintedKeyPackage, mint_key_package};
use mimi_uri::Domain;

struct Scene {
    authority: IdentityAuthority,
    room: HostedRoom,
    hub: HubGroup,
}

impl Scene {
    fn new() -> Self {
        let authority = IdentityAuthority::generate(&Domain::parse("a.example").unwrap()).unwrap();
        let (user, client) = names("alice");
        let creator = HostedClient::generate(&authority, &user, &client, LIFETIME_S, NOW_S).unwrap();
        let (room, founding) = HostedRoom::create(&NewRoom {
            group_id: b"mimi://a.example/g/room".to_vec(),
            components: vec![
                (SAFE_AAD, encode_component_list(&[FRANK_AAD])),
                (ROSTER, b"alice".to_vec()),
                (TOPIC, b"none".to_vec()),
            ],
            external_senders: vec![],
            creator: &creator,
        })
        .unwrap();
        let hub = HubGroup::found(&founding.group_info, &founding.ratchet_tree).unwrap();
        Self { authority, room, hub }
    }

    fn mint(&self, name: &str) -> MintedKeyPackage {
        let (user, client) = names(name);
        mint_key_package(&self.authority, &user, &client, LIFETIME_S, NOW_S).unwrap()
    }

    /// The hub accepts the room's commit with what a client sends: the partial GroupInfo.
    fn accept(&mut self, own: &OwnCommit) {
        let examined = self.hub.examine(&own.commit).unwrap();
        let operations = examined.component_operations();
        let changes = operations.resolve(&LastWins, |id| self.hub.component(id).map(<[u8]>::to_vec)).unwrap();
        let with = Attachments {
            group_info: GroupInfoOption::Partial(&own.partial),
            welcome: own.welcome.as_ref(),
            ratchet_tree: None,
        };
        let staged = self.hub.stage(examined, changes, &with).unwrap();
        self.hub.accept_commit(staged).unwrap();
        self.room.confirm_commit().unwrap();
        assert_eq!(self.hub.epoch(), self.room.epoch());
        assert_eq!(self.hub.ratchet_tree().unwrap(), self.room.ratchet_tree().unwrap());
        assert_eq!([&[0, 1, 0, 4], self.hub.group_info()].concat(), own.group_info);
    }
}

#[test]
fn the_hub_accepts_what_a_hosted_room_commits() {
    let mut scene = Scene::new();
    let (bob, carol) = (scene.mint("bob"), scene.mint("carol"));
    let plan = CommitPlan {
        adds: vec![bob.key_package.clone(), carol.key_package.clone()],
        component_updates: vec![(ROSTER, b"alice, bob, carol".to_vec())],
        ..CommitPlan::default()
    };

    let own = scene.room.commit(LeafIndex(0), &plan, &LastWins).unwrap();
    scene.accept(&own);

    assert_eq!(scene.hub.component(ROSTER), Some(b"alice, bob, carol".as_slice()));
    let tree = scene.hub.ratchet_tree().unwrap();
    let welcome = own.welcome.unwrap();
    let joined = HostedRoom::join(&welcome, &tree, &[bob.secret, carol.secret]).unwrap();
    assert_eq!(joined.hosted_leaves().len(), 2);
    assert_eq!(joined.members(), scene.hub.members());
}

#[test]
fn the_hub_keeps_a_hosted_leafs_wish_to_leave_until_another_leaf_commits_it() {
    let mut scene = Scene::new();
    let bob = scene.mint("bob");
    let plan = CommitPlan { adds: vec![bob.key_package.clone()], ..CommitPlan::default() };
    let own = scene.room.commit(LeafIndex(0), &plan, &LastWins).unwrap();
    scene.accept(&own);
    let bob = scene.room.add_hosted(&bob.secret).unwrap().unwrap();

    let leaving = scene.room.propose_self_remove(bob).unwrap();
    let examined = scene.hub.examine(&leaving).unwrap();
    scene.hub.accept_proposal(examined, 7).unwrap();
    scene.room.process(&leaving, &LastWins).unwrap();
    let own = scene.room.commit(LeafIndex(0), &CommitPlan::default(), &LastWins).unwrap();
    scene.accept(&own);

    assert_eq!(scene.hub.members().len(), 1);
    assert_eq!(scene.hub.member(bob), None);
}

#[test]
fn messages_of_every_kind_are_told_apart_and_cut_nowhere() {
    let mut scene = Scene::new();
    let bob = scene.mint("bob");
    let plan = CommitPlan { adds: vec![bob.key_package.clone()], with_path: true, ..CommitPlan::default() };
    let own = scene.room.commit(LeafIndex(0), &plan, &LastWins).unwrap();
    let key_package = [&[0, 1, 0, 5], bob.key_package.as_slice()].concat();
    let messages = [
        (own.commit.as_bytes(), MessageKind::Public(crate::ContentType::Commit)),
        (own.welcome.as_ref().unwrap().as_bytes(), MessageKind::Welcome),
        (&own.group_info, MessageKind::GroupInfo),
        (&key_package, MessageKind::KeyPackage),
    ];

    for (bytes, kind) in messages {
        assert_eq!(MlsMessage::decode(bytes).unwrap().kind(), kind);
        for length in 0..bytes.len() {
            assert!(MlsMessage::decode(&bytes[..length]).is_err(), "{kind:?} of {length} bytes");
        }
    }
}
