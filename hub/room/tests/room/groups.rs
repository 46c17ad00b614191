//! Cooperative rooms: who joins the list, who is taken off it, who is banned.

use mimi_mls::hosted::CommitPlan;
use mimi_room::{EventKind, Refusal};
use mimi_room_policy::components::RoleData;
use mimi_room_policy::template::{ORDINARY_USER, SUPER_ADMIN};
use mimi_room_policy::{Capability, ComponentId, DenyReason};

use crate::world::*;

/// alice@a owns it; the others are ordinary users.
fn cooperative(others: &[&str]) -> World {
    let mut world = Beginning::cooperative().world();
    for other in others {
        invite(&mut world, "alice@a", other);
    }
    world
}

fn invite(world: &mut World, who: &str, whom: &str) {
    let plan = CommitPlan {
        adds: vec![world.mint(whom)],
        component_updates: vec![list_update(&[], &[], &[(whom, 2)])],
        ..CommitPlan::default()
    };
    world.commit(who, &plan).unwrap();
    world.deliver();
}

#[test]
fn pm10_somebody_joins_the_list_in_the_commit_that_brings_his_first_leaf() {
    let mut world = cooperative(&["bob@b"]);

    invite(&mut world, "bob@b", "carol@c");

    assert!(accepted(&world.says("carol@c")));
}

#[test]
fn pm10_a_leaf_without_a_place_on_the_list_is_refused() {
    let mut world = cooperative(&["bob@b"]);
    let plan = CommitPlan { adds: vec![world.mint("carol@c")], ..CommitPlan::default() };

    assert_eq!(not_allowed(world.commit("bob@b", &plan)), "the user acted upon is not a participant");
}

#[test]
fn rm12_nobody_gives_a_role_that_he_may_not_give() {
    let mut world = cooperative(&["bob@b"]);
    let plan = CommitPlan {
        component_updates: vec![list_update(&[], &[], &[("carol@c", 4)])],
        ..CommitPlan::default()
    };

    let verdict = world.commit("bob@b", &plan);

    assert_eq!(not_allowed(verdict), "the role does not authorize a change from role 0 to 4");
}

#[test]
fn rm15_who_is_taken_off_the_list_leaves_no_client_behind() {
    let mut world = cooperative(&["bob@b"]);
    let off = list_update(&[], &[1], &[]);
    let clients_stay = CommitPlan { component_updates: vec![off.clone()], ..CommitPlan::default() };
    let all = CommitPlan {
        component_updates: vec![off],
        removes: vec![world.leaf("bob@b")],
        ..CommitPlan::default()
    };

    let refusal = not_allowed(world.commit("alice@a", &clients_stay));
    assert_eq!(refusal, "clients of mimi://b.example/u/bob would remain");
    assert!(accepted(&world.commit("alice@a", &all)));
}

#[test]
fn pm11_a_ban_counts_from_the_moment_it_is_proposed() {
    let mut world = cooperative(&["bob@b", "carol@c"]);
    let (alice, bob) = (world.leaf("alice@a"), world.leaf("bob@b"));
    let room = world.hosted(&user("alice@a"));
    let (component, ban) = list_update(&[(1, 1)], &[], &[]);
    let proposals = [
        room.propose_component_update(alice, component, &ban).unwrap(),
        room.propose_remove(alice, bob).unwrap(),
    ];

    world.propose("a.example", &proposals).unwrap();

    assert_eq!(world.says("bob@b").unwrap_err(), Refusal::from(DenyReason::Banned));
    assert!(accepted(&world.says("carol@c")));
    // PM12: nor does he commit, not even his own ban.
    world.deliver();
    let plan = CommitPlan { with_path: true, ..CommitPlan::default() };
    let leaf = world.leaf("bob@b");
    let own = world.hosted(&user("bob@b")).commit(leaf, &plan, &mimi_room::PolicyComponents);
    assert!(own.is_err());
    world.commit("carol@c", &CommitPlan::default()).unwrap();
    world.deliver();
    assert!(world.gateways[&domain("b.example")].room.is_none());
    let request = world.mint("bob@b");
    let back = CommitPlan { adds: vec![request], ..CommitPlan::default() };
    assert_eq!(not_allowed(world.commit("alice@a", &back)), "the user acted upon is banned");
}

#[test]
fn pm12_the_banned_commit_nothing_that_was_made_before_the_ban() {
    let mut world = cooperative(&["bob@b"]);
    let early = bundle(&world.own_commit("bob@b", &CommitPlan { with_path: true, ..CommitPlan::default() }));
    let (alice, bob) = (world.leaf("alice@a"), world.leaf("bob@b"));
    let room = world.hosted(&user("alice@a"));
    let (component, ban) = list_update(&[(1, 1)], &[], &[]);
    let proposals = [
        room.propose_component_update(alice, component, &ban).unwrap(),
        room.propose_remove(alice, bob).unwrap(),
    ];
    world.propose("a.example", &proposals).unwrap();

    assert_eq!(not_allowed(world.update("b.example", &early)), "banned");
}

#[test]
fn i5_what_somebody_has_proposed_stays_good_when_he_is_banned_afterwards() {
    let mut world = cooperative(&["bob@b", "carol@c"]);
    let (alice, bob) = (world.leaf("alice@a"), world.leaf("bob@b"));
    let (component, invitation) = list_update(&[], &[], &[("dave@a", 2)]);
    let invitation =
        world.hosted(&user("bob@b")).propose_component_update(bob, component, &invitation).unwrap();
    world.propose("b.example", &[invitation]).unwrap();
    let room = world.hosted(&user("alice@a"));
    let (component, ban) = list_update(&[(1, 1)], &[], &[]);
    let proposals = [
        room.propose_component_update(alice, component, &ban).unwrap(),
        room.propose_remove(alice, bob).unwrap(),
    ];
    world.propose("a.example", &proposals).unwrap();
    world.deliver();

    let verdict = world.commit("carol@c", &CommitPlan::default());

    assert!(accepted(&verdict), "{verdict:?}");
}

#[test]
fn b4_who_is_about_to_be_demoted_does_not_use_his_old_role() {
    let mut world = cooperative(&["bob@b", "carol@c"]);
    let list = |changed: &[(u32, u32)]| CommitPlan {
        component_updates: vec![list_update(changed, &[], &[])],
        ..CommitPlan::default()
    };
    world.commit("alice@a", &list(&[(1, 3)])).unwrap();
    world.deliver();
    let alice = world.leaf("alice@a");
    let (component, demotion) = list_update(&[(1, 2)], &[], &[]);
    let demotion =
        world.hosted(&user("alice@a")).propose_component_update(alice, component, &demotion).unwrap();
    world.propose("a.example", &[demotion]).unwrap();
    world.deliver();
    let ban_carol = CommitPlan { removes: vec![world.leaf("carol@c")], ..list(&[(2, 1)]) };

    let verdict = world.commit("bob@b", &ban_carol);

    assert_eq!(not_allowed(verdict), "the role lacks canChangeUserRole");
    assert!(accepted(&world.commit("bob@b", &CommitPlan::default())));
}

#[test]
fn pm25_a_user_whom_a_pending_proposal_touches_is_touched_by_no_other() {
    let mut world = cooperative(&["bob@b"]);
    let (alice, bob) = (world.leaf("alice@a"), world.leaf("bob@b"));
    let room = world.hosted(&user("alice@a"));
    let propose = |room: &mut mimi_mls::hosted::HostedRoom, (component, update): (u16, Vec<u8>)| {
        room.propose_component_update(alice, component, &update).unwrap()
    };
    let ban = [propose(room, list_update(&[(1, 1)], &[], &[])), room.propose_remove(alice, bob).unwrap()];
    let promotion = propose(room, list_update(&[(1, 3)], &[], &[]));
    world.propose("a.example", &ban).unwrap();

    let verdict = world.propose("a.example", &[promotion]);

    assert_eq!(invalid_proposal(verdict), "a pending proposal touches the user already");
}

#[test]
fn b4_what_another_has_proposed_is_judged_by_his_own_role() {
    let mut world = cooperative(&["bob@b", "carol@c"]);
    let bob = world.leaf("bob@b");
    let (component, ban) = list_update(&[(2, 1)], &[], &[]);
    let proposal = world.hosted(&user("bob@b")).propose_component_update(bob, component, &ban).unwrap();

    let verdict = world.propose("b.example", &[proposal]);

    assert_eq!(invalid_proposal(verdict), "the role lacks canChangeUserRole");
}

#[test]
fn an_invitation_that_is_proposed_is_committed_by_another_and_gives_no_right_before() {
    let mut world = cooperative(&["bob@b"]);
    let bob = world.leaf("bob@b");
    let (component, invitation) = list_update(&[], &[], &[("carol@c", 2)]);
    let proposal =
        world.hosted(&user("bob@b")).propose_component_update(bob, component, &invitation).unwrap();
    world.propose("b.example", &[proposal]).unwrap();
    world.deliver();
    let mut borrowed = world.message("bob@b");
    borrowed.sending_user = user("carol@c");

    let early = world.submit("c.example", &borrowed);
    let decision = world.commit("alice@a", &CommitPlan::default()).unwrap();

    assert_eq!(early.unwrap_err(), Refusal::from(DenyReason::NotAParticipant));
    assert_eq!(kinds(&decision.effects), [EventKind::Commit]);
    world.deliver();
    assert!(
        world
            .room
            .authorize_key_material(&domain("b.example"), &crate::key_material::request("bob@b", "carol@c"))
            .is_err()
    );
}

#[test]
fn d1_roles_that_would_leave_clients_without_right_are_refused() {
    let mut beginning = Beginning::cooperative();
    let (_, bytes) = beginning.components.iter_mut().find(|(id, _)| *id == ComponentId::ROLES_LIST).unwrap();
    let mut roles = RoleData::decode(bytes).unwrap();
    let owner = roles.roles.iter_mut().find(|role| role.role_index == SUPER_ADMIN).unwrap();
    owner.role_capabilities.push(Capability::CHANGE_ROLE_DEFINITIONS.0);
    *bytes = roles.encode();
    let mut world = beginning.world();
    invite(&mut world, "alice@a", "bob@b");
    let ordinary = roles.roles.iter_mut().find(|role| role.role_index == ORDINARY_USER).unwrap();
    ordinary.maximum_active_participants_constraint = Some(0);
    let mut change = |roles: &RoleData| {
        let component_updates = vec![(ComponentId::ROLES_LIST.0, roles.encode())];
        world.commit("alice@a", &CommitPlan { component_updates, ..CommitPlan::default() })
    };

    let refusal = not_allowed(change(&roles));

    assert_eq!(refusal, "mimi://b.example/u/bob may not have these clients in the group");
    let ordinary = roles.roles.iter_mut().find(|role| role.role_index == ORDINARY_USER).unwrap();
    ordinary.maximum_active_participants_constraint = Some(1);
    assert!(accepted(&change(&roles)));
}
