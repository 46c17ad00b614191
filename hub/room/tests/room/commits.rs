//! A4: commits of members.

use mimi_mls::hosted::CommitPlan;
use mimi_mls::{Epoch, IdentityAuthority, IdentityRoots};
use mimi_room::{EventKind, Reason, Refusal};
use mimi_room_policy::ComponentId;
use mimi_wire::{
    FanoutEvent, GroupInfoOption, HandshakeBundle, PartialGroupInfo, RatchetTreeOption, RatchetTreePresence,
    UpdateVerdict,
};

use crate::world::*;

fn add(package: Vec<u8>) -> CommitPlan {
    CommitPlan { adds: vec![package], ..CommitPlan::default() }
}

fn renew() -> CommitPlan {
    CommitPlan { with_path: true, ..CommitPlan::default() }
}

#[test]
fn a_commit_begins_the_next_epoch_and_goes_to_everyone() {
    let mut world = World::direct();

    let decision = world.commit("bob@b", &renew()).unwrap();

    let [event] = &decision.effects.events[..] else { panic!("not one event") };
    assert_eq!(decision.answer.verdict, UpdateVerdict::Success { accepted: event.timestamp });
    assert_eq!(decision.answer.error_description.as_str(), "");
    assert_eq!(event.kind, EventKind::Commit);
    assert_eq!(world.room.epoch(), Epoch(2));
    world.deliver();
    assert!(accepted(&world.says("alice@a")));
}

#[test]
fn the_listed_are_brought_in_with_a_welcome_that_has_the_full_tree() {
    let mut world = Beginning::direct().world();
    let package = world.mint("bob@b");

    let decision = world.commit("alice@a", &add(package)).unwrap();

    assert_eq!(kinds(&decision.effects), [EventKind::Commit, EventKind::Welcome]);
    let FanoutEvent::Welcome { ratchet_tree: RatchetTreeOption::Full(tree), .. } =
        &decision.effects.events[1].message.event
    else {
        panic!("no Welcome with a tree");
    };
    assert_eq!(decision.effects.trees, [(Epoch(1), tree.clone())]);
    world.deliver();
    assert!(accepted(&world.says("bob@b")));
}

#[test]
fn b4_a_user_adds_his_own_other_client() {
    let mut world = World::direct();
    world.deliver();

    world.brings("bob@b", "bob@b");

    assert_eq!(world.hosted(&user("bob@b")).hosted_leaves().len(), 2);
}

#[test]
fn g2_a_provider_commits_for_its_own_users_only() {
    let mut world = World::direct();
    let own = world.own_commit("bob@b", &renew());

    for provider in ["a.example", "c.example"] {
        assert!(is_not_that_provider(&world.update(provider, &bundle(&own))));
    }
    assert!(accepted(&world.update("b.example", &bundle(&own))));
}

#[test]
fn i4_of_two_commits_of_an_epoch_the_first_wins_and_the_other_is_told_the_epoch() {
    let mut world = World::direct();
    let late = bundle(&world.own_commit("bob@b", &renew()));
    world.commit("alice@a", &renew()).unwrap();

    let current = Epoch(2);
    assert_eq!(world.update("b.example", &late).unwrap_err(), Refusal::WrongEpoch { current });
    // Who has nobody here is not told.
    assert!(is_not_that_provider(&world.update("c.example", &late)));
}

#[test]
fn an_epoch_that_has_not_begun_is_a_wrong_epoch_too() {
    let mut world = World::direct();
    let mut behind = World::direct();
    world.commit("alice@a", &renew()).unwrap();
    world.deliver();
    let ahead = bundle(&world.own_commit("alice@a", &renew()));

    assert_eq!(behind.update("a.example", &ahead).unwrap_err(), Refusal::WrongEpoch { current: Epoch(1) });
}

#[test]
fn a_commit_for_another_group_is_refused() {
    let mut world = World::direct();
    let (mut other, _) = Beginning::direct().found_as(b"mimi://a.example/g/other");
    let own = other.commit(mimi_mls::LeafIndex(0), &renew(), &mimi_room::PolicyComponents).unwrap();

    let verdict = world.update("a.example", &bundle(&own));

    assert_eq!(verdict.unwrap_err(), Refusal::NotAllowed(Reason::OtherGroup));
}

#[test]
fn i5_a_commit_that_leaves_out_a_pending_proposal_is_refused() {
    let mut world = World::direct();
    let unaware = bundle(&world.own_commit("alice@a", &renew()));
    world.leaves("bob@b").unwrap();

    assert_eq!(not_allowed(world.update("a.example", &unaware)), "missing-pending-proposals");
    world.hosted(&user("alice@a")).abandon_commit();
    world.deliver();
    assert!(accepted(&world.commit("alice@a", &CommitPlan::default())));
}

#[test]
fn a_commit_of_a_proposal_that_the_hub_does_not_have_is_invalid() {
    let mut world = World::direct();
    let leaf = world.leaf("bob@b");
    let unseen = world.hosted(&user("bob@b")).propose_self_remove(leaf).unwrap();
    world.hosted(&user("alice@a")).process(&unseen, &mimi_room::PolicyComponents).unwrap();

    let verdict = world.commit("alice@a", &CommitPlan::default());

    assert_eq!(invalid_proposal(verdict), "a referenced proposal is not pending");
}

#[test]
fn a_forged_group_info_is_refused() {
    let mut world = World::direct();
    let own = world.own_commit("alice@a", &renew());
    let with = |group_info| match bundle(&own) {
        HandshakeBundle::Commit { commit, welcome, ratchet_tree, .. } => {
            HandshakeBundle::Commit { commit, welcome, group_info, ratchet_tree }
        }
        HandshakeBundle::Proposal { .. } => panic!("not a commit"),
    };
    let mut forged = own.group_info.clone();
    *forged.last_mut().unwrap() ^= 1;
    let partial = |presence, forge: u8| {
        let mut parts = own.partial.clone();
        parts.signature[0] ^= forge;
        with(GroupInfoOption::Partial(PartialGroupInfo { ratchet_tree: presence, parts }))
    };

    let refusal = not_allowed(world.update("a.example", &with(GroupInfoOption::full(&forged))));
    assert_eq!(refusal, "the GroupInfo has a signature that does not hold");
    let refusal = not_allowed(world.update("a.example", &partial(RatchetTreePresence::NoRatchetTree, 1)));
    assert_eq!(refusal, "the GroupInfo has a signature that does not hold");
    assert!(accepted(&world.update("a.example", &partial(RatchetTreePresence::NoRatchetTree, 0))));
}

#[test]
fn the_group_info_of_another_commit_is_refused() {
    let mut world = World::direct();
    let other = world.own_commit("bob@b", &renew());
    let own = world.own_commit("alice@a", &renew());
    let HandshakeBundle::Commit { commit, welcome, ratchet_tree, .. } = bundle(&own) else { panic!() };
    let group_info = GroupInfoOption::full(&other.group_info);

    let verdict =
        world.update("a.example", &HandshakeBundle::Commit { commit, welcome, group_info, ratchet_tree });

    assert_eq!(not_allowed(verdict), "the GroupInfo is of another group state");
}

#[test]
fn the_welcome_is_for_exactly_those_who_are_added() {
    let mut world = World::direct();
    let (first, second) = (world.mint("bob@b"), world.mint("bob@b"));
    let both = CommitPlan { adds: vec![first.clone(), second], ..CommitPlan::default() };
    let for_both = world.own_commit("alice@a", &both).welcome;
    world.hosted(&user("alice@a")).abandon_commit();
    let own = world.own_commit("bob@b", &add(first));
    let mut with = |welcome| {
        let HandshakeBundle::Commit { commit, group_info, ratchet_tree, .. } = bundle(&own) else { panic!() };
        world.update("b.example", &HandshakeBundle::Commit { commit, welcome, group_info, ratchet_tree })
    };

    assert_eq!(not_allowed(with(None)), "the Welcome is missing, or nobody is added");
    assert_eq!(not_allowed(with(for_both)), "the Welcome is for 1 who are not added");
    assert!(accepted(&with(own.welcome.clone())));
}

#[test]
fn the_ratchet_tree_is_the_groups_and_never_elsewhere() {
    let mut world = World::direct();
    let stale = world.hosted(&user("alice@a")).ratchet_tree().unwrap();
    let own = world.own_commit("alice@a", &renew());
    let mut with = |ratchet_tree| {
        let HandshakeBundle::Commit { commit, welcome, group_info, .. } = bundle(&own) else { panic!() };
        world.update("a.example", &HandshakeBundle::Commit { commit, welcome, group_info, ratchet_tree })
    };

    let elsewhere = "the ratchet tree must be full or left to the hub";
    assert_eq!(not_allowed(with(RatchetTreeOption::OutOfBand)), elsewhere);
    assert_eq!(
        not_allowed(with(RatchetTreeOption::HttpsUri("https://a.example/tree".to_owned()))),
        elsewhere
    );
    assert!(not_allowed(with(RatchetTreeOption::Full(stale))).starts_with("the ratchet tree is not that"));
}

#[test]
fn who_cannot_be_verified_yet_is_asked_for_first() {
    let mut world = Beginning::direct().world();
    let package = world.mint("bob@b");
    let all = world.hub.roots.clone();
    let mut ours_only = IdentityRoots::default();
    let ours = domain("a.example");
    ours_only.insert(&ours, world.authorities[&ours].root_der().to_vec()).unwrap();
    world.hub.roots = ours_only;

    let verdict = world.commit("alice@a", &add(package.clone()));

    assert_eq!(verdict.unwrap_err(), Refusal::UnknownRoots(domain("b.example")));
    world.hub.roots = all;
    assert!(accepted(&world.commit("alice@a", &add(package))));
}

#[test]
fn a12_only_the_users_own_provider_vouches_for_him() {
    let mut world = Beginning::direct().world();
    let rogue = IdentityAuthority::generate(&domain("b.example")).unwrap();
    world.authorities.insert(domain("b.example"), rogue);
    let package = world.mint("bob@b");

    let verdict = world.commit("alice@a", &add(package));

    assert_eq!(invalid_proposal(verdict), "no identity root of b.example has signed the certificate");
}

#[test]
fn i1_who_is_not_listed_gets_no_leaf_and_no_roots_are_fetched_for_him() {
    let mut world = World::direct();
    let package = world.mint("carol@c");
    world.hub.roots = IdentityRoots::default();

    let verdict = world.commit("alice@a", &add(package));

    assert_eq!(not_allowed(verdict), "the user acted upon is not a participant");
}

#[test]
fn g7_a_key_package_lives_no_longer_than_the_room_allows() {
    let mut world = Beginning::direct().operated(|parameters| parameters.max_kp_lifetime = 7_200).world();
    let package = world.mint_for("bob@b", 7_500);

    let verdict = world.commit("alice@a", &add(package));

    assert_eq!(invalid_proposal(verdict), "the KeyPackage has expired, or lives longer than the room allows");
}

#[test]
fn g7_an_expired_key_package_is_refused_by_the_time_of_the_request() {
    let mut world = Beginning::direct().world();
    let package = world.mint("bob@b");
    let commit = bundle(&world.own_commit("alice@a", &add(package)));
    world.now.0 += 3_601_000;

    let verdict = world.update("a.example", &commit);

    assert_eq!(invalid_proposal(verdict), "the KeyPackage has expired, or lives longer than the room allows");
}

#[test]
fn i9_no_room_grows_beyond_what_the_hub_allows() {
    let mut world = World::direct();
    world.hub.envelope.clients_max = 2;
    let package = world.mint("bob@b");

    let verdict = world.commit("bob@b", &add(package));

    assert_eq!(not_allowed(verdict), "more participants or clients than this hub allows");
}

#[test]
fn rm5_nobody_leaves_the_list_of_a_direct_chat_and_nobody_joins_it() {
    let mut world = World::direct();
    let package = world.mint("carol@c");
    let remove = CommitPlan { component_updates: vec![list_update(&[], &[1], &[])], ..CommitPlan::default() };
    let update = list_update(&[], &[], &[("carol@c", 2)]);
    let join = CommitPlan { component_updates: vec![update], ..add(package) };

    assert_eq!(not_allowed(world.commit("alice@a", &remove)), "the participants of this room are fixed");
    assert_eq!(not_allowed(world.commit("alice@a", &join)), "the participants of this room are fixed");
}

#[test]
fn b4_nobody_kicks_the_other_out_of_a_direct_chat() {
    let mut world = World::direct();
    let plan = CommitPlan { removes: vec![world.leaf("bob@b")], ..CommitPlan::default() };

    let verdict = world.commit("alice@a", &plan);

    assert_eq!(not_allowed(verdict), "the role lacks canKick");
}

#[test]
fn a6_whoever_brings_a_franking_agent_brings_the_hubs() {
    let mut beginning = Beginning::direct();
    beginning.components.retain(|(id, _)| *id != ComponentId::FRANKING_AGENT);
    let mut world = beginning.world();
    let agent = world.hub.franking.agent.clone();
    let mut forged = agent.clone();
    forged[1] ^= 1;
    let set = |agent| CommitPlan {
        component_updates: vec![(ComponentId::FRANKING_AGENT.0, agent)],
        ..CommitPlan::default()
    };

    assert_eq!(invalid_proposal(world.commit("alice@a", &set(forged))), "the franking agent is the hub's");
    assert!(accepted(&world.commit("alice@a", &set(agent))));
}

#[test]
fn the_room_goes_on_after_every_reload() {
    let mut world = Beginning::direct().world();
    world.reload();
    world.brings("alice@a", "bob@b");
    world.reload();
    world.leaves("bob@b").unwrap();
    world.reload();
    world.deliver();
    world.commit("alice@a", &CommitPlan::default()).unwrap();
    world.reload();
    world.deliver();
    world.brings("alice@a", "bob@b");
    world.reload();

    assert!(accepted(&world.says("bob@b")));
    assert_eq!(world.room.epoch(), Epoch(3));
}
