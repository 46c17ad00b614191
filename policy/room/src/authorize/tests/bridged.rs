//! A bridged room: gateways bring their own people in, and nobody else's.

use super::*;
use crate::template::GATEWAY;

/// Of a.example: the service that owns the room, alice (4), bob (2). Of b.example: a gateway (6) and carol, without a leaf.
fn bridged() -> World {
    let people = [
        ("_drawbridge@a", 4, 1),
        ("alice@a", 4, 1),
        ("bob@a", 2, 1),
        ("_drawbridge@b", 6, 1),
        ("carol@b", 2, 0),
    ];
    let pairs = people.map(|(name, role, _)| UserRolePair { user: at(name), role_index: RoleIndex(role) });
    let list = ParticipantListData { participants: pairs.to_vec() };
    let leaves: Vec<UserUri> =
        people.iter().filter(|(_, _, leaves)| *leaves > 0).map(|(name, ..)| at(name)).collect();
    let policy = read(&template::bridged(&room(), &at("_drawbridge@a")));
    let policy = policy.with(ComponentId::PARTICIPANT_LIST, Some(list.encode())).unwrap();
    World { roster: Roster::new(&list, &leaves), policy }
}

/// `name@a` is at `a.example`.
fn at(name: &str) -> UserUri {
    let (user, domain) = name.split_once('@').unwrap();
    UserUri::parse(&format!("mimi://{domain}.example/u/{user}")).unwrap()
}

fn commits(world: &World, who: &str, action: &Action) -> Result<(), DenyReason> {
    let actor = Actor::user(&at(who));
    authorize_commit(&world.policy, &world.roster, &[(&actor, action)]).map_err(|denied| denied.reason)
}

#[test]
fn a_gateway_adds_clients_of_listed_people_of_its_own_provider_only() {
    let world = bridged();
    let add = |name| Action::AddClients { user: at(name), clients: 1 };

    assert_eq!(commits(&world, "_drawbridge@b", &add("carol@b")), Ok(()));
    assert_eq!(commits(&world, "_drawbridge@a", &add("carol@b")), Err(DenyReason::NotOwnClient));
    assert_eq!(commits(&world, "bob@a", &add("carol@b")), Err(DenyReason::NotOwnClient));
    assert_eq!(
        may_claim_key_material(&world.policy, &world.roster, &at("_drawbridge@b"), &at("carol@b")),
        Ok(())
    );
    assert_eq!(
        may_claim_key_material(&world.policy, &world.roster, &at("_drawbridge@a"), &at("carol@b")),
        Err(DenyReason::NotOwnClient)
    );
}

#[test]
fn a_participant_brings_the_gateway_of_a_network_in() {
    let gateway = Action::AddParticipant { user: at("_drawbridge@c"), role: GATEWAY, clients: 1 };

    assert_eq!(commits(&bridged(), "bob@a", &gateway), Ok(()));
}

#[test]
fn a_gateway_lists_and_unlists_ordinary_people_and_has_no_say_over_others() {
    let world = bridged();
    let list = |role| Action::AddParticipant { user: at("dave@b"), role: RoleIndex(role), clients: 0 };
    let unlist = |name, clients| Action::RemoveParticipant { user: at(name), clients };

    assert_eq!(commits(&world, "_drawbridge@b", &list(2)), Ok(()));
    assert_eq!(commits(&world, "_drawbridge@b", &list(3)), no_change(0, 3));
    assert_eq!(commits(&world, "_drawbridge@b", &unlist("carol@b", 0)), Ok(()));
    assert_eq!(commits(&world, "_drawbridge@b", &unlist("alice@a", 1)), no_change(4, 0));
    let ban = Action::ChangeRole { user: at("bob@a"), role: RoleIndex::BANNED, removed_clients: 1 };
    assert!(commits(&world, "_drawbridge@b", &ban).is_err());
}

#[test]
fn the_service_that_owns_the_room_acts_for_native_owners() {
    let world = bridged();
    let change = |role, removed_clients| Action::ChangeRole {
        user: at("bob@a"),
        role: RoleIndex(role),
        removed_clients,
    };

    assert_eq!(commits(&world, "_drawbridge@a", &change(4, 0)), Ok(()));
    assert_eq!(commits(&world, "_drawbridge@a", &change(1, 1)), Ok(()));
    let owner = Action::ChangeRole { user: at("alice@a"), role: RoleIndex(2), removed_clients: 0 };
    assert_eq!(commits(&world, "_drawbridge@a", &owner), Ok(()));
}
