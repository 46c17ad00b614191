//! What was acknowledged is there after a crash, and what conflicted is not.

use std::sync::Arc;

use mimi_mls::Epoch;
use tokio::task::JoinSet;

use super::{Disk, places, sample};
use crate::{
    Batch, Claimed, Decide, LaneChange, LaneProgress, NewEvent, RoomVersion, RowChange, RowKind, Seq,
    StoreFault,
};

const KIND: RowKind = RowKind("link");

pub async fn everything_survives_a_crash(disk: &dyn Disk) {
    let store = disk.open().await;
    let room = sample::room("r");
    let peer = sample::provider("b");
    let decide = Decide {
        events: vec![sample::message(1)],
        lanes: vec![LaneChange::Open { peer: peer.clone(), from: Seq(1) }],
        routes: vec![(sample::reference(2), peer.clone())],
        trees: vec![(Epoch(1), b"tree".to_vec())],
        ..sample::founding("r")
    };
    store.decide(decide).await.unwrap();
    store.claim(sample::claim(1, "answer", vec![sample::key_package(1)])).await.unwrap();
    let batch_end = LaneProgress::BatchEnd {
        room: room.clone(),
        peer: peer.clone(),
        from: Seq(1),
        position: Seq(1),
        batch_end: Seq(2),
    };
    let insert = RowChange::Insert { kind: KIND, key: b"k".to_vec(), bytes: b"link".to_vec() };
    store.record(Batch { rows: vec![insert], lanes: vec![batch_end], ..Batch::default() }).await.unwrap();

    drop(store);
    let store = disk.open().await;

    assert_eq!(store.room(&room).await.unwrap().unwrap().group, sample::state(1).group);
    assert_eq!(places(&*store, "r").await, [1]);
    assert_eq!(store.lanes().await.unwrap()[0].batch_end, Some(Seq(2)));
    assert_eq!(store.route(&room, &sample::reference(2)).await.unwrap(), Some(peer));
    assert_eq!(store.tree(&room, Epoch(1)).await.unwrap(), Some(b"tree".to_vec()));
    assert_eq!(store.key_package(&sample::reference(1)).await.unwrap().unwrap().secret, [1; 100]);
    assert_eq!(store.row(KIND, b"k").await.unwrap().unwrap().bytes, b"link");
    let replayed = store.claim(sample::claim(1, "other", vec![])).await;
    assert_eq!(replayed, Ok(Claimed::Replayed(b"answer".to_vec())));
}

pub async fn what_was_acknowledged_to_many_writers_survives_a_crash(disk: &dyn Disk) {
    let store = disk.open().await;
    let mut writers = JoinSet::new();

    for writer in 0..40 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let name = format!("r{writer}");
            store.decide(sample::founding(&name)).await.unwrap();
            for seq in 1..=10 {
                store.decide(sample::accepting(&name, vec![sample::message(seq)])).await.unwrap();
            }
            let key = name.as_bytes().to_vec();
            let rows = vec![RowChange::Insert { kind: KIND, key, bytes: b"done".to_vec() }];
            store.record(Batch { rows, ..Batch::default() }).await.unwrap();
            name
        });
    }
    let names = writers.join_all().await;
    drop(store);
    let store = disk.open().await;

    assert_eq!(names.len(), 40);
    for name in names {
        assert!(places(&*store, &name).await.into_iter().eq(1..=10), "{name}");
        assert_eq!(store.row(KIND, name.as_bytes()).await.unwrap().unwrap().bytes, b"done");
    }
}

pub async fn a_conflict_does_not_touch_what_is_stored_beside_it(disk: &dyn Disk) {
    let store = disk.open().await;
    for name in ["r", "s"] {
        store.decide(sample::founding(name)).await.unwrap();
    }
    let mut writers = JoinSet::new();

    // In r two writers want every place; in s nobody is in anyone's way.
    for seq in 1..=64 {
        for (name, request) in [("r", 1_000 + seq), ("r", 2_000 + seq), ("s", seq)] {
            let store = Arc::clone(&store);
            let request_hash = Some(sample::request(request));
            let event = NewEvent { request_hash, ..sample::message(seq) };
            writers.spawn(async move {
                let outcome = store.decide(sample::accepting(name, vec![event])).await;
                (name, request, outcome)
            });
        }
    }
    let outcomes = writers.join_all().await;
    drop(store);
    let store = disk.open().await;

    for (name, request, outcome) in &outcomes {
        let found = store.event_by_hash(&sample::room(name), &sample::request(*request)).await.unwrap();
        assert_eq!(found.is_some(), outcome.is_ok(), "{name} {request}: {outcome:?}");
        assert!(matches!(outcome, Ok(()) | Err(StoreFault::Conflict)), "{name} {request}: {outcome:?}");
    }
    let lost = outcomes.iter().filter(|(name, _, outcome)| *name == "s" && outcome.is_err()).count();
    assert_eq!(lost, 0);
    assert!(places(&*store, "r").await.into_iter().eq(1..=64));
    assert!(places(&*store, "s").await.into_iter().eq(1..=64));
}

pub async fn messages_sent_without_waiting_are_stored_in_order(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    let message = |seq, version| Decide {
        fence: Some(RoomVersion(version)),
        ..sample::accepting("r", vec![sample::message(seq)])
    };
    let update =
        |seq, version, number| Decide { state: Some(sample::state(number)), ..message(seq, version) };

    // Each is decided on what the ones before it will have stored.
    let outcomes = tokio::join!(
        biased;
        store.decide(message(1, 1)),
        store.decide(update(2, 1, 2)),
        store.decide(message(3, 2)),
        store.decide(message(4, 1)),
        store.decide(update(4, 2, 3)),
        store.decide(message(5, 3)),
    );

    let conflict = Err(StoreFault::Conflict);
    assert_eq!(outcomes, (Ok(()), Ok(()), Ok(()), conflict, Ok(()), Ok(())));
    assert_eq!(places(&*store, "r").await, [1, 2, 3, 4, 5]);
    let row = store.room(&sample::room("r")).await.unwrap().unwrap();
    assert_eq!((row.version, row.header), (RoomVersion(3), sample::state(3).header));
}

pub async fn a_reopened_store_goes_on_where_it_was(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::accepting("r", vec![sample::message(1)])).await.unwrap();

    drop(store);
    let store = disk.open().await;
    let repeated = store.decide(sample::accepting("r", vec![sample::message(1)])).await;
    let next = store.decide(sample::accepting("r", vec![sample::message(2)])).await;

    assert_eq!((repeated, next), (Err(StoreFault::Conflict), Ok(())));
    assert_eq!(places(&*store, "r").await, [1, 2]);
}
