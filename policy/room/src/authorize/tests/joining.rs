//! Rows about those who bring themselves in.

use super::*;
use crate::components::{
    Claim, ClaimId, OperationalParameters, PreAuthData, PreAuthRoleEntry, SingleSourceRoleChangeTargets,
};

fn open(world: World) -> World {
    world.with_role(0, |role| {
        role.role_capabilities.push(Capability::OPEN_JOIN.0);
        role.authorized_role_changes = vec![SingleSourceRoleChangeTargets {
            from_role_index: RoleIndex(0),
            target_role_indexes: vec![RoleIndex(2)],
        }];
    })
}

fn staff() -> Claim {
    Claim { claim_id: ClaimId { credential_type: 2, id: b"ou".to_vec() }, claim_value: b"staff".to_vec() }
}

/// A room that expects staff as admins.
fn preauthorizing() -> World {
    let world = cooperative();
    let admin = world.policy.role(RoleIndex(3)).unwrap().clone();
    let entry = PreAuthRoleEntry { claimset: vec![staff()], target_role: admin };
    let list = PreAuthData { preauthorized_entries: vec![entry] };
    let policy = world.policy.with(ComponentId::PREAUTH_LIST, Some(list.encode())).unwrap();
    let world = World { policy, ..world }.with_role(3, having(Capability::JOIN_IF_PREAUTHORIZED));
    world.with_role(2, having(Capability::CHANGE_OWN_ROLE))
}

fn newcomer(name: &str, claims: Vec<Claim>, code: Option<u32>) -> Actor {
    Actor::NewUser { user: user(name), claims, code: code.map(RoleIndex) }
}

#[test]
fn rm13_an_open_join_needs_can_open_join_in_role_zero_and_its_transition() {
    let world = open(cooperative());

    assert_eq!(world.ask_as(&newcomer("dave", vec![], None), add("dave", 2, 1)), Ok(()));
    let not_admitted = Err(DenyReason::NotAdmitted);
    assert_eq!(world.ask_as(&newcomer("dave", vec![], None), add("dave", 3, 1)), not_admitted);
    assert_eq!(cooperative().ask_as(&newcomer("dave", vec![], None), add("dave", 2, 1)), not_admitted);
    assert_eq!(
        world.ask_as(&newcomer("dave", vec![], None), add("erin", 2, 1)),
        Err(DenyReason::NotAParticipant)
    );
}

#[test]
fn an_open_join_stops_at_the_maximum() {
    let world = open(cooperative()).with_role(2, |role| role.maximum_participants_constraint = Some(2));

    assert_eq!(
        world.ask_as(&newcomer("dave", vec![], None), add("dave", 2, 1)),
        Err(DenyReason::MaximumParticipants(RoleIndex(2)))
    );
}

#[test]
fn the_banned_do_not_join_an_open_room() {
    let world = open(preauthorizing());

    let denied = world.ask_as(&newcomer("eve", vec![staff()], None), add("eve", 2, 1));

    assert_eq!(denied, Err(DenyReason::Banned));
}

#[test]
fn rm14_a_preauthorized_join_ignores_transitions_and_needs_the_roles_own_capability() {
    let world = preauthorizing();
    let not_admitted = Err(DenyReason::NotAdmitted);

    assert_eq!(world.ask_as(&newcomer("dave", vec![staff()], None), add("dave", 3, 1)), Ok(()));
    assert_eq!(world.ask_as(&newcomer("dave", vec![staff()], None), add("dave", 2, 1)), not_admitted);
    assert_eq!(world.ask_as(&newcomer("dave", vec![], None), add("dave", 3, 1)), not_admitted);
    let world = world.with_role(3, without(Capability::JOIN_IF_PREAUTHORIZED));
    assert_eq!(world.ask_as(&newcomer("dave", vec![staff()], None), add("dave", 3, 1)), not_admitted);
}

#[test]
fn a_join_code_needs_can_use_join_code_in_role_zero_and_the_codes_own_role() {
    let world = cooperative().with_role(0, having(Capability::USE_JOIN_CODE));
    let not_admitted = Err(DenyReason::NotAdmitted);

    assert_eq!(world.ask_as(&newcomer("dave", vec![], Some(2)), add("dave", 2, 1)), Ok(()));
    assert_eq!(world.ask_as(&newcomer("dave", vec![], Some(2)), add("dave", 3, 1)), not_admitted);
    assert_eq!(world.ask_as(&newcomer("dave", vec![], None), add("dave", 2, 1)), not_admitted);
    assert_eq!(cooperative().ask_as(&newcomer("dave", vec![], Some(2)), add("dave", 2, 1)), not_admitted);
}

#[test]
fn an_external_commit_of_a_listed_user_needs_can_add_own_client() {
    let world = cooperative();
    let bob = newcomer("bob", vec![], None);
    let capability = Capability::ADD_OWN_CLIENT;

    assert_eq!(world.ask_as(&bob, add_clients("bob", 1)), Ok(()));
    assert_eq!(world.ask_as(&bob, Action::Resync { user: user("bob") }), Ok(()));
    assert_eq!(world.ask_as(&bob, Action::Resync { user: user("carol") }), Err(DenyReason::NotOwnClient));
    assert_eq!(
        world.ask_as(&newcomer("dave", vec![], None), add_clients("dave", 1)),
        Err(DenyReason::NotAParticipant)
    );
    let world = world.with_role(2, without(capability));
    assert_eq!(world.ask_as(&bob, add_clients("bob", 1)), lacks(capability));
    assert_eq!(world.ask_as(&bob, Action::Resync { user: user("bob") }), lacks(capability));
}

#[test]
fn a_resync_replaces_a_leaf_that_is_there() {
    let world = direct();

    let denied = world.ask_as(&newcomer("bob", vec![], None), Action::Resync { user: user("bob") });

    assert_eq!(denied, Err(DenyReason::Inactive));
}

#[test]
fn the_operational_policy_closes_the_room_to_the_outside() {
    let closed = OperationalParameters::default().encode();
    let world = cooperative();
    let policy = world.policy.with(ComponentId::MLS_OPERATIONAL_POLICY, Some(closed)).unwrap();
    let world = World { policy, ..world };
    let (bob, own) = (newcomer("bob", vec![], None), add_clients("bob", 1));

    let proposed = world.ask_as(&bob, own.clone());
    let committed = authorize_commit(&world.policy, &world.roster, &[(&bob, &own)]);

    assert_eq!(proposed, Err(DenyReason::ExternalProposals));
    assert_eq!(committed.map_err(|denied| denied.reason), Err(DenyReason::ExternalCommits));
}

#[test]
fn rm18_the_own_role_changes_to_the_first_one_preauthorized() {
    let world = preauthorizing();
    let bob = |claims| Actor::User { user: user("bob"), claims };

    assert_eq!(world.ask_as(&bob(vec![staff()]), change("bob", 3, 0)), Ok(()));
    assert_eq!(world.ask_as(&bob(vec![staff()]), change("bob", 4, 0)), Err(DenyReason::NotPreauthorized));
    assert_eq!(world.ask_as(&bob(vec![]), change("bob", 3, 0)), Err(DenyReason::NotPreauthorized));
    let capability = Capability::CHANGE_OWN_ROLE;
    let world = world.with_role(2, without(capability));
    assert_eq!(world.ask_as(&bob(vec![staff()]), change("bob", 3, 0)), lacks(capability));
}

#[test]
fn a_policy_enforcer_acts_in_the_role_it_is_preauthorized_for() {
    let world = preauthorizing();
    let agent = |claims| Actor::External { sender: ExternalSender::Other, user: None, claims };

    assert_eq!(world.ask_as(&agent(vec![staff()]), change("carol", 1, 3)), Ok(()));
    assert_eq!(world.ask_as(&agent(vec![]), change("carol", 1, 3)), Err(DenyReason::NotAParticipant));
    assert_eq!(world.ask_as(&Actor::hub(), change("carol", 1, 3)), lacks(Capability::CHANGE_USER_ROLE));
}
