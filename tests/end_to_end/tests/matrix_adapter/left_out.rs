//! A transaction that Synapse made while its recoverer was ending: it is kept and never sent (`sequence` of the adapter).

use std::process::Command;
use std::sync::Arc;

use end_to_end::test_python;
use mimi_adapter::Adapter;
use mimi_adapter::conformance::RecordingHost;

use super::{World, shown};

/// Ends the homeserver, and starts it again with these events in a transaction that it believes to be sent.
pub(super) fn leave_out(world: &mut World, events: &[String]) {
    world.synapse.stop();
    let database = world.synapse.scratch().join("homeserver.db");
    let done =
        Command::new(test_python()).args(["-c", LEAVING_OUT]).arg(database).args(events).status().unwrap();
    assert!(done.success());
    world.synapse.start_again();
}

/// As it is found after that: one transaction, of a number below those to come, although the service is up and the
/// homeserver has gone through all events.
const LEAVING_OUT: &str = r#"
import json, sqlite3, sys
database, *events = sys.argv[1:]
db = sqlite3.connect(database)
db.execute("DELETE FROM application_services_txns")
for number, event in enumerate(events, 1000):
    db.execute("INSERT INTO application_services_txns VALUES ('drawbridge', ?, ?)", (number, json.dumps([event])))
db.execute("INSERT OR IGNORE INTO application_services_state (as_id) VALUES ('drawbridge')")
db.execute("UPDATE application_services_state SET state = 'up' WHERE as_id = 'drawbridge'")
db.execute("UPDATE appservice_stream_position SET stream_ordering = (SELECT MAX(stream_ordering) FROM events)")
db.commit()
"#;

pub(super) async fn opened_again(world: &mut World) {
    world.session = world.adapter.open(Arc::<RecordingHost>::clone(&world.host)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_out_comes_although_nothing_follows() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;

    world.session.close().await;
    let left_out = ["message 1", "message 2"].map(|text| world.alice.send(&room, text));
    leave_out(&mut world, &left_out);
    opened_again(&mut world).await;

    world.host.event(|event| shown(&event.body) == "message 2").await;
    assert_eq!(world.taken(&room), ["invitation", "message 1", "message 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_out_before_the_session_is_not_overtaken() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;

    world.session.close().await;
    let left_out = [world.alice.send(&room, "message 1")];
    leave_out(&mut world, &left_out);
    opened_again(&mut world).await;
    world.alice.send(&room, "message 2");
    world.alice.send(&room, "message 3");

    world.host.event(|event| shown(&event.body) == "message 3").await;
    assert_eq!(world.taken(&room), ["invitation", "message 1", "message 2", "message 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_out_while_the_session_was_open_is_not_overtaken() {
    let mut world = World::start().await;
    let room = world.direct_chat().await;
    world.alice.send(&room, "message 0");
    world.host.event(|event| shown(&event.body) == "message 0").await;

    world.host.refuse_next(usize::MAX);
    let left_out = [world.alice.send(&room, "message 1")];
    leave_out(&mut world, &left_out);
    world.host.refuse_next(0);
    world.alice.send(&room, "message 2");

    world.host.event(|event| shown(&event.body) == "message 2").await;
    assert_eq!(world.taken(&room), ["invitation", "message 0", "message 1", "message 2"]);
}
