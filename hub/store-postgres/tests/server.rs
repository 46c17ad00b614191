//! What is particular to a database that is a server, and that several processes share.
#![expect(clippy::unwrap_used, reason = "a database that cannot be used fails its test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use end_to_end::Postgres;
use mimi_store::contract::sample;
use mimi_store::{
    Batch, Decide, EventLimit, Holder, Lease, LeaseKey, LeaseRow, RoomVersion, RowChange, RowKind, Seq,
    Store, StoreFault,
};
use mimi_store_postgres::PostgresStore;
use mimi_store_postgres::limits::KEY_LENGTH_MAX;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::timeout;

const ALL: EventLimit = EventLimit { count: usize::MAX, bytes: usize::MAX };

async fn opened(postgres: &Postgres) -> PostgresStore {
    PostgresStore::open(&postgres.url()).await.unwrap()
}

async fn opened_error(url: &str) -> String {
    PostgresStore::open(url).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_store_that_closes_stores_what_waits_and_then_faults() {
    let postgres = Postgres::start();
    let store = opened(&postgres).await;

    let (decided, ()) = tokio::join!(biased; store.decide(sample::founding("r")), store.close());
    let late = store.decide(sample::founding("s")).await;
    let late_read = store.room(&sample::room("r")).await;

    assert_eq!(decided, Ok(()));
    assert_eq!(late, Err(StoreFault::Unavailable("the store was closed".into())));
    assert!(matches!(late_read, Err(StoreFault::Unavailable(_))));
    assert_eq!(opened(&postgres).await.rooms(None).await.unwrap(), [sample::room("r")]);
}

#[tokio::test]
async fn while_the_server_is_away_everything_is_unavailable_and_afterwards_all_is_well() {
    let mut postgres = Postgres::start();
    let store = opened(&postgres).await;
    store.decide(sample::founding("r")).await.unwrap();
    store.room(&sample::room("r")).await.unwrap();

    postgres.crash();
    let decided = store.decide(sample::accepting("r", vec![sample::message(1)])).await;
    let decided_again = store.decide(sample::accepting("r", vec![sample::message(1)])).await;
    let read = store.room(&sample::room("r")).await;
    postgres.start_again();

    assert!(matches!(decided, Err(StoreFault::Unavailable(_))), "{decided:?}");
    assert!(matches!(decided_again, Err(StoreFault::Unavailable(_))), "{decided_again:?}");
    assert!(matches!(read, Err(StoreFault::Unavailable(_))), "{read:?}");
    store.decide(sample::accepting("r", vec![sample::message(1)])).await.unwrap();
    assert_eq!(store.events(&sample::room("r"), Seq::FIRST, ALL).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_every_crash_of_the_server() {
    const ROUNDS: usize = 5;
    const APPENDED_BEFORE_A_CRASH: usize = 500;
    let mut postgres = Postgres::start();
    let store = Arc::new(opened(&postgres).await);
    for room in 0..8 {
        store.decide(sample::founding(&room.to_string())).await.unwrap();
    }
    let mut acknowledged = [0; 8];

    for _ in 0..ROUNDS {
        let mut appended = store.appended();
        let mut writers = JoinSet::new();
        for (room, last) in acknowledged.into_iter().enumerate() {
            writers.spawn(write_until_unavailable(Arc::clone(&store), room, last));
        }
        for _ in 0..APPENDED_BEFORE_A_CRASH {
            appended.recv().await.unwrap();
        }
        postgres.crash();
        for (room, last) in writers.join_all().await {
            acknowledged[room] = last;
        }
        postgres.start_again();
        for (room, last) in acknowledged.iter_mut().enumerate() {
            *last = all_there(&store, room, *last).await;
        }
    }

    assert!(acknowledged.iter().all(|last| *last > 0), "{acknowledged:?}");
}

/// Appends one message after the other and tells the last one that was acknowledged.
async fn write_until_unavailable(store: Arc<PostgresStore>, room: usize, last: u64) -> (usize, u64) {
    for seq in last + 1.. {
        match store.decide(sample::accepting(&room.to_string(), vec![sample::message(seq)])).await {
            Ok(()) => {}
            Err(StoreFault::Unavailable(_)) => return (room, seq - 1),
            Err(StoreFault::Conflict) => panic!("room {room} was overtaken at {seq}"),
        }
    }
    (room, last)
}

/// Every message up to the acknowledged one is there, in order; so may be the one whose answer was lost.
async fn all_there(store: &PostgresStore, room: usize, acknowledged: u64) -> u64 {
    let events = store.events(&sample::room(&room.to_string()), Seq::FIRST, ALL).await.unwrap();
    let last = u64::try_from(events.len()).unwrap();
    assert!(events.iter().map(|event| event.seq.0).eq(1..=last), "room {room} has gaps");
    assert!(last == acknowledged || last == acknowledged + 1, "room {room}: {last}, not {acknowledged}");
    last
}

#[tokio::test]
async fn a_fence_holds_against_another_process() {
    let postgres = Postgres::start();
    let (first, second) = (opened(&postgres).await, opened(&postgres).await);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_want_the_same_places_and_rows_share_them_out_without_loss() {
    const WANTED: u64 = 100;
    let postgres = Postgres::start();
    let stores = [Arc::new(opened(&postgres).await), Arc::new(opened(&postgres).await)];
    stores[0].decide(sample::founding("r")).await.unwrap();
    let mut writers = JoinSet::new();

    for seq in 1..=WANTED {
        for (number, store) in stores.iter().enumerate() {
            let store = Arc::clone(store);
            writers.spawn(async move {
                let request_hash = Some(sample::request(seq + 1_000 * number as u64));
                let event = mimi_store::NewEvent { request_hash, ..sample::message(seq) };
                let placed = store.decide(sample::accepting("r", vec![event])).await;
                let key = seq.to_be_bytes().to_vec();
                let insert = RowChange::Insert { kind: RowKind("place"), key, bytes: vec![] };
                let inserted = store.record(Batch { rows: vec![insert], ..Batch::default() }).await;
                (seq, placed, inserted)
            });
        }
    }
    let outcomes = writers.join_all().await;

    for seq in 1..=WANTED {
        let of_seq = || outcomes.iter().filter(|(of, ..)| *of == seq);
        assert_eq!(of_seq().filter(|(_, placed, _)| placed.is_ok()).count(), 1, "{seq}: {outcomes:?}");
        assert_eq!(of_seq().filter(|(.., inserted)| inserted.is_ok()).count(), 1, "{seq}: {outcomes:?}");
    }
    let unavailable = |fault: &Result<(), StoreFault>| matches!(fault, Err(StoreFault::Unavailable(_)));
    assert!(!outcomes.iter().any(|(_, placed, inserted)| unavailable(placed) || unavailable(inserted)));
}

#[tokio::test]
async fn a_key_that_fits_no_index_is_refused_and_hurts_nobody() {
    let postgres = Postgres::start();
    let store = opened(&postgres).await;
    let insert = |length| {
        let row = RowChange::Insert { kind: RowKind("inbox"), key: vec![7; length], bytes: vec![] };
        store.record(Batch { rows: vec![row], ..Batch::default() })
    };

    let (longest, longer) = tokio::join!(insert(KEY_LENGTH_MAX), insert(KEY_LENGTH_MAX + 1));

    assert_eq!(longest, Ok(()));
    assert!(matches!(longer, Err(StoreFault::Unavailable(_))), "{longer:?}");
}

#[tokio::test]
async fn a_schema_of_another_release_is_refused() {
    let postgres = Postgres::start();
    opened(&postgres).await.close().await;

    postgres.query("INSERT INTO _sqlx_migrations VALUES (9999, 'of tomorrow', now(), TRUE, '', 0)");
    let newer = opened_error(&postgres.url()).await;
    postgres.query("DELETE FROM _sqlx_migrations WHERE version = 9999");
    postgres.query("UPDATE _sqlx_migrations SET checksum = ''");
    let altered = opened_error(&postgres.url()).await;

    assert_eq!(newer, "the database has schema 9999, which is newer than this release knows");
    assert_eq!(altered, "the database went through another migration 1 than this release has");
}

#[tokio::test]
async fn what_keeps_it_from_being_opened_is_told() {
    let mut postgres = Postgres::start();

    let no_url = opened_error("drawbridge.db").await;
    let no_database = opened_error(&postgres.url().replace("/postgres?", "/nowhere?")).await;
    postgres.crash();
    let nobody = opened_error(&postgres.url()).await;

    assert!(no_url.starts_with("it is not a URL of PostgreSQL; write postgres://"), "{no_url}");
    assert!(no_database.contains("database \"nowhere\" does not exist"), "{no_database}");
    assert!(nobody.contains("No such file or directory") || nobody.contains("refused"), "{nobody}");
}

/// What a process asks for or gives up.
fn lease(name: &str, wanted: &[&str], given_up: &[&str], lasts: Duration) -> Lease {
    let keys = |names: &[&str]| names.iter().map(|name| LeaseKey((*name).to_owned())).collect();
    let holder = Holder { name: name.into(), place: "here".into() };
    Lease { holder, wanted: keys(wanted), given_up: keys(given_up), lasts }
}

const LONG: Duration = Duration::from_mins(10);

/// Long enough for all that is waited for here.
const PATIENCE: Duration = Duration::from_mins(2);

/// Has all leases run out.
const RUN_OUT: &str = "UPDATE lease SET until = now()";

#[tokio::test]
async fn what_one_process_holds_another_sees_and_does_not_get() {
    let postgres = Postgres::start();
    let (first, second) = (opened(&postgres).await, opened(&postgres).await);

    first.lease(lease("first", &["rooms 1"], &[], LONG)).await.unwrap();
    let seen = second.lease(lease("second", &["rooms 1"], &[], LONG)).await.unwrap();
    let alone = second.lease(lease("second", &["rooms 2"], &[], LONG)).await.unwrap();

    let held = |rows: Vec<LeaseRow>| -> Vec<(String, String)> {
        rows.into_iter().map(|row| (row.key.0, row.holder.name)).collect()
    };
    assert_eq!(held(seen), [("rooms 1".to_owned(), "first".to_owned())]);
    assert_eq!(
        held(alone),
        [("rooms 1".to_owned(), "first".to_owned()), ("rooms 2".to_owned(), "second".to_owned())]
    );
}

#[tokio::test]
async fn who_waits_hears_what_another_process_gives_up() {
    let postgres = Postgres::start();
    let (first, second) = (opened(&postgres).await, opened(&postgres).await);
    first.lease(lease("first", &["x"], &[], LONG)).await.unwrap();

    // Again and again, for nobody tells when the other has begun to listen.
    let heard = timeout(PATIENCE, async {
        tokio::select! {
            () = second.given_up() => {}
            () = async { loop {
                first.lease(lease("first", &[], &["x"], LONG)).await.unwrap();
            } } => {}
        }
    });

    heard.await.unwrap();
}

#[tokio::test]
async fn a_process_that_lost_what_it_held_stores_nothing_more() {
    let postgres = Postgres::start();
    let (first, second) = (opened(&postgres).await, opened(&postgres).await);
    first.lease(lease("it's first", &["x"], &[], LONG)).await.unwrap();
    first.decide(sample::founding("r")).await.unwrap();

    postgres.query(RUN_OUT);
    second.lease(lease("second", &["x"], &[], LONG)).await.unwrap();
    let late = first.decide(sample::founding("s")).await;
    second.decide(sample::founding("s")).await.unwrap();

    let Err(StoreFault::Unavailable(why)) = late else { panic!("{late:?}") };
    assert!(why.contains("another process is at work"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_over_waits_for_what_was_under_way() {
    let postgres = Postgres::start();
    let first = opened(&postgres).await;
    let second = opened(&postgres).await;
    first.lease(lease("first", &["x"], &[], LONG)).await.unwrap();
    let mut other = PgConnection::connect(&postgres.url()).await.unwrap();
    let mut under_way = other.begin().await.unwrap();
    sqlx::query("SELECT work_as('first')").execute(&mut *under_way).await.unwrap();

    postgres.query(RUN_OUT);
    let taking = tokio::spawn(async move { second.lease(lease("second", &["x"], &[], LONG)).await });
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    let begun = Instant::now();
    while postgres.query(waits) != "1" {
        assert!(begun.elapsed() < PATIENCE, "nobody waits");
    }
    let waited = !taking.is_finished();
    under_way.commit().await.unwrap();
    let rows = taking.await.unwrap().unwrap();

    assert_eq!((waited, rows.len(), &*rows[0].holder.name), (true, 1, "second"));
}
