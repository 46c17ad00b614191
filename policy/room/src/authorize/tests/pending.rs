//! The effective state: what is accepted and not yet committed.

use super::*;

#[test]
fn i7_a_pending_removal_counts_at_once() {
    let world = cooperative().accept(&remove("bob", 1));

    assert_eq!(can_send(&world.policy, &world.roster, &user("bob")), Err(DenyReason::Leaving));
    assert_eq!(may_commit(&world.policy, &world.roster, &user("bob")), Err(DenyReason::Leaving));
    assert_eq!(world.ask("bob", add("dave", 2, 1)), Err(DenyReason::Leaving));
    assert_eq!(world.ask("bob", remove_clients("bob", 1)), Ok(()));
}

#[test]
fn i7_a_pending_ban_counts_at_once() {
    let world = cooperative().accept(&change("bob", 1, 1));

    assert_eq!(can_send(&world.policy, &world.roster, &user("bob")), Err(DenyReason::Banned));
    assert_eq!(may_commit(&world.policy, &world.roster, &user("bob")), Err(DenyReason::Banned));
    assert_eq!(world.ask_as(&Actor::new_user(&user("bob")), add_clients("bob", 1)), Err(DenyReason::Banned));
}

#[test]
fn a_pending_demotion_counts_at_once_and_a_pending_promotion_gives_nothing() {
    let demoted = cooperative().accept(&change("adam", 2, 0));
    let promoted = cooperative().accept(&change("bob", 3, 0));

    assert_eq!(demoted.ask("adam", remove_clients("carol", 1)), lacks(Capability::KICK));
    assert_eq!(promoted.ask("bob", remove_clients("carol", 1)), lacks(Capability::KICK));
    assert_eq!(can_send(&promoted.policy, &promoted.roster, &user("bob")), Ok(()));
}

#[test]
fn a_pending_kick_makes_inactive_at_once() {
    let world = cooperative().accept(&remove_clients("bob", 1));

    assert_eq!(can_send(&world.policy, &world.roster, &user("bob")), Err(DenyReason::Inactive));
}

#[test]
fn a_pending_addition_gives_no_right() {
    let world = cooperative().accept(&add("dave", 2, 1));

    assert_eq!(can_send(&world.policy, &world.roster, &user("dave")), Err(DenyReason::NotAParticipant));
    assert_eq!(
        world.ask_as(&Actor::new_user(&user("dave")), add_clients("dave", 1)),
        Err(DenyReason::NotAParticipant)
    );
}

#[test]
fn a_user_whom_a_pending_proposal_touches_is_not_touched_again() {
    let world = cooperative().accept(&change("bob", 3, 0));

    assert_eq!(world.ask("adam", change("bob", 1, 1)), Err(DenyReason::AlreadyPending));
    assert_eq!(world.ask("adam", change("bob", 3, 0)), Err(DenyReason::AlreadyPending));
    assert_eq!(world.commit("adam", &[remove("bob", 1)]), Err(DenyReason::AlreadyPending));
}

#[test]
fn a_commit_brings_about_what_is_pending() {
    let leaving = remove("bob", 1);
    let world = cooperative().accept(&leaving);
    let (bob, carol) = (Actor::user(&user("bob")), Actor::user(&user("carol")));
    let own = add_clients("carol", 1);

    let allowed = authorize_commit(&world.policy, &world.roster, &[(&bob, &leaving), (&carol, &own)]);

    assert_eq!(allowed, Ok(()));
}

#[test]
fn a_proposal_is_judged_again_by_the_role_its_proposer_has_now() {
    let kick = remove_clients("carol", 1);
    let world = cooperative().accept(&kick).accept(&change("adam", 2, 0));
    let (adam, alice) = (Actor::user(&user("adam")), Actor::user(&user("alice")));
    let demotion = change("adam", 2, 0);

    let denied = authorize_commit(&world.policy, &world.roster, &[(&alice, &demotion), (&adam, &kick)]);

    let reason = DenyReason::MissingCapability(Capability::KICK);
    assert_eq!(denied, Err(Denied { reason, action: Some(1) }));
}

#[test]
fn committing_what_was_proposed_settles_the_roster() {
    let world = cooperative();
    let actions = [remove("carol", 3), add("dave", 2, 2), change("bob", 3, 0), remove_clients("alice", 1)];
    let mut roster = world.roster.clone();

    for action in &actions {
        roster.propose(action);
    }
    for action in &actions {
        roster.commit(action);
    }

    let expected = cooperative().listing(&[
        ("alice", 4, 1),
        ("adam", 3, 1),
        ("bob", 3, 1),
        ("eve", 1, 0),
        ("dave", 2, 2),
    ]);
    assert_eq!(roster, expected.roster);
}

#[test]
fn pm25_two_actions_on_one_user_are_no_commit() {
    let world = cooperative();

    assert_eq!(
        world.commit("alice", &[change("bob", 3, 0), remove("bob", 1)]),
        Err(DenyReason::TouchedTwice)
    );
    assert_eq!(world.commit("alice", &[change("bob", 3, 0), remove("carol", 3)]), Ok(()));
}
