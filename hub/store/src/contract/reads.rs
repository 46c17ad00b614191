//! Reads: ordered, bounded, and woken only by what can be read.

use mimi_mls::Epoch;
use tokio::sync::broadcast::error::TryRecvError;

use super::{Disk, places, sample};
use crate::{
    Batch, Decide, EventLimit, KeyRange, NewEvent, RoomRole, RowChange, RowKind, Seq, Store, StoreFault,
};

const KIND: RowKind = RowKind("cursor");

async fn insert_rows(store: &dyn Store, keys: &[&[u8]]) {
    let mut rows: Vec<_> =
        keys.iter().map(|key| RowChange::Insert { kind: KIND, key: key.to_vec(), bytes: vec![] }).collect();
    rows.push(RowChange::Insert { kind: RowKind("cursors"), key: b"b".to_vec(), bytes: vec![] });
    store.record(Batch { rows, ..Batch::default() }).await.unwrap();
}

async fn keys(store: &dyn Store, range: KeyRange, limit: usize) -> Vec<Vec<u8>> {
    store.rows(KIND, range, limit).await.unwrap().into_iter().map(|row| row.key).collect()
}

pub async fn rows_are_read_in_the_order_of_their_keys(disk: &dyn Disk) {
    let store = disk.open().await;
    insert_rows(&*store, &[b"b", b"a\xff", b"a", b"ab", b"\xff", b""]).await;

    let all = keys(&*store, KeyRange::all(), 10).await;
    let prefix = keys(&*store, KeyRange::prefix(b"a"), 10).await;
    let between = keys(&*store, KeyRange::between(b"a", b"b"), 2).await;
    let behind = keys(&*store, KeyRange::all().behind(b"ab"), 10).await;

    assert_eq!(all, [&b""[..], b"a", b"ab", b"a\xff", b"b", b"\xff"]);
    assert_eq!(prefix, [&b"a"[..], b"ab", b"a\xff"]);
    assert_eq!(between, [&b"a"[..], b"ab"]);
    assert_eq!(behind, [&b"a\xff"[..], b"b", b"\xff"]);
}

pub async fn events_are_read_up_to_the_limit(disk: &dyn Disk) {
    let store = disk.open().await;
    let room = sample::room("r");
    let sized = |seq| NewEvent { bytes: vec![0; 10], ..sample::message(seq) };
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::accepting("r", (1..=9).map(sized).collect())).await.unwrap();

    let cases =
        [((1, 3, 1_000), 1..=3), ((4, 100, 1_000), 4..=9), ((4, 100, 25), 4..=5), ((4, 100, 30), 4..=6)];
    for ((from, count, bytes), expected) in cases {
        let events = store.events(&room, Seq(from), EventLimit { count, bytes }).await.unwrap();
        assert!(events.iter().map(|event| event.seq.0).eq(expected.clone()), "{expected:?}: {events:?}");
    }
    let limit = EventLimit { count: 9, bytes: 1_000 };
    assert_eq!(store.events(&room, Seq(10), limit).await.unwrap(), []);
}

pub async fn the_first_event_is_read_whatever_its_size(disk: &dyn Disk) {
    let store = disk.open().await;
    let large = |seq| NewEvent { bytes: vec![7; 100_000], ..sample::message(seq) };
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::accepting("r", vec![large(1), large(2)])).await.unwrap();

    let limit = EventLimit { count: 10, bytes: 10 };
    let events = store.events(&sample::room("r"), Seq::FIRST, limit).await.unwrap();

    assert_eq!(
        events.iter().map(|event| (event.seq, event.bytes.len())).collect::<Vec<_>>(),
        [(Seq(1), 100_000)]
    );
}

pub async fn rooms_are_listed_by_role(disk: &dyn Disk) {
    let store = disk.open().await;
    for name in ["c", "a"] {
        store.decide(sample::founding(name)).await.unwrap();
    }
    store.decide(Decide::new(sample::room("b"), RoomRole::Follower, None)).await.unwrap();

    let hub = store.rooms(Some(RoomRole::Hub)).await.unwrap();
    let follower = store.rooms(Some(RoomRole::Follower)).await.unwrap();
    let all = store.rooms(None).await.unwrap();

    assert_eq!(hub, ["a", "c"].map(sample::room));
    assert_eq!(follower, ["b"].map(sample::room));
    assert_eq!(all, ["a", "b", "c"].map(sample::room));
}

pub async fn what_is_not_there_is_not_found(disk: &dyn Disk) {
    let store = disk.open().await;
    let room = sample::room("r");

    assert_eq!(store.room(&room).await.unwrap(), None);
    assert_eq!(store.head(&room).await.unwrap(), None);
    assert_eq!(places(&*store, "r").await, [0; 0]);
    assert_eq!(store.event_by_hash(&room, &sample::request(1)).await.unwrap(), None);
    assert_eq!(store.lanes().await.unwrap(), []);
    assert_eq!(store.route(&room, &sample::reference(1)).await.unwrap(), None);
    assert_eq!(store.tree(&room, Epoch(0)).await.unwrap(), None);
    assert_eq!(store.key_package(&sample::reference(1)).await.unwrap(), None);
    assert_eq!(store.row(KIND, b"k").await.unwrap(), None);
    assert_eq!(store.rows(KIND, KeyRange::all(), 10).await.unwrap(), []);
}

pub async fn a_room_is_told_to_have_grown_once_it_can_be_read(disk: &dyn Disk) {
    let store = disk.open().await;
    let mut appended = store.appended();
    store.decide(sample::founding("r")).await.unwrap();

    for seq in 1..=20 {
        let accepting = sample::accepting("r", vec![sample::message(seq)]);
        let (told, decided) = tokio::join!(
            async {
                let room = appended.recv().await.unwrap();
                (room, store.head(&sample::room("r")).await.unwrap().map(|head| head.seq))
            },
            store.decide(accepting)
        );
        decided.unwrap();
        assert_eq!(told, (sample::room("r"), Some(Seq(seq))));
    }

    assert_eq!(appended.try_recv(), Err(TryRecvError::Empty));
}

pub async fn a_conflict_wakes_nobody(disk: &dyn Disk) {
    let store = disk.open().await;
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::accepting("r", vec![sample::message(1)])).await.unwrap();
    let mut appended = store.appended();

    let outcome = store.decide(sample::accepting("r", vec![sample::message(1)])).await;

    assert_eq!(outcome, Err(StoreFault::Conflict));
    assert_eq!(appended.try_recv(), Err(TryRecvError::Empty));
}
