//! What is particular to a database in a file.

use std::time::Duration;

use mimi_store::contract::sample;
use mimi_store::{Batch, Decide, EventLimit, Holder, Lease, LeaseKey, RoomVersion, Seq, Store, StoreFault};
use mimi_store_sqlite::{OpenFault, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

fn in_folder(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("store.db")
}

async fn shell(folder: &TempDir) -> sqlx::Result<SqliteConnection> {
    SqliteConnectOptions::new().filename(in_folder(folder)).connect().await
}

#[tokio::test]
async fn a_store_that_was_dropped_without_being_closed_lost_nothing() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(in_folder(&folder)).await.unwrap();
    store.decide(sample::founding("r")).await.unwrap();
    for seq in 1..=50 {
        store.decide(sample::accepting("r", vec![sample::message(seq)])).await.unwrap();
    }

    drop(store);
    let store = SqliteStore::open(in_folder(&folder)).await.unwrap();

    let limit = EventLimit { count: 100, bytes: 100_000 };
    let events = store.events(&sample::room("r"), Seq::FIRST, limit).await.unwrap();
    assert!(events.iter().map(|event| event.seq.0).eq(1..=50));
}

#[tokio::test]
async fn a_store_that_closes_stores_what_waits_and_then_faults() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(in_folder(&folder)).await.unwrap();

    let (decided, ()) = tokio::join!(biased; store.decide(sample::founding("r")), store.close());
    let late = store.decide(sample::founding("s")).await;
    let late_read = store.room(&sample::room("r")).await;

    assert_eq!(decided, Ok(()));
    assert_eq!(late, Err(StoreFault::Unavailable("the store was closed".into())));
    assert!(matches!(late_read, Err(StoreFault::Unavailable(_))));
    let store = SqliteStore::open(in_folder(&folder)).await.unwrap();
    assert_eq!(store.rooms(None).await.unwrap(), [sample::room("r")]);
}

#[tokio::test]
async fn a_verb_whose_caller_stopped_waiting_is_stored_and_stops_nobody() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(in_folder(&folder)).await.unwrap();

    tokio::select! {
        biased;
        _ = store.decide(sample::founding("r")) => panic!("it cannot have been committed at the first poll"),
        () = std::future::ready(()) => {}
    }
    store.decide(sample::founding("s")).await.unwrap();

    assert_eq!(store.rooms(None).await.unwrap(), ["r", "s"].map(sample::room));
}

#[tokio::test]
async fn a_schema_of_a_newer_release_is_refused() {
    let folder = TempDir::new().unwrap();
    SqliteStore::open(in_folder(&folder)).await.unwrap().close().await;
    let mut shell = shell(&folder).await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'of tomorrow', 0, TRUE, x'00', 0)")
        .execute(&mut shell)
        .await
        .unwrap();

    let fault = SqliteStore::open(in_folder(&folder)).await.unwrap_err();

    assert_eq!(fault.to_string(), "the database has schema 9999, which is newer than this release knows");
}

#[tokio::test]
async fn a_schema_that_came_from_another_migration_is_refused() {
    let folder = TempDir::new().unwrap();
    SqliteStore::open(in_folder(&folder)).await.unwrap().close().await;
    let mut shell = shell(&folder).await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&mut shell).await.unwrap();

    let fault = SqliteStore::open(in_folder(&folder)).await.unwrap_err();

    assert!(matches!(fault, OpenFault::AlteredSchema { version: 1 }), "{fault:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let letter = "Dear reader, this is not a database. ".repeat(200);
    std::fs::write(in_folder(&folder), &letter).unwrap();

    let fault = SqliteStore::open(in_folder(&folder)).await.unwrap_err();

    assert!(matches!(fault, OpenFault::Database(_)), "{fault:?}");
    assert_eq!(std::fs::read_to_string(in_folder(&folder)).unwrap(), letter);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_what_is_stored() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();

    let store = SqliteStore::open(in_folder(&folder)).await.unwrap();
    store.decide(sample::founding("r")).await.unwrap();

    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test]
async fn a_fence_holds_against_a_second_process() {
    let folder = TempDir::new().unwrap();
    let first = SqliteStore::open(in_folder(&folder)).await.unwrap();
    let second = SqliteStore::open(in_folder(&folder)).await.unwrap();
    let update = |version| Decide {
        fence: Some(RoomVersion(version)),
        state: Some(sample::state(2)),
        ..sample::founding("r")
    };
    first.decide(sample::founding("r")).await.unwrap();
    second.decide(update(1)).await.unwrap();

    let stale = first.decide(update(1)).await;
    let fresh = first.decide(update(2)).await;

    assert_eq!((stale, fresh), (Err(StoreFault::Conflict), Ok(())));
}

#[tokio::test]
async fn a_database_that_breaks_faults_everyone_in_the_group_and_recovers() {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(in_folder(&folder)).await.unwrap();
    store.decide(sample::founding("r")).await.unwrap();
    let mut shell = shell(&folder).await.unwrap();
    sqlx::query("ALTER TABLE answer RENAME TO hidden").execute(&mut shell).await.unwrap();
    // While the writer waits for the shell, what is asked for gathers in one group.
    sqlx::query("BEGIN IMMEDIATE").execute(&mut shell).await.unwrap();

    let (_, decided, claimed, _) = tokio::join!(
        biased;
        store.record(Batch::default()),
        store.decide(sample::accepting("r", vec![sample::message(1)])),
        store.claim(sample::claim(1, "answer", vec![])),
        sqlx::query("COMMIT").execute(&mut shell),
    );
    sqlx::query("ALTER TABLE hidden RENAME TO answer").execute(&mut shell).await.unwrap();
    shell.close().await.unwrap();

    assert!(matches!(claimed, Err(StoreFault::Unavailable(_))), "{claimed:?}");
    // Only a writer that is woken between two of the calls has groups of its own for them.
    let logged = store.head(&sample::room("r")).await.unwrap().is_some();
    assert_eq!(logged, decided.is_ok(), "{decided:?}");
    store.decide(sample::accepting("r", vec![sample::message(2)])).await.unwrap();
}

#[tokio::test]
async fn one_process_works_on_a_file_and_no_second() {
    let folder = TempDir::new().unwrap();
    let first = SqliteStore::open(in_folder(&folder)).await.unwrap();
    let second = SqliteStore::open(in_folder(&folder)).await.unwrap();
    let lease = |name: &str| Lease {
        holder: Holder { name: name.into(), place: "here".into() },
        wanted: vec![LeaseKey("rooms 1".into())],
        given_up: vec![],
        lasts: Duration::from_mins(1),
    };

    let granted = first.lease(lease("first")).await.unwrap();
    let refused = second.lease(lease("second")).await;
    drop(first);
    let granted_later = second.lease(lease("second")).await.unwrap();

    assert_eq!((granted.len(), granted_later.len()), (1, 1));
    let Err(StoreFault::Unavailable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.ends_with("another process works on this database"), "{why}");
}
