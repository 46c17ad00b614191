//! Fixed-membership rooms.

use super::*;

#[test]
fn rm5_the_list_of_a_fixed_room_never_changes() {
    let world = direct();
    let fixed = Err(DenyReason::FixedMembership);

    assert_eq!(world.ask("alice", add("carol", 2, 1)), fixed);
    assert_eq!(world.ask("alice", remove("bob", 0)), fixed);
    assert_eq!(world.ask("alice", remove("alice", 1)), fixed);
    assert_eq!(world.ask("alice", change("bob", 1, 0)), fixed);
    assert_eq!(world.ask_as(&Actor::new_user(&user("carol")), add("carol", 2, 1)), fixed);
}

#[test]
fn any_participant_of_a_fixed_room_adds_clients_of_the_other() {
    let world = direct();

    assert_eq!(world.ask("alice", add_clients("bob", 2)), Ok(()));
    assert_eq!(world.commit("alice", &[add_clients("bob", 2)]), Ok(()));
    assert_eq!(world.ask("alice", add_clients("carol", 1)), Err(DenyReason::TargetNotAParticipant));
    assert_eq!(world.ask("carol", add_clients("bob", 1)), Err(DenyReason::NotAParticipant));
}

#[test]
fn clients_of_the_banned_are_not_added_to_a_fixed_room() {
    let world = direct().listing(&[("alice", 2, 1), ("bob", 1, 0)]);

    assert_eq!(world.ask("alice", add_clients("bob", 1)), Err(DenyReason::TargetBanned));
}

#[test]
fn the_own_clients_of_a_fixed_room_come_and_go() {
    let world = direct();

    assert_eq!(world.ask("alice", add_clients("alice", 1)), Ok(()));
    assert_eq!(world.ask("alice", remove_clients("alice", 1)), Ok(()));
    assert_eq!(world.ask_as(&Actor::new_user(&user("bob")), add_clients("bob", 1)), Ok(()));
    let world = world.listing(&[("alice", 2, 1), ("bob", 2, 1)]);
    assert_eq!(world.ask("alice", remove_clients("bob", 1)), lacks(Capability::KICK));
}

#[test]
fn in_a_fixed_room_the_listed_claim_key_material_for_each_other() {
    let world = direct();
    let claim = |requester: &str, target: &str| {
        may_claim_key_material(&world.policy, &world.roster, &user(requester), &user(target))
    };

    assert_eq!(claim("alice", "bob"), Ok(()));
    assert_eq!(claim("bob", "alice"), Ok(()));
    assert_eq!(claim("alice", "alice"), Ok(()));
    assert_eq!(claim("carol", "bob"), Err(DenyReason::NotAParticipant));
    assert_eq!(claim("alice", "carol"), Err(DenyReason::FixedMembership));
}

#[test]
fn in_an_ordinary_room_key_material_is_claimed_for_those_who_may_be_added() {
    let world = cooperative();
    let claim = |requester: &str, target: &str| {
        may_claim_key_material(&world.policy, &world.roster, &user(requester), &user(target))
    };

    assert_eq!(claim("bob", "dave"), Ok(()));
    assert_eq!(claim("bob", "bob"), Ok(()));
    assert_eq!(claim("bob", "carol"), Err(DenyReason::NotOwnClient));
    assert_eq!(claim("bob", "eve"), Err(DenyReason::TargetBanned));
    assert_eq!(claim("eve", "dave"), Err(DenyReason::Banned));
}

#[test]
fn key_material_of_outsiders_needs_a_role_that_they_may_take() {
    let world = cooperative().with_role(2, |role| role.authorized_role_changes.clear());

    let denied = may_claim_key_material(&world.policy, &world.roster, &user("bob"), &user("dave"));

    assert_eq!(denied, no_change(0, 0));
}

#[test]
fn pm11_only_active_participants_who_may_send_do() {
    let world = direct();
    let send = |name: &str| can_send(&world.policy, &world.roster, &user(name));

    assert_eq!(send("alice"), Ok(()));
    assert_eq!(send("bob"), Err(DenyReason::Inactive));
    assert_eq!(send("carol"), Err(DenyReason::NotAParticipant));
    let world = cooperative().with_role(2, without(Capability::SEND_MESSAGE));
    assert_eq!(can_send(&world.policy, &world.roster, &user("eve")), Err(DenyReason::Banned));
    assert_eq!(can_send(&world.policy, &world.roster, &user("bob")), lacks(Capability::SEND_MESSAGE));
}

#[test]
fn pm11_who_may_not_receive_is_given_nothing() {
    let world = cooperative().with_role(2, without(Capability::RECEIVE_MESSAGE));
    let receive = |name: &str| can_receive(&world.policy, &world.roster, &user(name));

    assert_eq!(receive("alice"), Ok(()));
    assert_eq!(receive("bob"), lacks(Capability::RECEIVE_MESSAGE));
    assert_eq!(receive("eve"), Err(DenyReason::Banned));
}
