//! What a Synapse that is killed had in memory for us: it has noted that it was told, and never tells it (`forgotten` of
//! the adapter).

use std::process::Command;
use std::sync::Arc;

use end_to_end::test_python;
use mimi_adapter::Adapter;
use mimi_adapter::conformance::RecordingHost;

use super::{World, shown};

/// Ends the homeserver and starts it again; of what it has not told us yet it knows nothing any more.
fn forget(world: &mut World) {
    world.synapse.kill();
    let database = world.synapse.scratch().join("homeserver.db");
    let done = Command::new(test_python()).args(["-c", FORGETTING]).arg(database).status().unwrap();
    assert!(done.success());
    world.synapse.start_again();
}

/// As it is found after a kill: no transaction, although the homeserver has gone through all events.
const FORGETTING: &str = r#"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("DELETE FROM application_services_txns")
db.execute("UPDATE application_services_state SET state = 'up' WHERE as_id = 'drawbridge'")
db.execute("UPDATE appservice_stream_position SET stream_ordering = (SELECT MAX(stream_ordering) FROM events)")
db.commit()
"#;

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
    world.session = world.adapter.open(Arc::<RecordingHost>::clone(&world.host)).await.unwrap();

    world.host.event(|event| shown(&event.body) == "message 2").await;
    assert_eq!(world.taken(&room), ["invitation", "message 0", "message 1", "message 2"]);
}
