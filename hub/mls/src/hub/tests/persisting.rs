//! A hub's group at rest.

use super::super::HubGroup;
use super::world::{TOPIC, World, update};
use crate::fault::MlsFault;

/// What a stored room of a hundred members may cost, in bytes.
///
/// Measured 84 kB, of which 59 kB are the tree: X.509 credentials take 273 B each, media types and components 110 B.
const HUNDRED_MEMBERS_LENGTH_MAX: usize = 90_000;

#[test]
fn a_stored_group_goes_on_where_it_was() {
    let (mut world, [mut bob]) = World::with(["bob"]);
    let proposal = bob.propose_self_remove();
    world.propose(&proposal).unwrap();

    world.hub = HubGroup::load(&world.hub.persist()).unwrap();

    assert_eq!(world.hub.pending_proposals()[0].message, proposal);
    world.alice.follow(&proposal);
    for topic in [b"one", b"two"] {
        let made = world.alice.commit(vec![update(TOPIC, topic)], vec![]);
        world.accept(&made).unwrap();
        world.alice.merge();
        world.hub = HubGroup::load(&world.hub.persist()).unwrap();
        assert_eq!(world.hub.group_context().unwrap(), world.alice.context());
        assert_eq!(world.hub.group_info(), made.group_info);
    }
    assert_eq!(world.hub.members().len(), 1);
}

#[test]
fn a_room_of_a_hundred_is_stored_compactly() {
    let mut world = World::new();
    let candidates: Vec<_> = (0..99).map(|i| world.candidate(&format!("person-{i}")).key_package).collect();
    let made = world.alice.commit(vec![], candidates);
    world.accept(&made).unwrap();

    let stored = world.hub.persist();

    assert!(stored.len() <= HUNDRED_MEMBERS_LENGTH_MAX, "{} bytes", stored.len());
    assert_eq!(HubGroup::load(&stored).unwrap().members().len(), 100);
}

#[test]
fn bytes_that_were_not_stored_here_do_not_load() {
    let stored = World::new().hub.persist();
    let mut other_version = stored.clone();
    other_version[0] = 99;

    for bytes in [&[], &stored[..stored.len() - 1], &other_version] {
        assert_eq!(HubGroup::load(bytes).unwrap_err(), MlsFault::Stored("hub group"));
    }
}

#[test]
fn what_a_room_owns_may_move_between_threads() {
    fn moves<T: Send + Sync>() {}

    moves::<HubGroup>();
    moves::<super::super::Examined>();
    moves::<super::super::StagedCommit>();
    moves::<crate::hosted::HostedRoom>();
    moves::<crate::IdentityAuthority>();
    moves::<crate::SigningKey>();
}
