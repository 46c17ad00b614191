use rusqlite::Connection;

use super::fences::Fences;
use super::requests::{Recent, Requests};
use crate::sql::room;

/// What the writer remembers of the database, so that a message costs few reads.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) fences: Fences,
    pub(super) requests: Requests,
    data_version: Option<i64>,
}

impl Memory {
    pub(super) fn new(recent: Recent) -> Self {
        Self { fences: Fences::default(), requests: Requests::new(recent), data_version: None }
    }

    /// Reads anew what another process may have changed. To be called within the transaction that relies on it.
    pub(super) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let data_version = Some(room::data_version(connection)?);
        if self.data_version != data_version {
            self.fences.forget_all();
            self.requests.reload(connection)?;
        }
        self.data_version = data_version;
        self.fences.bound();
        self.requests.move_if_many(connection)
    }

    /// The transaction was committed.
    pub(super) fn commit(&mut self) {
        self.requests.commit();
    }

    /// The transaction is undone.
    pub(super) fn undo(&mut self) {
        self.fences.forget_all();
        self.requests.undo();
    }

    /// The connection is given up: whether its transaction was committed is unknown.
    pub(super) fn forget_all(&mut self) {
        self.fences.forget_all();
        self.requests.give_up();
        self.data_version = None;
    }
}
