//! The control of delivery: the smallest program that durably brings rows in order to somebody else.
//!
//! For each room one task: the next rows from `SQLite`, the end of the batch made durable, one request with all of them,
//! and after its answer the new position made durable, together with the end of the next batch. One thread takes all that
//! waits for the disk into one transaction.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use mimi_store::{EventLimit, Store};
use mimi_store_sqlite::SqliteStore;
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::cli::Product;
use crate::database::FILE;
use crate::fault::Outcome;
use crate::limits::{CONTROL_BATCH_MAX, CONTROL_QUEUE_MAX, COURIER_BATCH_MAX};
use crate::load::{connect, request_of};
use crate::papers::{FOLLOWER, FROM_HUB, HUB, Papers};
use crate::part;

/// The control's database.
pub(crate) const COURIER_DATABASE: &str = "courier.db";

/// As the product's connections, and rows as it has them: in the order of their acceptance, with an index by room.
const OPEN: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096;";
const CREATE: &str = "
    CREATE TABLE message (id INTEGER PRIMARY KEY, room INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
        UNIQUE (room, seq));
    CREATE TABLE lane (room INTEGER PRIMARY KEY, position INTEGER NOT NULL, batch_end INTEGER);
";

/// Fills a database with what the product in this directory is still to deliver; how many events that is.
pub(crate) async fn fill(directory: &Path) -> Outcome<usize> {
    let store = SqliteStore::open(directory.join(FILE)).await?;
    let mut connection = Connection::open(directory.join(COURIER_DATABASE))?;
    connection.execute_batch(&format!("{OPEN}{CREATE}"))?;
    let transaction = connection.transaction()?;
    let mut filled = 0;
    for (room, lane) in (0_i64..).zip(store.lanes().await?) {
        transaction.execute("INSERT INTO lane (room, position) VALUES (?, 0)", [room])?;
        let all = EventLimit { count: usize::MAX, bytes: usize::MAX };
        for (seq, event) in (0_i64..).zip(store.events(&lane.room, lane.position, all).await?) {
            transaction
                .prepare_cached("INSERT INTO message (room, seq, body) VALUES (?, ?, ?)")?
                .execute(params![room, seq, event.bytes])?;
            filled += 1;
        }
    }
    transaction.commit()?;
    store.close().await;
    Ok(filled)
}

/// Delivers all there is, then waits until nobody wants it.
pub(crate) async fn run(arguments: &Product) -> Outcome<()> {
    let to = arguments.deliver_to.ok_or("a courier needs somebody to deliver to")?;
    let file = arguments.part.directory.join(COURIER_DATABASE);
    let tls = TlsConnector::from(Papers::at(&arguments.part.papers).client(HUB, FOLLOWER)?);
    let courier = Arc::new(Courier {
        rows: Mutex::new(Connection::open(&file)?),
        marks: marks(&file)?,
        line: connect(&tls, FOLLOWER, to).await?,
    });
    part::ready(0);
    let mut lanes = JoinSet::new();
    for room in courier.rooms()? {
        let courier = Arc::clone(&courier);
        lanes.spawn(async move { courier.lane(room).await });
    }
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    part::no_longer_wanted().await;
    Ok(())
}

struct Courier {
    rows: Mutex<Connection>,
    marks: mpsc::Sender<Mark>,
    line: SendRequest<Full<Bytes>>,
}

/// Something to make durable: what has arrived, and how far the next batch goes.
struct Mark {
    room: i64,
    position: i64,
    end: i64,
    stored: oneshot::Sender<()>,
}

impl Courier {
    fn rooms(&self) -> Outcome<Vec<i64>> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rooms = rows.prepare("SELECT room FROM lane")?;
        Ok(rooms.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    async fn lane(&self, room: i64) -> Outcome<()> {
        let mut position = 0;
        loop {
            let (batch, end) = self.batch(room, position)?;
            self.mark(room, position, end).await?;
            if end == position {
                return Ok(());
            }
            let uri = format!("https://{FOLLOWER}/v1/notify/{room}").parse()?;
            let answer = self.line.clone().send_request(request_of(&uri, &batch.into(), FROM_HUB)).await?;
            answer.into_body().collect().await?;
            position = end;
        }
    }

    fn batch(&self, room: i64, position: i64) -> Outcome<(Vec<u8>, i64)> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let mut select = rows.prepare_cached(
            "SELECT seq, body FROM message WHERE room = ? AND seq >= ? ORDER BY seq LIMIT ?",
        )?;
        let mut found = select.query(params![room, position, COURIER_BATCH_MAX])?;
        let (mut batch, mut end) = (Vec::new(), position);
        while let Some(row) = found.next()? {
            end = row.get::<_, i64>(0)? + 1;
            batch.extend_from_slice(row.get_ref(1)?.as_blob()?);
        }
        Ok((batch, end))
    }

    async fn mark(&self, room: i64, position: i64, end: i64) -> Outcome<()> {
        let (stored, done) = oneshot::channel();
        self.marks.send(Mark { room, position, end, stored }).await?;
        Ok(done.await?)
    }
}

/// Starts the thread that writes.
fn marks(file: &Path) -> Outcome<mpsc::Sender<Mark>> {
    let connection = Connection::open(file)?;
    connection.execute_batch(OPEN)?;
    let (marks, waiting) = mpsc::channel(CONTROL_QUEUE_MAX);
    thread::Builder::new().name("writer".to_owned()).spawn(move || write(connection, waiting))?;
    Ok(marks)
}

fn write(mut connection: Connection, mut waiting: mpsc::Receiver<Mark>) -> rusqlite::Result<()> {
    let mut group = Vec::new();
    while waiting.blocking_recv_many(&mut group, CONTROL_BATCH_MAX) > 0 {
        let transaction = connection.transaction()?;
        for mark in &group {
            transaction
                .prepare_cached("UPDATE lane SET position = ?, batch_end = ? WHERE room = ?")?
                .execute([mark.position, mark.end, mark.room])?;
        }
        transaction.commit()?;
        for mark in group.drain(..) {
            mark.stored.send(()).ok();
        }
    }
    Ok(())
}
