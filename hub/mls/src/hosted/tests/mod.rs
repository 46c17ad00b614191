//! A hosted room in front of plain members that know nothing of hosting.

mod committing;
mod forgery;
mod scale;
mod speaking;
mod surviving;
mod takeover;

use mimi_uri::{ClientUri, Domain, UserUri};
use openmls::prelude::LeafNodeIndex;
use openmls::prelude::tls_codec::Serialize as _;
use openmls_traits::OpenMlsProvider as _;

use super::commit::message;
use super::found::NewRoom;
use super::plain::PlainMember;
use super::*;
use crate::components::{ComponentLogic, ComponentOperation, ComponentRefused, SAFE_AAD};
use crate::identity::IdentityAuthority;
use crate::ids::LeafIndex;
use crate::key_package::{HostedClient, MintedKeyPackage, mint_key_package};
use crate::message::MlsMessage;

/// A component without rules of its own.
const TOPIC: u16 = 0x8d01;
/// A component that nothing may be done to.
const SEALED: u16 = 0x8d02;
const FRANK_AAD: u16 = 0x0020;

/// Updates replace, removals remove; `SEALED` refuses everything.
struct Replace;

impl ComponentLogic for Replace {
    fn apply(
        &self,
        component: u16,
        current: Option<&[u8]>,
        updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused> {
        if component == SEALED {
            return Err(ComponentRefused::new(component, "sealed"));
        }
        Ok(updates.iter().fold(current.map(<[u8]>::to_vec), |_, update| match update {
            ComponentOperation::Update(bytes) => Some(bytes.to_vec()),
            ComponentOperation::Remove => None,
        }))
    }
}

/// Where people come from.
struct Town {
    domain: Domain,
    authority: IdentityAuthority,
    people: u32,
}

impl Town {
    fn new() -> Self {
        let domain = Domain::parse("a.example").unwrap();
        let authority = IdentityAuthority::generate(&domain).unwrap();
        Self { domain, authority, people: 0 }
    }

    fn names(&mut self) -> (UserUri, ClientUri) {
        self.people += 1;
        let name = format!("p{}", self.people);
        (
            UserUri::new(&self.domain, &["u", &name]).unwrap(),
            ClientUri::new(&self.domain, &["d", &name]).unwrap(),
        )
    }

    fn mint(&mut self) -> MintedKeyPackage {
        let (user, client) = self.names();
        mint_key_package(&self.authority, &user, &client, 3_600, now_s()).unwrap()
    }

    fn client(&mut self) -> HostedClient {
        let (user, client) = self.names();
        HostedClient::generate(&self.authority, &user, &client, 3_600, now_s()).unwrap()
    }
}

fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Alice at leaf 0, plain; then the others in the order asked for.
struct World {
    town: Town,
    alice: PlainMember,
    plain: Vec<PlainMember>,
    room: HostedRoom,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seat {
    Plain,
    Hosted,
}

impl World {
    fn with_hosted(count: usize) -> Self {
        Self::seated(&vec![Seat::Hosted; count])
    }

    /// Leaf `i + 1` is `seats[i]`; the first hosted one reads.
    fn seated(seats: &[Seat]) -> Self {
        let mut town = Town::new();
        let creator = town.client();
        let components =
            vec![(SAFE_AAD, vec![0]), (TOPIC, b"start".to_vec()), (SEALED, b"for ever".to_vec())];
        let new_room = NewRoom {
            group_id: b"room".to_vec(),
            components,
            external_senders: Vec::new(),
            creator: &creator,
        };
        let mut alice = PlainMember::found(&new_room).unwrap();
        let minted: Vec<_> = seats.iter().map(|_| town.mint()).collect();
        let added =
            alice.add(&minted.iter().map(|minted| minted.key_package.clone()).collect::<Vec<_>>()).unwrap();
        let secrets = |wanted: Seat| {
            let taken = minted.iter().zip(seats).filter(move |(_, seat)| **seat == wanted);
            taken.map(|(minted, _)| minted.secret.clone()).collect::<Vec<_>>()
        };
        let room = HostedRoom::join(&added.welcome, &added.ratchet_tree, &secrets(Seat::Hosted)).unwrap();
        let plain = secrets(Seat::Plain);
        let plain = plain
            .iter()
            .map(|secret| PlainMember::join(&added.welcome, &added.ratchet_tree, secret))
            .collect();
        Self { town, alice, plain, room }
    }

    fn leaves(&self) -> Vec<LeafIndex> {
        self.room.hosted_leaves().into_iter().map(|(leaf, _)| leaf).collect()
    }

    /// The room and all plain members process one handshake.
    fn everybody_follows(&mut self, handshake: &MlsMessage) -> Processed {
        self.others_follow(handshake);
        self.room.process(handshake, &Replace).unwrap()
    }

    fn others_follow(&mut self, handshake: &MlsMessage) {
        self.alice.follow(handshake, &Replace).unwrap();
        for member in &mut self.plain {
            member.follow(handshake, &Replace).unwrap();
        }
    }

    /// Alice commits; all but she follow.
    fn alice_commits(&mut self, change: impl FnOnce(&mut PlainMember) -> MlsMessage) -> CommitSummary {
        let commit = change(&mut self.alice);
        for member in &mut self.plain {
            member.follow(&commit, &Replace).unwrap();
        }
        summary(self.room.process(&commit, &Replace).unwrap())
    }

    /// Everybody of ours speaks and is heard by Alice as himself; Alice speaks and is heard.
    fn all_can_talk(&mut self) {
        assert_eq!(self.room.epoch_authenticator(), self.alice.authenticator());
        for leaf in self.leaves() {
            let text = format!("from {leaf:?}").into_bytes();
            let sealed = self.room.seal(leaf, &[], &text).unwrap();
            assert_eq!(self.alice.read(&sealed.message).unwrap(), (leaf, text));
        }
        let said = self.alice.say(b"to all").unwrap();
        assert_eq!(application(self.room.process(&said, &Replace).unwrap()).data, b"to all");
    }
}

impl PlainMember {
    fn join(welcome: &MlsMessage, ratchet_tree: &[u8], secret: &[u8]) -> Self {
        let mut room = HostedRoom::join(welcome, ratchet_tree, &[secret.to_vec()]).unwrap();
        let (_, own) = room.hosted.pop_first().unwrap();
        Self { reader: room.reader, key: own.key }
    }

    fn group_info(&self) -> Vec<u8> {
        let super::reader::Reader { provider, group } = &self.reader;
        group
            .export_group_info(provider.crypto(), &self.key, false)
            .unwrap()
            .tls_serialize_detached()
            .unwrap()
    }

    fn update(&mut self) -> MlsMessage {
        let super::reader::Reader { provider, group } = &mut self.reader;
        let bundle =
            group.self_update(provider, &self.key, openmls::prelude::LeafNodeParameters::default()).unwrap();
        group.merge_pending_commit(provider).unwrap();
        message(bundle.commit()).unwrap()
    }

    fn remove(&mut self, leaf: LeafIndex) -> MlsMessage {
        self.remove_all(&[leaf])
    }

    fn remove_all(&mut self, leaves: &[LeafIndex]) -> MlsMessage {
        let super::reader::Reader { provider, group } = &mut self.reader;
        let leaves: Vec<_> = leaves.iter().map(|leaf| LeafNodeIndex::new(leaf.0)).collect();
        let (commit, _, _) = group.remove_members(provider, &self.key, &leaves).unwrap();
        group.merge_pending_commit(provider).unwrap();
        message(&commit).unwrap()
    }

    fn commit_pending(&mut self) -> MlsMessage {
        let super::reader::Reader { provider, group } = &mut self.reader;
        let (commit, _, _) = group.commit_to_pending_proposals(provider, &self.key).unwrap();
        group.merge_pending_commit(provider).unwrap();
        message(&commit).unwrap()
    }
}

fn application(processed: Processed) -> Application {
    match processed {
        Processed::Application(application) => application,
        other => panic!("not an application message: {other:?}"),
    }
}

fn summary(processed: Processed) -> CommitSummary {
    match processed {
        Processed::Commit(summary) => summary,
        other => panic!("not a commit: {other:?}"),
    }
}
