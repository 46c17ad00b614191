use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mimi_store::StoreFault;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::limits::READERS_MAX;
use crate::open;
use crate::sql::Unreadable;

/// The connections that read, opened as they are needed.
///
/// Each read runs as a whole in a thread that may block, and its outcome comes back at once, however many rows it is of.
#[derive(Debug, Clone)]
pub(crate) struct Readers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn of(path: &Path) -> Self {
        let turns = Arc::new(Semaphore::new(READERS_MAX as usize));
        Self(Arc::new(Inner { path: path.to_owned(), turns, idle: Mutex::default() }))
    }

    /// Reads with the next connection that is free.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Unreadable> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let turn = Arc::clone(&self.0.turns).acquire_owned().await.map_err(|_| StoreFault::closed())?;
        let inner = Arc::clone(&self.0);
        let reading = spawn_blocking(move || {
            let read = inner.read(read);
            drop(turn);
            read
        });
        let read = reading.await.map_err(|ended| StoreFault::Unavailable(ended.to_string()))?;
        Ok(read?)
    }

    /// Lets those who read finish, and closes their connections; later reads fault.
    pub(crate) async fn close(&self) {
        // Fails only if they were closed before.
        let turns = self.0.turns.acquire_many(READERS_MAX).await;
        self.0.turns.close();
        drop(turns);
        self.0.idle().clear();
    }
}

impl Inner {
    /// A connection that a read fails on is given up, with whatever state it was in.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Unreadable>) -> Result<T, Unreadable> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| open::reading(&self.path), Ok)?;
        let read = read(&connection)?;
        self.idle().push(connection);
        Ok(read)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
