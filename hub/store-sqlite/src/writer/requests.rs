use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError, RwLock};

use mimi_store::Seq;
use rusqlite::Connection;

use super::Undone;
use crate::limits::RECENT_REQUESTS_MAX;
use crate::sql::request::{self, Request};

/// The requests of the newest events, which the table of requests does not have yet; readers share them.
///
/// A reader looks here first, then into the table: what leaves was committed there before. It looks at the event, too:
/// what is here may not be committed yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Arc<RwLock<HashMap<Request, Seq>>>);

impl Recent {
    pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let recent = Self::default();
        recent.reload(connection)?;
        Ok(recent)
    }

    fn reload(&self, connection: &Connection) -> rusqlite::Result<()> {
        let unmoved = request::recent(connection)?;
        self.change(|recent| *recent = unmoved.into_iter().collect());
        Ok(())
    }

    /// The event that this request caused, if it is one of the newest.
    pub(crate) fn seq(&self, request: &Request) -> Option<Seq> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(request).copied()
    }

    fn change<T>(&self, change: impl FnOnce(&mut HashMap<Request, Seq>) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the writer knows of requests; true while nobody else writes to the database.
#[derive(Debug)]
pub(super) struct Requests {
    recent: Recent,
    /// Those of the present transaction, oldest first.
    uncommitted: Vec<Request>,
    /// Whether the present transaction puts all others into the table.
    moves: bool,
}

impl Requests {
    pub(super) fn new(recent: Recent) -> Self {
        Self { recent, uncommitted: Vec::new(), moves: false }
    }

    /// Reads anew what the table has not.
    pub(super) fn reload(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.recent.reload(connection)
    }

    /// Moves the requests of all events stored so far into the table, once they are many. To be called at the
    /// beginning of a transaction.
    pub(super) fn move_if_many(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut all = self.recent.change(|recent| match recent.len() {
            ..RECENT_REQUESTS_MAX => Vec::new(),
            _ => recent.iter().map(|(request, seq)| (*request, *seq)).collect(),
        });
        if all.is_empty() {
            return Ok(());
        }
        all.sort_unstable();
        request::insert(connection, &all)?;
        request::is_complete(connection)?;
        self.moves = true;
        Ok(())
    }

    /// Takes in the request of an event that is about to be stored; one that caused another event is a conflict.
    pub(super) fn add(&mut self, connection: &Connection, request: Request, seq: Seq) -> Result<(), Undone> {
        let is_new = self.recent.change(|recent| match recent.entry(request) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(seq);
                true
            }
        });
        if !is_new {
            return Err(Undone::Conflict);
        }
        self.uncommitted.push(request);
        if request::is_known(connection, &request)? { Err(Undone::Conflict) } else { Ok(()) }
    }

    /// How many this transaction has taken in.
    pub(super) fn mark(&self) -> usize {
        self.uncommitted.len()
    }

    /// Forgets what was taken in since a mark: its savepoint is undone.
    pub(super) fn undo_to(&mut self, mark: usize) {
        let undone = self.uncommitted.split_off(mark);
        self.recent.change(|recent| undone.iter().for_each(|request| _ = recent.remove(request)));
    }

    /// The transaction is undone.
    pub(super) fn undo(&mut self) {
        self.undo_to(0);
        self.moves = false;
    }

    /// Whether the transaction is committed is unknown. Readers look for its requests all the same, and find those of
    /// events that are there.
    pub(super) fn give_up(&mut self) {
        self.uncommitted.clear();
        self.moves = false;
    }

    /// The transaction is committed: what it moved is in the table.
    pub(super) fn commit(&mut self) {
        let added = std::mem::take(&mut self.uncommitted);
        if std::mem::take(&mut self.moves) {
            self.recent.change(|recent| {
                let kept = added.iter().filter_map(|request| Some((*request, *recent.get(request)?)));
                *recent = kept.collect();
            });
        }
    }
}
