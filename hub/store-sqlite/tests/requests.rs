//! How a repeated request is known, wherever the store keeps the first one.
#![expect(clippy::unwrap_used, reason = "a disk that cannot be opened fails its test")]

use mimi_store::contract::sample;
use mimi_store::{NewEvent, Seq, Store, StoreFault};
use mimi_store_sqlite::SqliteStore;
use mimi_store_sqlite::limits::RECENT_REQUESTS_MAX;
use mimi_wire::RequestHash;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

async fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(folder.path().join("store.db")).await.unwrap()
}

/// The place of the event that a request caused.
async fn place(store: &SqliteStore, request: RequestHash) -> Option<Seq> {
    store.event_by_hash(&sample::room("r"), &request).await.unwrap().map(|event| event.seq)
}

/// Stores an event at a place beyond all others, for a request.
async fn repeat(store: &SqliteStore, request: RequestHash) -> Result<(), StoreFault> {
    let event = NewEvent { request_hash: Some(request), ..sample::message(1_000_000) };
    store.decide(sample::accepting("r", vec![event])).await
}

#[tokio::test]
async fn a_request_is_known_before_and_after_it_moved_into_the_table_and_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    store.decide(sample::founding("r")).await.unwrap();
    let last = RECENT_REQUESTS_MAX as u64;
    store.decide(sample::accepting("r", (1..=last).map(sample::message).collect())).await.unwrap();
    assert_eq!(place(&store, sample::request(1)).await, Some(Seq(1)));

    // This one finds the memory full.
    store.decide(sample::accepting("r", vec![sample::message(last + 1)])).await.unwrap();

    for store in [store, open(&folder).await] {
        for seq in [1, last, last + 1] {
            assert_eq!(place(&store, sample::request(seq)).await, Some(Seq(seq)));
            assert_eq!(repeat(&store, sample::request(seq)).await, Err(StoreFault::Conflict));
        }
        assert_eq!(place(&store, sample::request(last + 2)).await, None);
    }
}

#[tokio::test]
async fn a_request_whose_event_was_not_stored_is_still_new() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    store.decide(sample::founding("r")).await.unwrap();
    store.decide(sample::accepting("r", vec![sample::message(1)])).await.unwrap();
    let same_place = NewEvent { request_hash: Some(sample::request(2)), ..sample::message(1) };

    let refused = store.decide(sample::accepting("r", vec![same_place])).await;

    assert_eq!(refused, Err(StoreFault::Conflict));
    assert_eq!(place(&store, sample::request(2)).await, None);
    assert_eq!(repeat(&store, sample::request(2)).await, Ok(()));
}

#[tokio::test]
async fn requests_of_a_database_of_the_first_schema_are_known() {
    let folder = TempDir::new().unwrap();
    let first = TempDir::new().unwrap();
    std::fs::write(
        first.path().join("0001_rooms_keys_rows.sql"),
        include_str!("../migrations/0001_rooms_keys_rows.sql"),
    )
    .unwrap();
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("store.db")).create_if_missing(true);
    let mut shell = options.connect().await.unwrap();
    Migrator::new(first.path()).await.unwrap().run(&mut shell).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO room VALUES (7, 'mimi://hub.example/r/r', 'hub', 1, x'00', x'00');
         INSERT INTO event VALUES (7, 3, 1003, 'application', NULL, x'0102', zeroblob(32));",
    )
    .execute(&mut shell)
    .await
    .unwrap();
    shell.close().await.unwrap();

    let store = open(&folder).await;

    let event = store.event_by_hash(&sample::room("r"), &sample::request(0)).await.unwrap().unwrap();
    assert_eq!((event.seq, event.bytes), (Seq(3), vec![1, 2]));
    assert_eq!(repeat(&store, sample::request(0)).await, Err(StoreFault::Conflict));
}
