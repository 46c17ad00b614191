//! `decide`: as a whole or not at all, behind a fence.

use mimi_mls::Epoch;

use super::{Disk, places, sample};
use crate::limits::TREES_KEPT;
use crate::{
    Audience, Decide, EventKind, EventLimit, EventRow, Head, LaneChange, NewEvent, RoomRole, RoomRow,
    RoomVersion, Seq, StoreFault,
};

fn everything() -> Decide {
    let welcome = NewEvent {
        kind: EventKind::Welcome,
        audience: Audience::Only(sample::provider("b")),
        request_hash: None,
        ..sample::message(2)
    };
    Decide {
        events: vec![sample::message(1), welcome],
        lanes: vec![LaneChange::Open { peer: sample::provider("b"), from: Seq(1) }],
        routes: vec![(sample::reference(7), sample::provider("b"))],
        trees: vec![(Epoch(1), b"tree".to_vec())],
        ..sample::founding("r")
    }
}

pub async fn a_decision_is_stored_as_a_whole(disk: &dyn Disk) {
    let store = disk.open().await;
    let room = sample::room("r");

    store.decide(everything()).await.unwrap();

    let sample_state = sample::state(1);
    let expected = RoomRow {
        room: room.clone(),
        role: RoomRole::Hub,
        version: RoomVersion::FIRST,
        header: sample_state.header,
        group: sample_state.group,
    };
    assert_eq!(store.room(&room).await.unwrap(), Some(expected));
    let head = Head { seq: Seq(2), timestamp: sample::message(2).timestamp };
    assert_eq!(store.head(&room).await.unwrap(), Some(head));
    let limit = EventLimit { count: 10, bytes: 1_000 };
    let expected: Vec<EventRow> = everything().events.into_iter().map(stored).collect();
    assert_eq!(store.events(&room, Seq::FIRST, limit).await.unwrap(), expected);
    let found = store.event_by_hash(&room, &sample::request(1)).await.unwrap();
    assert_eq!(found.as_ref(), expected.first());
    assert_eq!(store.lanes().await.unwrap().len(), 1);
    assert_eq!(store.route(&room, &sample::reference(7)).await.unwrap(), Some(sample::provider("b")));
    assert_eq!(store.tree(&room, Epoch(1)).await.unwrap(), Some(b"tree".to_vec()));
}

pub async fn a_decision_that_conflicts_in_its_last_part_leaves_nothing(disk: &dyn Disk) {
    let store = disk.open().await;
    let room = sample::room("r");
    let route = (sample::reference(7), sample::provider("c"));
    let decide = Decide { routes: vec![everything().routes.remove(0), route], ..everything() };

    let outcome = store.decide(decide).await;

    assert_eq!(outcome, Err(StoreFault::Conflict));
    assert_eq!(store.room(&room).await.unwrap(), None);
    assert_eq!(store.head(&room).await.unwrap(), None);
    assert_eq!(store.event_by_hash(&room, &sample::request(1)).await.unwrap(), None);
    assert_eq!(store.lanes().await.unwrap(), []);
    assert_eq!(store.route(&room, &sample::reference(7)).await.unwrap(), None);
    assert_eq!(store.tree(&room, Epoch(1)).await.unwrap(), None);
    store.decide(everything()).await.unwrap();
}

pub async fn a_room_is_founded_once(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();

    let again = store.decide(sample::founding("r")).await;

    assert_eq!(again, Err(StoreFault::Conflict));
}

pub async fn a_room_that_was_never_founded_decides_nothing(disk: &dyn Disk) {
    let store = disk.open().await;

    let outcome = store.decide(sample::accepting("r", vec![sample::message(1)])).await;

    assert_eq!(outcome, Err(StoreFault::Conflict));
    assert_eq!(store.room(&sample::room("r")).await.unwrap(), None);
}

pub async fn only_a_decision_on_the_present_version_is_stored(disk: &dyn Disk) {
    let store = disk.open().await;
    let on_version = |version, number| Decide {
        fence: Some(RoomVersion(version)),
        state: Some(sample::state(number)),
        ..sample::founding("r")
    };
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(on_version(1, 2)).await.unwrap();

    let late = store.decide(on_version(1, 3)).await;
    let early = store.decide(on_version(3, 3)).await;
    let late_message = store.decide(sample::accepting("r", vec![sample::message(1)])).await;

    assert_eq!([late, early, late_message], [const { Err(StoreFault::Conflict) }; 3]);
    let row = store.room(&sample::room("r")).await.unwrap().unwrap();
    assert_eq!((row.version, row.header), (RoomVersion(2), sample::state(2).header));
    assert_eq!(places(&*store, "r").await, [0; 0]);
}

pub async fn a_message_leaves_the_version_alone(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();

    for seq in 1..=3 {
        store.decide(sample::accepting("r", vec![sample::message(seq)])).await.unwrap();
    }

    assert_eq!(store.room(&sample::room("r")).await.unwrap().unwrap().version, RoomVersion::FIRST);
    assert_eq!(places(&*store, "r").await, [1, 2, 3]);
}

pub async fn a_room_keeps_its_role(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    let follower = Decide { role: RoomRole::Follower, ..sample::accepting("r", vec![sample::message(1)]) };

    let outcome = store.decide(follower).await;

    assert_eq!(outcome, Err(StoreFault::Conflict));
    assert_eq!(store.room(&sample::room("r")).await.unwrap().unwrap().role, RoomRole::Hub);
}

pub async fn a_place_in_the_log_is_taken_once(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::accepting("r", vec![sample::message(1)])).await.unwrap();
    let same_place = NewEvent { request_hash: Some(sample::request(9)), ..sample::message(1) };

    let taken = store.decide(sample::accepting("r", vec![sample::message(2), same_place.clone()])).await;
    let within = store.decide(sample::accepting("r", vec![same_place.clone(), same_place])).await;

    assert_eq!([taken, within], [const { Err(StoreFault::Conflict) }; 2]);
    assert_eq!(places(&*store, "r").await, [1]);
}

pub async fn a_request_enters_a_log_once(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::accepting("r", vec![sample::message(1)])).await.unwrap();
    let same_request = NewEvent { seq: Seq(2), ..sample::message(1) };
    let without_request = |seq| NewEvent { request_hash: None, ..sample::message(seq) };

    let repeated = store.decide(sample::accepting("r", vec![same_request])).await;
    let none = store.decide(sample::accepting("r", vec![without_request(2), without_request(3)])).await;

    assert_eq!((repeated, none), (Err(StoreFault::Conflict), Ok(())));
    let found = store.event_by_hash(&sample::room("r"), &sample::request(1)).await.unwrap();
    assert_eq!(found, Some(stored(sample::message(1))));
}

pub async fn two_rooms_may_log_the_same_request(disk: &dyn Disk) {
    let store = disk.open().await;

    for name in ["r", "s"] {
        store.decide(sample::founding(name)).await.unwrap();
        store.decide(sample::accepting(name, vec![sample::message(1)])).await.unwrap();
    }

    assert_eq!(places(&*store, "r").await, [1]);
    assert_eq!(places(&*store, "s").await, [1]);
}

pub async fn a_key_package_has_one_route_per_room(disk: &dyn Disk) {
    let store = disk.open().await;
    let to = |name| Decide {
        routes: vec![(sample::reference(1), sample::provider(name))],
        ..sample::accepting("r", vec![])
    };
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(to("b")).await.unwrap();

    let again = store.decide(to("b")).await;
    let elsewhere = store.decide(to("c")).await;

    assert_eq!((again, elsewhere), (Ok(()), Err(StoreFault::Conflict)));
    let route = store.route(&sample::room("r"), &sample::reference(1)).await.unwrap();
    assert_eq!(route, Some(sample::provider("b")));
}

pub async fn a_room_keeps_its_latest_trees(disk: &dyn Disk) {
    let store = disk.open().await;
    let room = sample::room("r");
    let with_tree = |epoch: u64, tree: &str| Decide {
        trees: vec![(Epoch(epoch), tree.into())],
        ..sample::accepting("r", vec![])
    };
    store.decide(sample::founding("r")).await.unwrap();

    for epoch in 1..=TREES_KEPT + 1 {
        store.decide(with_tree(epoch, "first")).await.unwrap();
    }
    store.decide(with_tree(TREES_KEPT + 1, "second")).await.unwrap();

    assert_eq!(store.tree(&room, Epoch(1)).await.unwrap(), None);
    assert_eq!(store.tree(&room, Epoch(2)).await.unwrap(), Some(b"first".to_vec()));
    assert_eq!(store.tree(&room, Epoch(TREES_KEPT + 1)).await.unwrap(), Some(b"second".to_vec()));
}

fn stored(event: NewEvent) -> EventRow {
    let NewEvent { seq, timestamp, kind, audience, bytes, request_hash } = event;
    EventRow { seq, timestamp, kind, audience, bytes, request_hash }
}
