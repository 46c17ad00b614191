//! Proposals that wait, and commits that must cover them.

use super::super::{MlsRefusal, Proposal, Proposer, Sender};
use super::world::{ROSTER, TOPIC, World, update};
use crate::components::Dictionary;
use crate::ids::{Epoch, LeafIndex};
use crate::label::sign_with_label;
use crate::message::MlsMessage;
use crate::tls::{put_vector, vector};

/// A proposal by the hub, framed and signed by hand: openmls frames external proposals without SafeAAD.
fn by_the_hub(world: &World, authenticated_data: &[u8], proposal: &[u8]) -> MlsMessage {
    let mut content = vec![];
    put_vector(&mut content, b"mimi://a.example/g/room");
    content.extend_from_slice(&world.hub.epoch().0.to_be_bytes());
    content.extend_from_slice(&[2, 0, 0, 0, 0]);
    put_vector(&mut content, authenticated_data);
    content.push(2);
    content.extend_from_slice(proposal);
    let framed = [&[0, 1, 0, 1], content.as_slice()].concat();
    let signature = sign_with_label(&world.hub_key, "FramedContentTBS", &framed);
    MlsMessage::decode(&[framed, vector(&signature)].concat()).unwrap()
}

/// A `Remove` of the leaf.
fn removing(leaf: u32) -> Vec<u8> {
    [&[0, 3], leaf.to_be_bytes().as_slice()].concat()
}

#[test]
fn a_self_remove_waits_until_somebody_commits_it() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let proposal = bob.propose_self_remove();

    let examined = world.hub.examine(&proposal).unwrap();
    assert_eq!(examined.sender(), &Sender::Member(LeafIndex(1)));
    assert_eq!(examined.proposals()[0].removes(), Some(LeafIndex(1)));
    world.hub.accept_proposal(examined, 7).unwrap();
    world.alice.follow(&proposal);
    let made = world.alice.commit(vec![], vec![]);
    world.accept(&made).unwrap();
    world.alice.merge();

    assert_eq!(world.hub.members().len(), 1);
    assert!(world.hub.pending_proposals().is_empty());
    assert_eq!(world.hub.group_context().unwrap(), world.alice.context());
}

#[test]
fn i5_a_commit_that_does_not_cover_a_pending_proposal_is_refused() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let proposal = bob.propose_self_remove();
    world.propose(&proposal).unwrap();
    let reference = world.hub.pending_proposals()[0].reference.clone();

    let made = world.alice.commit(vec![update(TOPIC, b"weather")], vec![]);

    let examined = world.hub.examine(&made.commit).unwrap();
    assert!(!examined.covers_all_pending());
    assert_eq!(examined.uncovered(), std::slice::from_ref(&reference));
    assert_eq!(
        world.stage(&made.commit, &made.attachments()).unwrap_err(),
        MlsRefusal::Uncovered(vec![reference])
    );
}

#[test]
fn i5_what_a_commit_leaves_nothing_to_do_for_is_covered() {
    let (mut world, [mut bob, mut carol]) = World::with(["bob", "carol"]);
    let (leaving, removal) = (bob.propose_self_remove(), carol.propose_remove(LeafIndex(1)));
    let renewal = world.alice.propose_update();
    for proposal in [&leaving, &removal, &renewal] {
        world.propose(proposal).unwrap();
    }
    world.alice.group.clear_pending_proposals(world.alice.provider.storage_ref()).unwrap();
    world.alice.follow(&leaving);

    let made = world.alice.commit(vec![], vec![]);

    let examined = world.hub.examine(&made.commit).unwrap();
    assert!(examined.covers_all_pending(), "{examined:?}");
    world.accept(&made).unwrap();
}

#[test]
fn a_commit_refers_to_proposals_that_the_hub_has_accepted() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let proposal = bob.propose_self_remove();
    world.alice.follow(&proposal);

    let made = world.alice.commit(vec![], vec![]);

    assert!(matches!(world.hub.examine(&made.commit), Err(MlsRefusal::UnknownProposal(_))));
}

#[test]
fn a_proposal_waits_once() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let proposal = bob.propose_self_remove();
    world.propose(&proposal).unwrap();

    assert_eq!(world.propose(&proposal), Err(MlsRefusal::AlreadyPending));
}

#[test]
fn em7_a_member_leaves_once_per_epoch() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let first = bob.propose_self_remove();
    world.propose(&first).unwrap();
    bob.group.clear_pending_proposals(bob.provider.storage_ref()).unwrap();
    bob.group.set_safe_aad(vec![openmls::prelude::SafeAadItem::new(0x20, vec![7; 32])]).unwrap();

    let second = bob.propose_self_remove();

    assert_eq!(world.propose(&second), Err(MlsRefusal::SelfRemove("comes once per member and epoch")));
}

#[test]
fn a_proposal_of_another_epoch_is_told_the_current_one() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let proposal = bob.propose_self_remove();
    let made = world.alice.commit(vec![], vec![]);
    world.accept(&made).unwrap();

    assert_eq!(world.propose(&proposal), Err(MlsRefusal::WrongEpoch { current: Epoch(2) }));
}

#[test]
fn the_hub_may_propose_that_somebody_goes() {
    let (mut world, [_bob]) = World::with(["bob"]);
    let proposal = by_the_hub(&world, &[0], &removing(1));

    let examined = world.hub.examine(&proposal).unwrap();
    assert_eq!(examined.sender(), &Sender::External(0));
    assert_eq!(examined.proposals()[0].proposer, Proposer::External(0));
    assert_eq!(examined.proposals()[0].proposal, Proposal::Remove(LeafIndex(1)));
    world.hub.accept_proposal(examined, 7).unwrap();
    world.alice.follow(&proposal);
    let made = world.alice.commit(vec![], vec![]);

    world.accept(&made).unwrap();
    assert_eq!(world.hub.members().len(), 1);
}

#[test]
fn em6_the_authenticated_data_is_a_safe_aad_and_nothing_besides() {
    let (world, [_bob]) = World::with(["bob"]);
    let refused = |authenticated_data| {
        let proposal = by_the_hub(&world, authenticated_data, &removing(1));
        matches!(world.hub.examine(&proposal), Err(MlsRefusal::SafeAad(_)))
    };

    assert!(refused(&[]));
    assert!(refused(&[0, 0xff]));
    assert!(refused(&[6, 0, 2, 0, 0, 1, 0]));
    assert!(!refused(&[6, 0, 1, 0, 0, 2, 0]));
}

#[test]
fn em4_group_context_extensions_leave_the_components_alone() {
    let (world, [_bob]) = World::with(["bob"]);
    let proposing = |components: Dictionary| {
        let extension = [&[0, 6], vector(&components.encode()).as_slice()].concat();
        let proposal = [&[0, 7], vector(&extension).as_slice()].concat();
        world.hub.examine(&by_the_hub(&world, &[0], &proposal)).map(|_| ())
    };
    let present = || world.hub.components().map(|(component, value)| (component, value.to_vec()));
    let changed = present().map(|(component, value)| match component {
        ROSTER => (component, b"mallory".to_vec()),
        _ => (component, value),
    });

    assert_eq!(proposing(present().collect()), Ok(()));
    assert_eq!(proposing(changed.collect()), Err(MlsRefusal::DictionaryTouched));
    assert_eq!(proposing(present().skip(1).collect()), Err(MlsRefusal::DictionaryTouched));
}

#[test]
fn em2_proposals_that_no_commit_could_cover_together_do_not_wait_together() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let (update, removal) = (bob.propose_component(TOPIC, Some(b"one")), bob.propose_component(TOPIC, None));
    let another = world.alice.propose_component(TOPIC, Some(b"two"));
    world.propose(&update).unwrap();

    assert!(matches!(world.propose(&removal), Err(MlsRefusal::Component(_))));
    world.propose(&another).unwrap();

    bob.group.clear_pending_proposals(bob.provider.storage_ref()).unwrap();
    bob.follow(&another);
    let made = bob.commit(vec![], vec![]);
    assert!(!world.hub.examine(&made.commit).unwrap().covers_all_pending());
    world.alice.follow(&update);
    let made = world.alice.commit(vec![], vec![]);
    world.accept(&made).unwrap();
    world.alice.merge();
    assert_eq!(world.hub.group_context().unwrap(), world.alice.context());
}

#[test]
fn nobody_but_the_hub_proposes_from_the_hubs_place() {
    let (mut world, [_bob]) = World::with(["bob"]);
    world.hub_key = crate::SigningKey::generate().unwrap();

    let forged = by_the_hub(&world, &[0], &removing(1));

    assert!(matches!(world.hub.examine(&forged), Err(MlsRefusal::Invalid(_))));
}
