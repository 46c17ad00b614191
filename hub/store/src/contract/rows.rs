//! `record`: rows by compare-and-set.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Disk, sample};
use crate::{Batch, Row, RowChange, RowKind, RowVersion, Store, StoreFault};

const KIND: RowKind = RowKind("link");

fn insert(key: &str, bytes: &str) -> RowChange {
    RowChange::Insert { kind: KIND, key: key.into(), bytes: bytes.into() }
}

fn put(key: &str, expected: Option<u64>, bytes: &str) -> RowChange {
    RowChange::Put { kind: KIND, key: key.into(), expected: expected.map(RowVersion), bytes: bytes.into() }
}

fn delete(key: &str, expected: Option<u64>) -> RowChange {
    RowChange::Delete { kind: KIND, key: key.into(), expected: expected.map(RowVersion) }
}

async fn record(store: &dyn Store, rows: Vec<RowChange>) -> Result<(), StoreFault> {
    store.record(Batch { rows, ..Batch::default() }).await
}

/// The row as (version, content).
async fn stored(store: &dyn Store, key: &str) -> Option<(u64, String)> {
    let row = store.row(KIND, key.as_bytes()).await.unwrap()?;
    Some((row.version.0, String::from_utf8(row.bytes).unwrap()))
}

pub async fn a_row_is_inserted_once(disk: &dyn Disk) {
    let store = disk.open().await;
    let elsewhere =
        RowChange::Insert { kind: RowKind("outbox"), key: b"k".to_vec(), bytes: b"three".to_vec() };

    let first = record(&*store, vec![insert("k", "one")]).await;
    let second = record(&*store, vec![insert("k", "two")]).await;
    let of_another_kind = record(&*store, vec![elsewhere]).await;

    assert_eq!((first, second, of_another_kind), (Ok(()), Err(StoreFault::Conflict), Ok(())));
    let expected = Row { key: b"k".to_vec(), version: RowVersion::FIRST, bytes: b"one".to_vec() };
    assert_eq!(store.row(KIND, b"k").await.unwrap(), Some(expected));
}

pub async fn a_put_counts_versions(disk: &dyn Disk) {
    let store = disk.open().await;

    record(&*store, vec![put("k", None, "one")]).await.unwrap();
    record(&*store, vec![put("k", None, "two")]).await.unwrap();
    record(&*store, vec![put("k", Some(2), "three")]).await.unwrap();

    assert_eq!(stored(&*store, "k").await, Some((3, "three".into())));
}

pub async fn a_put_expects_the_present_version(disk: &dyn Disk) {
    let store = disk.open().await;
    record(&*store, vec![insert("k", "one")]).await.unwrap();

    let outcomes = [
        record(&*store, vec![put("k", Some(2), "two")]).await,
        record(&*store, vec![put("k", Some(0), "two")]).await,
        record(&*store, vec![put("absent", Some(1), "two")]).await,
    ];

    assert_eq!(outcomes, [const { Err(StoreFault::Conflict) }; 3]);
    assert_eq!(stored(&*store, "k").await, Some((1, "one".into())));
    assert_eq!(stored(&*store, "absent").await, None);
}

pub async fn a_delete_expects_the_present_version(disk: &dyn Disk) {
    let store = disk.open().await;
    record(&*store, vec![insert("k", "one"), insert("l", "one")]).await.unwrap();

    let of_another_version = record(&*store, vec![delete("k", Some(2))]).await;
    let of_nothing = record(&*store, vec![delete("absent", Some(1))]).await;
    record(&*store, vec![delete("k", Some(1)), delete("l", None), delete("absent", None)]).await.unwrap();

    assert_eq!([of_another_version, of_nothing], [const { Err(StoreFault::Conflict) }; 2]);
    assert_eq!((stored(&*store, "k").await, stored(&*store, "l").await), (None, None));
}

pub async fn a_batch_sees_its_own_changes(disk: &dyn Disk) {
    let store = disk.open().await;
    let changes =
        vec![insert("k", "one"), put("k", Some(1), "two"), delete("k", Some(2)), insert("k", "three")];

    record(&*store, changes).await.unwrap();

    assert_eq!(stored(&*store, "k").await, Some((1, "three".into())));
}

pub async fn a_batch_that_conflicts_leaves_nothing(disk: &dyn Disk) {
    let store = disk.open().await;
    store.claim(sample::claim(1, "answer", vec![sample::key_package(1)])).await.unwrap();
    record(&*store, vec![insert("k", "one"), insert("l", "one")]).await.unwrap();
    let batch = Batch {
        rows: vec![insert("m", "two"), put("k", None, "two"), delete("l", None)],
        used_key_packages: vec![sample::reference(1), sample::reference(1)],
        lanes: vec![],
    };

    let outcome = store.record(batch).await;

    assert_eq!(outcome, Err(StoreFault::Conflict));
    assert_eq!(stored(&*store, "k").await, Some((1, "one".into())));
    assert_eq!(stored(&*store, "l").await, Some((1, "one".into())));
    assert_eq!(stored(&*store, "m").await, None);
    assert!(store.key_package(&sample::reference(1)).await.unwrap().is_some());
}

pub async fn of_many_puts_on_one_version_one_is_stored(disk: &dyn Disk) {
    let store = disk.open().await;
    record(&*store, vec![insert("k", "one")]).await.unwrap();
    let mut puts = JoinSet::new();

    for writer in 0..32 {
        let store = Arc::clone(&store);
        puts.spawn(async move { record(&*store, vec![put("k", Some(1), &writer.to_string())]).await });
    }
    let outcomes = puts.join_all().await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(StoreFault::Conflict)).count(), 31);
    assert_eq!(stored(&*store, "k").await.unwrap().0, 2);
}
