//! What a Synapse that is killed had in memory for us: it has noted that it was told, and never tells it (`forgotten` of
//! the adapter).

use super::left_out::{leave_out, opened_again};
use super::{World, shown};

/// Ends the homeserver and starts it again; of what it has not told us yet it has no transaction, and believes that it
/// went through all events.
fn forget(world: &mut World) {
    leave_out(world, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_is_not_overtaken() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;
    world.alice.send(&room, "message 0");
    world.host.event(|event| shown(&event.body) == "message 0").await;

    world.host.refuse_next(usize::MAX);
    world.alice.send(&room, "message 1");
    forget(&mut world);
    world.host.refuse_next(0);
    world.alice.send(&room, "message 2");

    world.host.event(|event| shown(&event.body) == "message 2").await;
    assert_eq!(world.taken(&room), ["invitation", "message 0", "message 1", "message 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_while_nobody_looked_comes_although_nothing_follows() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;
    world.alice.send(&room, "message 0");
    world.host.event(|event| shown(&event.body) == "message 0").await;

    world.session.close().await;
    world.alice.send(&room, "message 1");
    world.alice.send(&room, "message 2");
    forget(&mut world);
    opened_again(&mut world).await;

    world.host.event(|event| shown(&event.body) == "message 2").await;
    assert_eq!(world.taken(&room), ["invitation", "message 0", "message 1", "message 2"]);
}
