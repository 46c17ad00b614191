//! The durable log of the control: one thread, one connection, and all that waits in one transaction.

use std::path::Path;
use std::thread;

use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::fault::Outcome;
use crate::limits::{CONTROL_BATCH_MAX, CONTROL_QUEUE_MAX};

/// The write-ahead log is copied back as rarely as the product's.
pub(crate) const OPEN: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4096;
    CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
";

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
