//! The durable log of the control: all that waits in one transaction, by one thread on one connection to a file, or by
//! two tasks in turns, each on a connection of its own to a server.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use rusqlite::Connection;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::fault::Outcome;
use crate::limits::{CONTROL_BATCH_MAX, CONTROL_QUEUE_MAX};

/// The write-ahead log is copied back as rarely as the product's.
pub(crate) const OPEN: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4096;
    CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
";

const CREATE: &str =
    "CREATE TABLE message (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)";

struct Job {
    body: Bytes,
    stored: oneshot::Sender<()>,
}

pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    pub(super) fn start(file: &Path) -> Outcome<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch(OPEN)?;
        let (jobs, waiting) = mpsc::channel(CONTROL_QUEUE_MAX);
        thread::Builder::new().name("writer".to_owned()).spawn(move || write(connection, waiting))?;
        Ok(Self(jobs))
    }

    /// Two, so that one takes what comes while the other waits for the disk.
    pub(super) async fn start_on_server(url: &str) -> Outcome<Self> {
        let (jobs, waiting) = mpsc::channel(CONTROL_QUEUE_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut first = PgConnection::connect(url).await?;
        sqlx::query(CREATE).execute(&mut first).await?;
        for connection in [first, PgConnection::connect(url).await?] {
            tokio::spawn(write_to_server(connection, Arc::clone(&waiting)));
        }
        Ok(Self(jobs))
    }

    /// Returns once the body is on the disk; none if it never will be.
    pub(super) async fn append(&self, body: Bytes) -> Option<()> {
        let (stored, done) = oneshot::channel();
        self.0.try_send(Job { body, stored }).ok()?;
        done.await.ok()
    }
}

/// Ends when nobody can ask any more, or at the first fault: whoever waits then hears that nothing is stored.
fn write(mut connection: Connection, mut waiting: mpsc::Receiver<Job>) -> rusqlite::Result<()> {
    let mut batch = Vec::with_capacity(CONTROL_BATCH_MAX);
    while waiting.blocking_recv_many(&mut batch, CONTROL_BATCH_MAX) > 0 {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO message (body) VALUES (?)")?;
            for job in &batch {
                insert.execute([&job.body[..]])?;
            }
        }
        transaction.commit()?;
        for job in batch.drain(..) {
            job.stored.send(()).ok();
        }
    }
    Ok(())
}

/// Ends as the other one does.
async fn write_to_server(
    mut connection: PgConnection,
    waiting: Arc<Mutex<mpsc::Receiver<Job>>>,
) -> sqlx::Result<()> {
    let mut batch = Vec::with_capacity(CONTROL_BATCH_MAX);
    loop {
        if waiting.lock().await.recv_many(&mut batch, CONTROL_BATCH_MAX).await == 0 {
            return Ok(());
        }
        let bodies: Vec<&[u8]> = batch.iter().map(|job| &job.body[..]).collect();
        sqlx::query("INSERT INTO message (body) SELECT * FROM unnest($1::bytea[])")
            .bind(bodies)
            .execute(&mut connection)
            .await?;
        for job in batch.drain(..) {
            job.stored.send(()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_answered_is_stored() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("control.db");
        let writer = Writer::start(&file).unwrap();

        for body in ["one", "two"] {
            writer.append(Bytes::from(body)).await.unwrap();
        }

        let stored: String = Connection::open(&file)
            .unwrap()
            .query_row("SELECT group_concat(CAST(body AS TEXT)) FROM message ORDER BY id", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(stored, "one,two");
    }
}
