//! Rows about people and their clients in an ordinary room.

use super::*;

#[test]
fn list_add_needs_can_add_participant_and_the_transition_from_zero() {
    let world = cooperative();

    assert_eq!(world.ask("bob", add("dave", 2, 2)), Ok(()));
    assert_eq!(world.ask("alice", add("dave", 4, 0)), Ok(()));
    // RM12: the adder's own (0 -> t).
    assert_eq!(world.ask("bob", add("dave", 3, 1)), no_change(0, 3));
    assert_eq!(world.ask("bob", add("carol", 2, 0)), Err(DenyReason::AlreadyAParticipant));
    assert_eq!(world.ask("bob", add("dave", 9, 0)), Err(DenyReason::UnknownRole(RoleIndex(9))));
    assert_eq!(world.ask("bob", add("dave", 0, 0)), Err(DenyReason::UnknownRole(RoleIndex(0))));
    let capability = Capability::ADD_PARTICIPANT;
    assert_eq!(world.with_role(2, without(capability)).ask("bob", add("dave", 2, 1)), lacks(capability));
}

#[test]
fn list_add_of_a_banned_user_is_denied_for_the_banned_are_listed() {
    assert_eq!(cooperative().ask("alice", add("eve", 2, 0)), Err(DenyReason::AlreadyAParticipant));
}

#[test]
fn list_add_of_oneself_as_a_member_is_denied() {
    assert_eq!(cooperative().ask("dave", add("dave", 2, 1)), Err(DenyReason::NotAParticipant));
}

#[test]
fn list_remove_needs_can_remove_participant_and_the_transition_to_zero() {
    let world = cooperative();

    assert_eq!(world.ask("bob", remove("carol", 3)), Ok(()));
    assert_eq!(world.ask("bob", remove("adam", 1)), no_change(3, 0));
    assert_eq!(world.ask("bob", remove("dave", 0)), Err(DenyReason::TargetNotAParticipant));
    let capability = Capability::REMOVE_PARTICIPANT;
    assert_eq!(world.with_role(2, without(capability)).ask("bob", remove("carol", 3)), lacks(capability));
}

#[test]
fn rm15_no_leaf_of_a_removed_participant_remains() {
    let remain = Err(DenyReason::ClientsRemain(user("carol")));

    assert_eq!(cooperative().ask("bob", remove("carol", 2)), remain);
    assert_eq!(cooperative().commit("bob", &[remove("carol", 2)]), remain);
    assert_eq!(cooperative().commit("bob", &[remove("carol", 3)]), Ok(()));
}

#[test]
fn rm16_leaving_needs_can_remove_self_and_takes_all_own_leaves() {
    let world = cooperative();

    assert_eq!(world.ask("carol", remove("carol", 3)), Ok(()));
    assert_eq!(world.ask("carol", remove("carol", 1)), Err(DenyReason::ClientsRemain(user("carol"))));
    let capability = Capability::REMOVE_SELF;
    assert_eq!(world.with_role(2, without(capability)).ask("carol", remove("carol", 3)), lacks(capability));
}

#[test]
fn leaving_needs_the_transition_to_zero() {
    let world = cooperative().with_role(2, |role| role.authorized_role_changes.clear());

    assert_eq!(world.ask("carol", remove("carol", 3)), no_change(2, 0));
}

#[test]
fn adding_an_own_client_needs_can_add_own_client() {
    let world = cooperative();

    assert_eq!(world.ask("bob", add_clients("bob", 1)), Ok(()));
    let capability = Capability::ADD_OWN_CLIENT;
    assert_eq!(world.with_role(2, without(capability)).ask("bob", add_clients("bob", 1)), lacks(capability));
}

#[test]
fn a_second_own_client_needs_multi_device() {
    let world = cooperative().with_base(|base| base.multi_device = false);

    assert_eq!(world.ask("bob", add_clients("bob", 1)), Err(DenyReason::OneClientOnly(user("bob"))));
    let actor = Actor::new_user(&user("bob"));
    let resync = Action::Resync { user: user("bob") };
    assert_eq!(authorize_commit(&world.policy, &world.roster, &[(&actor, &resync)]), Ok(()));
}

#[test]
fn rm19_clients_of_another_listed_user_are_not_added_in_an_ordinary_room() {
    let world = cooperative();

    assert_eq!(world.ask("alice", add_clients("bob", 1)), Err(DenyReason::NotOwnClient));
    assert_eq!(world.ask("alice", add_clients("dave", 1)), Err(DenyReason::TargetNotAParticipant));
    assert_eq!(world.ask("alice", add_clients("eve", 1)), Err(DenyReason::TargetBanned));
}

#[test]
fn removing_an_own_leaf_needs_can_remove_own_client() {
    let world = cooperative();

    assert_eq!(world.ask("carol", remove_clients("carol", 1)), Ok(()));
    let capability = Capability::REMOVE_OWN_CLIENT;
    assert_eq!(
        world.with_role(2, without(capability)).ask("carol", remove_clients("carol", 1)),
        lacks(capability)
    );
}

#[test]
fn pm13_the_banned_may_take_their_own_leaves_away_and_nothing_else() {
    let world = cooperative().listing(&[("alice", 4, 1), ("eve", 1, 1)]);

    assert_eq!(world.ask("eve", remove_clients("eve", 1)), Ok(()));
    assert_eq!(world.ask("eve", remove_clients("alice", 1)), Err(DenyReason::Banned));
    assert_eq!(world.ask("eve", Action::Update), Err(DenyReason::Banned));
    assert_eq!(world.ask("eve", change("eve", 2, 0)), Err(DenyReason::Banned));
}

#[test]
fn a_kick_needs_can_kick_and_leaves_the_list_alone() {
    let world = cooperative();

    assert_eq!(world.ask("adam", remove_clients("carol", 2)), Ok(()));
    assert_eq!(world.ask("bob", remove_clients("carol", 3)), lacks(Capability::KICK));
}

#[test]
fn who_was_kicked_comes_back_by_an_own_client() {
    let world = cooperative().listing(&[("adam", 3, 1), ("carol", 2, 0)]);

    assert_eq!(world.ask_as(&Actor::new_user(&user("carol")), add_clients("carol", 1)), Ok(()));
}

#[test]
fn a_ban_needs_can_ban_and_the_transition_to_one_and_takes_all_leaves() {
    let world = cooperative();

    assert_eq!(world.ask("adam", change("carol", 1, 3)), Ok(()));
    assert_eq!(world.ask("adam", change("carol", 1, 2)), Err(DenyReason::ClientsRemain(user("carol"))));
    assert_eq!(world.ask("adam", change("alice", 1, 2)), no_change(4, 1));
    assert_eq!(world.ask("bob", change("carol", 1, 3)), lacks(Capability::CHANGE_USER_ROLE));
}

#[test]
fn rm2_a_ban_needs_a_role_one_named_banned() {
    let world = cooperative().with_role(1, |role| role.role_name = crate::components::Text::default());

    assert_eq!(world.ask("adam", change("carol", 1, 3)), Err(DenyReason::UnknownRole(RoleIndex(1))));
}

#[test]
fn a_change_of_role_and_a_kick_are_together_a_ban() {
    let world = cooperative().with_role(3, without(Capability::BAN));

    assert_eq!(world.ask("adam", change("carol", 1, 3)), Ok(()));
    let world = world.with_role(3, without(Capability::KICK));
    assert_eq!(world.ask("adam", change("carol", 1, 3)), lacks(Capability::KICK));
}

#[test]
fn somebody_who_is_not_there_is_banned_by_can_ban_alone() {
    let world = cooperative().with_role(3, without(Capability::ADD_PARTICIPANT));

    assert_eq!(world.ask("adam", add("mallory", 1, 0)), Ok(()));
    assert_eq!(world.ask("adam", add("mallory", 1, 1)), Err(DenyReason::ClientsRemain(user("mallory"))));
    assert_eq!(world.ask("adam", add("dave", 2, 0)), lacks(Capability::ADD_PARTICIPANT));
}

#[test]
fn rm17_an_unban_needs_can_unban_and_the_transition_from_one() {
    let world = cooperative().with_role(3, without(Capability::CHANGE_USER_ROLE));

    assert_eq!(world.ask("adam", change("eve", 2, 0)), Ok(()));
    assert_eq!(world.ask("adam", change("eve", 4, 0)), no_change(1, 4));
    assert_eq!(world.ask("adam", change("carol", 3, 0)), lacks(Capability::CHANGE_USER_ROLE));
    assert_eq!(world.ask("bob", change("eve", 2, 0)), lacks(Capability::CHANGE_USER_ROLE));
}

#[test]
fn rm19_an_unban_does_not_cover_clients() {
    let denied = cooperative().commit("adam", &[change("eve", 2, 0), add_clients("eve", 1)]);

    assert_eq!(denied, Err(DenyReason::TargetBanned));
}

#[test]
fn a_role_change_needs_can_change_user_role_and_the_transition() {
    let world = cooperative();

    assert_eq!(world.ask("adam", change("bob", 3, 0)), Ok(()));
    assert_eq!(world.ask("adam", change("bob", 4, 0)), no_change(2, 4));
    assert_eq!(world.ask("adam", change("bob", 0, 1)), Err(DenyReason::UnknownRole(RoleIndex(0))));
    assert_eq!(world.ask("adam", change("dave", 3, 0)), Err(DenyReason::TargetNotAParticipant));
    assert_eq!(world.ask("bob", change("carol", 3, 0)), lacks(Capability::CHANGE_USER_ROLE));
}

#[test]
fn a_role_change_that_takes_leaves_is_a_kick_too() {
    let world = cooperative().with_role(3, without(Capability::KICK));

    assert_eq!(world.ask("adam", change("carol", 3, 0)), Ok(()));
    assert_eq!(world.ask("adam", change("carol", 3, 1)), lacks(Capability::KICK));
}

#[test]
fn a_role_that_may_not_be_active_takes_the_leaves_away() {
    let world = cooperative().with_role(4, |role| {
        let enforcer = crate::components::SingleSourceRoleChangeTargets {
            from_role_index: RoleIndex(2),
            target_role_indexes: vec![RoleIndex(5)],
        };
        role.authorized_role_changes.push(enforcer);
    });

    assert_eq!(world.ask("alice", change("bob", 5, 1)), Ok(()));
    assert_eq!(world.ask("alice", change("bob", 5, 0)), Err(DenyReason::ClientsRemain(user("bob"))));
}
