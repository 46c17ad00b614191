//! What holds whatever is asked.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 7] = ["alice", "adam", "bob", "carol", "eve", "dave", "erin"];

fn name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&NAMES[..])
}

fn action() -> impl Strategy<Value = Action> {
    let (role, clients) = (0..6u32, 0..4u32);
    prop_oneof![
        (name(), role.clone(), clients.clone()).prop_map(|(name, role, clients)| add(name, role, clients)),
        (name(), clients.clone()).prop_map(|(name, clients)| remove(name, clients)),
        (name(), role, clients.clone()).prop_map(|(name, role, clients)| change(name, role, clients)),
        (name(), clients.clone()).prop_map(|(name, clients)| add_clients(name, clients)),
        (name(), clients).prop_map(|(name, clients)| remove_clients(name, clients)),
        name().prop_map(|name| Action::Resync { user: user(name) }),
    ]
}

/// Mostly the owner, who may do most: so that much is accepted.
fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        5 => Just(Actor::user(&user("alice"))),
        3 => name().prop_map(|name| Actor::user(&user(name))),
        1 => name().prop_map(|name| Actor::new_user(&user(name))),
        1 => Just(Actor::hub()),
    ]
}

fn world() -> impl Strategy<Value = World> {
    (any::<bool>(), any::<bool>()).prop_map(|(fixed, multi_device)| {
        let world = if fixed { super::direct() } else { cooperative() };
        world.with_base(|base| base.multi_device = multi_device)
    })
}

proptest! {
    #[test]
    fn i1_after_any_accepted_commit_every_new_leaf_is_of_a_participant_who_may_have_one(
        world in world(), asked in proptest::collection::vec((actor(), action()), 1..3)
    ) {
        let attributed: Vec<_> = asked.iter().map(|(actor, action)| (actor, action)).collect();

        if authorize_commit(&world.policy, &world.roster, &attributed).is_ok() {
            let mut after = world.roster.clone();
            for (_, action) in &attributed {
                after.commit(action);
            }
            for (user, standing) in after.iter().filter(|(_, standing)| standing.leaves > 0) {
                let role = standing.role.and_then(|role| world.policy.role(role)).unwrap();
                prop_assert!(!role.is_banned() && role.may_be_active(), "{user}");
            }
        }
    }

    #[test]
    fn what_was_accepted_as_a_proposal_may_be_committed_by_itself(
        world in world(), actor in actor(), action in action()
    ) {
        if authorize(&world.policy, &world.roster, &actor, std::slice::from_ref(&action)).is_ok() {
            let mut pending = world.roster.clone();
            pending.propose(&action);

            // A user's last leaf and its own list entry go by proposals that somebody else commits.
            prop_assert_eq!(authorize_commit(&world.policy, &pending, &[(&actor, &action)]), Ok(()));
        }
    }

    #[test]
    fn rm5_no_commit_changes_the_list_of_a_fixed_room(
        asked in proptest::collection::vec((actor(), action()), 1..3)
    ) {
        let world = super::direct();
        let attributed: Vec<_> = asked.iter().map(|(actor, action)| (actor, action)).collect();

        if authorize_commit(&world.policy, &world.roster, &attributed).is_ok() {
            prop_assert!(attributed.iter().all(|(_, action)| action.pending().is_none()));
        }
    }
}
