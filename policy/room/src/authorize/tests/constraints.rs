//! What actions must not come to.

use super::*;

#[test]
fn r6_a_role_takes_no_more_participants_than_its_maximum() {
    let world = cooperative().with_role(2, |role| role.maximum_participants_constraint = Some(3));

    assert_eq!(world.ask("bob", add("dave", 2, 0)), Ok(()));
    assert_eq!(
        world.commit("alice", &[add("dave", 2, 0), add("erin", 2, 0)]),
        Err(DenyReason::MaximumParticipants(RoleIndex(2)))
    );
}

#[test]
fn a_pending_addition_takes_up_a_place() {
    let world = cooperative().with_role(2, |role| role.maximum_participants_constraint = Some(3));

    let world = world.accept(&add("dave", 2, 0));

    assert_eq!(world.ask("bob", add("erin", 2, 0)), Err(DenyReason::MaximumParticipants(RoleIndex(2))));
}

#[test]
fn r6_a_role_has_no_more_active_participants_than_its_maximum() {
    let world = cooperative().with_role(2, |role| role.maximum_active_participants_constraint = Some(2));
    let full = Err(DenyReason::MaximumActive(RoleIndex(2)));

    assert_eq!(world.ask("bob", add("dave", 2, 0)), Ok(()));
    assert_eq!(world.ask("bob", add_clients("bob", 5)), Ok(()));
    assert_eq!(world.ask("bob", add("dave", 2, 1)), full);
}

#[test]
fn r12_no_action_takes_a_role_below_its_minimum() {
    let world = cooperative().with_role(3, |role| {
        role.minimum_participants_constraint = 1;
        role.minimum_active_participants_constraint = 1;
    });

    assert_eq!(world.ask("alice", change("adam", 2, 0)), Err(DenyReason::MinimumParticipants(RoleIndex(3))));
    assert_eq!(world.ask("adam", remove("adam", 1)), Err(DenyReason::MinimumParticipants(RoleIndex(3))));
    assert_eq!(world.ask("adam", remove_clients("adam", 1)), Err(DenyReason::MinimumActive(RoleIndex(3))));
}

#[test]
fn r12_a_minimum_that_was_never_met_stops_nothing() {
    let world = cooperative()
        .listing(&[("alice", 4, 1), ("bob", 2, 1)])
        .with_role(3, |role| role.minimum_participants_constraint = 1);

    assert_eq!(world.ask("bob", add("dave", 2, 1)), Ok(()));
}

#[test]
fn r12_one_commit_may_swap_the_last_admin() {
    let world = cooperative().with_role(3, |role| role.minimum_participants_constraint = 1);

    assert_eq!(world.commit("alice", &[change("bob", 3, 0), change("adam", 2, 0)]), Ok(()));
}

#[test]
fn rm8_max_users_does_not_count_the_banned() {
    let world = cooperative().with_base(|base| base.max_users = Some(5));

    assert_eq!(world.ask("bob", add("dave", 2, 0)), Ok(()));
    assert_eq!(world.accept(&add("dave", 2, 0)).ask("bob", add("erin", 2, 0)), Err(DenyReason::MaxUsers));
    let full = cooperative().with_base(|base| base.max_users = Some(4));
    assert_eq!(full.ask("alice", change("eve", 2, 0)), Err(DenyReason::MaxUsers));
}

#[test]
fn rm7_max_clients_counts_leaves() {
    let world = cooperative().with_base(|base| base.max_clients = Some(8));

    assert_eq!(world.ask("bob", add_clients("bob", 1)), Ok(()));
    assert_eq!(world.ask("bob", add_clients("bob", 2)), Err(DenyReason::MaxClients));
    assert_eq!(world.ask("bob", add("dave", 2, 2)), Err(DenyReason::MaxClients));
}
