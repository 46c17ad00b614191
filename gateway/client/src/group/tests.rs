use mimi_mls::HostedClient;
use mimi_room_policy::components::{MediaType, MediaTypeList};
use mimi_room_policy::template::{GATEWAY, GROUP_ADMIN, ORDINARY_USER};
use mimi_uri::{ClientUri, Domain};
use mimi_wire::{Credential, FanoutEvent, FanoutMessage, FrankingAgentData};

use super::*;
use crate::reading::{Change, Listing, Reading};

/// MLS asks the machine itself whether a `KeyPackage` is of today.
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(u64::try_from(since.as_millis()).unwrap())
}

/// A room that the service of a.example founded, and one step for each test to go on from.
struct World {
    a: IdentityAuthority,
    b: IdentityAuthority,
    room: RoomUri,
    client: RoomClient,
}

fn user(uri: &str) -> UserUri {
    UserUri::parse(&format!("mimi://{uri}")).unwrap()
}

fn service() -> UserUri {
    user("a.example/u/_drawbridge")
}

fn title(name: &str) -> Title {
    Title { name: name.to_owned(), topic: String::new() }
}

impl World {
    fn new() -> Self {
        let authority = |name: &str| IdentityAuthority::generate(&Domain::parse(name).unwrap()).unwrap();
        let (a, b) = (authority("a.example"), authority("b.example"));
        let room = RoomUri::parse("mimi://a.example/r/g").unwrap();
        let hub = ClientUri::parse("mimi://a.example/d/hub/1").unwrap();
        let hub = HostedClient::generate(&a, &service(), &hub, 1000, now().seconds()).unwrap();
        let agent = FrankingAgentData {
            franking_signature_key: hub.signing_key().public(),
            credential: Credential::decode(hub.credential()).unwrap(),
        };
        let essence = Text::new("application/mimi-content").unwrap();
        let agents = HubAgents {
            external_sender: (hub.credential().to_vec(), hub.signing_key().public()),
            franking_agent: agent.encode(),
            content_media_types: MediaTypeList {
                media_type_list: vec![MediaType { essence, parameters: vec![] }],
            }
            .encode(),
        };
        let founding = GroupFounding {
            room: &room,
            service: &service(),
            title: &title("Tea"),
            agents: &agents,
            authority: &a,
            now: now(),
        };
        let (client, _) = RoomClient::found_group(&founding).unwrap();
        Self { a, b, room, client }
    }

    /// The steps as the service commits them, confirmed.
    fn commit(&mut self, steps: &[Step]) -> (HandshakeBundle, Change) {
        let update = self.client.commit_steps(&service(), steps).unwrap();
        (update.bundle, self.client.confirm().unwrap())
    }

    /// b.example's client, after it was added with these people.
    fn welcomed(&mut self, people: &[(&str, RoleIndex)]) -> RoomClient {
        let (mut steps, mut secrets) = (vec![], vec![]);
        for (name, role) in people {
            let who = user(&format!("b.example/u/{name}"));
            let leaf = own_leaf(&self.b, &who, now()).unwrap();
            steps.push(Step::List { user: who, role: *role, key_packages: vec![leaf.key_package] });
            secrets.push(leaf.secret);
        }
        let (HandshakeBundle::Commit { welcome: Some(message), .. }, _) = self.commit(&steps) else {
            panic!("a commit that adds brings a Welcome");
        };
        let ratchet_tree = RatchetTreeOption::Full(self.client.hosted.ratchet_tree().unwrap());
        let welcome =
            FanoutMessage { timestamp: now(), event: FanoutEvent::Welcome { message, ratchet_tree } };
        RoomClient::join(&self.room, &welcome, &secrets).unwrap()
    }
}

fn heard(bundle: HandshakeBundle) -> FanoutMessage {
    let event = match bundle {
        HandshakeBundle::Commit { commit, .. } => {
            FanoutEvent::Commit { message: commit, external_proposals: vec![] }
        }
        HandshakeBundle::Proposal { proposal, more_proposals } => {
            FanoutEvent::Proposal { message: proposal, more_proposals }
        }
    };
    FanoutMessage { timestamp: now(), event }
}

fn listing(user: UserUri, before: Option<u32>, after: Option<u32>) -> Listing {
    Listing { user, before: before.map(RoleIndex), after: after.map(RoleIndex) }
}

#[test]
fn a_thousand_people_are_listed_in_one_commit_and_none_of_them_gets_a_leaf() {
    let mut world = World::new();
    let people = (0..1000).map(|n| user(&format!("a.example/u/p{n}")));
    let steps: Vec<Step> =
        people.map(|user| Step::List { user, role: ORDINARY_USER, key_packages: vec![] }).collect();

    let (_, change) = world.commit(&steps);

    assert_eq!(change.listings.len(), 1000);
    assert_eq!((change.joined, change.left), (vec![], vec![]));
    assert_eq!((world.client.list().participants.len(), world.client.leaf_count()), (1001, 1));
}

#[test]
fn who_is_listed_gets_a_leaf_from_his_own_gateway_when_he_speaks() {
    let mut world = World::new();
    let alice = user("a.example/u/alice");
    world.commit(&[Step::List { user: alice.clone(), role: ORDINARY_USER, key_packages: vec![] }]);
    let leaf = own_leaf(&world.a, &alice, now()).unwrap();
    let step = Step::Client { user: alice.clone(), key_packages: vec![leaf.key_package] };

    assert_eq!(world.client.first_denied(&service(), std::slice::from_ref(&step)).unwrap(), None);
    let (_, change) = world.commit(&[step]);
    assert!(world.client.add_hosted(&leaf.secret).unwrap());

    assert_eq!((change.joined, change.listings), (vec![alice.clone()], vec![]));
    assert!(world.client.seal(&alice, b"hi", &[0; 32]).is_ok());
}

#[test]
fn another_gateway_reads_who_came_who_went_and_how_the_room_is_called() {
    let mut world = World::new();
    let (bob, carol) = (user("b.example/u/bob"), user("a.example/u/carol"));
    let mut theirs = world.welcomed(&[("bob", ORDINARY_USER)]);
    assert_eq!(theirs.title(), title("Tea"));

    let list = Step::List { user: carol.clone(), role: ORDINARY_USER, key_packages: vec![] };
    let (bundle, _) = world.commit(&[list, Step::Entitle(title("Coffee"))]);
    let Reading::Changed(change) = theirs.read(&heard(bundle)).unwrap() else { panic!("a change") };
    assert_eq!(change.listings, [listing(carol.clone(), None, Some(2))]);
    assert_eq!(change.title, Some(title("Coffee")));

    let ban = Step::Role { user: carol.clone(), role: RoleIndex::BANNED };
    let promotion = Step::Role { user: bob.clone(), role: GROUP_ADMIN };
    let (bundle, _) = world.commit(&[ban, promotion]);
    let Reading::Changed(change) = theirs.read(&heard(bundle)).unwrap() else { panic!("a change") };
    assert_eq!(change.listings, [listing(carol, Some(2), Some(1)), listing(bob, Some(2), Some(3))]);
    assert_eq!(change.title, None);
}

#[test]
fn a_gateway_may_bring_its_own_people_and_has_no_say_over_others() {
    let mut world = World::new();
    let theirs = world.welcomed(&[("bob", ORDINARY_USER), ("_drawbridge", GATEWAY)]);
    let gateway = user("b.example/u/_drawbridge");
    let list = |name: &str, role| Step::List { user: user(name), role, key_packages: vec![] };

    assert_eq!(theirs.gateway_role(), Some(GATEWAY));
    assert_eq!(theirs.first_denied(&gateway, &[list("b.example/u/dave", ORDINARY_USER)]).unwrap(), None);
    let denied = theirs
        .first_denied(&gateway, &[list("b.example/u/dave", ORDINARY_USER), Step::Unlist { user: service() }])
        .unwrap();
    assert_eq!(denied.map(|(at, _)| at), Some(1));
    assert!(theirs.first_denied(&gateway, &[list("b.example/u/eve", GROUP_ADMIN)]).unwrap().is_some());
}

#[test]
fn who_leaves_a_group_goes_off_the_list_with_the_next_commit() {
    let mut world = World::new();
    let bob = user("b.example/u/bob");
    let mut theirs = world.welcomed(&[("bob", GROUP_ADMIN)]);

    let leaving = heard(theirs.propose_unlisting(&bob).unwrap().bundle);
    assert!(matches!(world.client.read(&leaving).unwrap(), Reading::Proposed));
    assert!(world.client.has_pending());
    let (_, change) = world.commit(&[]);

    assert_eq!(change.left, std::slice::from_ref(&bob));
    assert_eq!(change.listings, [listing(bob, Some(3), None)]);
    assert!(!world.client.has_pending());
}

#[test]
fn who_is_unlisted_loses_his_leaf_too_and_a_snapshot_keeps_the_rest() {
    let mut world = World::new();
    let bob = user("b.example/u/bob");
    let theirs = world.welcomed(&[("bob", ORDINARY_USER)]);
    assert!(theirs.hosted_users().contains(&bob));

    let (_, change) = world.commit(&[Step::Unlist { user: bob.clone() }]);
    let mut again = RoomClient::load(&world.room, &world.client.snapshot().unwrap()).unwrap();
    let alice = user("a.example/u/alice");
    again
        .commit_steps(
            &service(),
            &[Step::List { user: alice.clone(), role: ORDINARY_USER, key_packages: vec![] }],
        )
        .unwrap();
    let next = again.confirm().unwrap();

    assert_eq!((change.left.as_slice(), world.client.role_of(&bob)), ([bob].as_slice(), None));
    assert_eq!(next.listings, [listing(alice, None, Some(2))]);
}
