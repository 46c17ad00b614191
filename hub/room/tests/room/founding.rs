//! Founding a room, and what is remembered of it.

use mimi_mls::{Epoch, IdentityRoots};
use mimi_room::{HubFacts, Reason, Refusal, Room};
use mimi_room_policy::components::ParticipantListData;
use mimi_room_policy::{ComponentId, template};
use mimi_uri::RoomUri;
use mimi_wire::{CreateRoomRequest, RequestHash};

use crate::world::*;

/// A component of a founding, changed.
fn with(mut beginning: Beginning, component: ComponentId, change: impl FnOnce(&mut Vec<u8>)) -> Beginning {
    change(&mut beginning.components.iter_mut().find(|(id, _)| *id == component).unwrap().1);
    beginning
}

fn refused(beginning: &Beginning) -> String {
    match beginning.create() {
        Err(Refusal::NotAllowed(reason)) => reason.to_string(),
        other => panic!("expected notAllowed: {other:?}"),
    }
}

#[test]
fn a_room_is_founded_by_a_listed_user_and_keeps_its_first_tree() {
    let (room, effects) = Beginning::direct().create().unwrap();

    assert_eq!(room.epoch(), Epoch(0));
    assert_eq!(effects.trees.len(), 1);
    assert!(effects.state_changed && effects.events.is_empty() && effects.lanes.is_empty());
}

#[test]
fn the_same_request_finds_the_room_that_it_has_founded() {
    let mut world = Beginning::direct().world();
    let at = world.now;

    world.reload();

    assert_eq!(world.room.founded_by(&RequestHash::of(b"request")), Some(at));
    assert_eq!(world.room.founded_by(&RequestHash::of(b"another")), None);
}

#[test]
fn a_hub_founds_rooms_of_its_own_domain_for_its_own_users() {
    let mut elsewhere = Beginning::direct();
    elsewhere.hub.domain = domain("c.example");
    let mut foreign = Beginning::direct();
    foreign.creator = user("bob@b");

    assert_eq!(elsewhere.create().unwrap_err(), Refusal::NotAllowed(Reason::OtherDomain));
    assert_eq!(foreign.create().unwrap_err(), Refusal::NotAllowed(Reason::OtherDomain));
}

#[test]
fn g30_only_a_listed_participant_creates_a_room() {
    let stranger = Beginning::new(template::direct(&room_uri(), &user("bob@b"), &user("carol@c")));

    assert_eq!(refused(&stranger), "the creator is not an active participant");
}

#[test]
fn the_creators_credential_is_the_creators_and_proved() {
    let beginning = Beginning::direct();
    let (_, founding) = beginning.found();
    let mut request = beginning.request(&founding);
    request.creator = user("dave@a");
    let create = |hub: &HubFacts, request: &CreateRoomRequest| {
        Room::create(hub, request, &RequestHash::of(b""), now()).map(drop)
    };

    assert_eq!(create(&beginning.hub, &request), Err(Refusal::NotAllowed(Reason::NotCreatorAlone)));
    let mut ignorant = beginning.hub.clone();
    ignorant.roots = IdentityRoots::default();
    let request = beginning.request(&founding);
    assert_eq!(create(&ignorant, &request), Err(Refusal::UnknownRoots(domain("a.example"))));
    let other = Beginning::direct();
    ignorant.roots = other.hub.roots;
    assert!(matches!(create(&ignorant, &request), Err(Refusal::NotAllowed(Reason::Identity(_)))));
}

#[test]
fn pm23_the_hub_is_an_external_sender() {
    let mut beginning = Beginning::direct();
    let (_, founding) = beginning.found();
    let request = beginning.request(&founding);

    beginning.hub.external_sender.signature_key = vec![1; 32];

    let verdict = Room::create(&beginning.hub, &request, &RequestHash::of(b""), now());
    assert_eq!(verdict.unwrap_err(), Refusal::NotAllowed(Reason::HubNotExternalSender));
}

#[test]
fn a6_the_franking_agent_is_the_hubs() {
    let beginning = with(Beginning::direct(), ComponentId::FRANKING_AGENT, |agent| agent[1] ^= 1);

    assert_eq!(refused(&beginning), "the franking agent is the hub's");
}

#[test]
fn i11_the_policy_is_that_of_this_room() {
    let other = RoomUri::parse("mimi://a.example/r/other").unwrap();
    let beginning = Beginning::new(template::direct(&other, &user("alice@a"), &user("bob@b")));

    assert_eq!(refused(&beginning), "I11: the policy is of the room mimi://a.example/r/other");
}

#[test]
fn components_that_are_no_policy_found_no_room() {
    let mut without = Beginning::direct();
    without.components.retain(|(id, _)| *id != ComponentId::PARTICIPANT_LIST);
    let garbled = with(Beginning::direct(), ComponentId::ROLES_LIST, |roles| roles.push(0));

    assert_eq!(refused(&without), "a room has a participant_list");
    assert!(refused(&garbled).starts_with("roles_list: "));
}

#[test]
fn i9_no_room_is_larger_than_the_hub_allows() {
    let mut beginning = Beginning::direct();

    beginning.hub.envelope.participants_max = 1;

    assert_eq!(refused(&beginning), "more participants or clients than this hub allows");
}

#[test]
fn a_room_whose_handshakes_the_hub_cannot_read_is_not_hosted() {
    let beginning = Beginning::direct().operated(|parameters| parameters.handshake_formats = vec![2]);

    assert_eq!(refused(&beginning), "handshakes must be public messages");
}

#[test]
fn a_forged_group_info_or_tree_founds_no_room() {
    let beginning = Beginning::direct();
    let (_, founding) = beginning.found();
    let create = |change: &dyn Fn(&mut CreateRoomRequest)| {
        let mut request = beginning.request(&founding);
        change(&mut request);
        Room::create(&beginning.hub, &request, &RequestHash::of(b""), now()).map(drop)
    };

    let forged = create(&|request| *request.group_info.last_mut().unwrap() ^= 1);
    let other_tree = create(&|request| *request.ratchet_tree.last_mut().unwrap() ^= 1);

    assert!(matches!(forged, Err(Refusal::NotAllowed(Reason::Mls(_)))), "{forged:?}");
    assert!(matches!(other_tree, Err(Refusal::NotAllowed(Reason::Mls(_)))), "{other_tree:?}");
}

#[test]
fn a_stored_header_of_another_layout_is_a_fault() {
    let (room, _) = Beginning::direct().create().unwrap();
    let mut header = room.header_bytes();
    header[0] = 0xff;

    let fault = Room::load(room_uri(), &header, room.group_bytes()).unwrap_err();

    assert_eq!(
        fault.to_string(),
        "the stored header of mimi://a.example/r/room does not decode: unknown version"
    );
    assert!(Room::load(room_uri(), &[], Vec::new()).is_err());
}

#[test]
fn a_group_that_does_not_load_is_a_fault_and_not_the_peers() {
    let mut world = World::direct();
    let own = world.own_commit("alice@a", &mimi_mls::hosted::CommitPlan::default());
    let mut room = Room::load(room_uri(), &world.room.header_bytes(), b"garbage".to_vec()).unwrap();
    let request = mimi_wire::UpdateRequest { bundle: bundle(&own) };

    let outcome = room.update(&world.hub, &domain("a.example"), &request, world.now);

    assert_eq!(outcome.unwrap_err().to_string(), "stored hub group does not decode");
}

#[test]
fn the_list_of_a_founding_may_have_members_who_are_not_there_yet() {
    let world = Beginning::direct().world();
    let list = world.gateways[&domain(HUB)].room.as_ref().unwrap().component(0x0022).unwrap();

    assert_eq!(ParticipantListData::decode(list).unwrap().participants.len(), 2);
    assert_eq!(world.lanes.len(), 0);
}
