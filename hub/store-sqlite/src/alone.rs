use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use mimi_store::{Lease, LeaseRow, LeaseTable, StoreFault};
use tokio::time::Instant;

/// Sees to it that one process works on a database, and no second; whoever only reads or repairs it leases nothing.
///
/// A file beside the database is locked, which ends with the process, however that ends. Within the process leases are
/// granted as everywhere.
#[derive(Debug)]
pub(crate) struct Alone {
    lock: PathBuf,
    held: Mutex<Option<(File, LeaseTable)>>,
}

impl Alone {
    pub(crate) fn beside(database: &Path) -> Self {
        let mut lock = database.as_os_str().to_owned();
        lock.push("-lease");
        Self { lock: lock.into(), held: Mutex::new(None) }
    }

    pub(crate) fn lease(&self, lease: Lease) -> Result<Vec<LeaseRow>, StoreFault> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Some((self.locked()?, LeaseTable::default()));
        }
        let rows = held.as_mut().map(|(_, table)| table.apply(lease, Instant::now()));
        Ok(rows.unwrap_or_default())
    }

    fn locked(&self) -> Result<File, StoreFault> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let unavailable = |why: String| StoreFault::Unavailable(format!("{}: {why}", self.lock.display()));
        let file = options.open(&self.lock).map_err(|fault| unavailable(fault.to_string()))?;
        let locked = file.try_lock();
        locked.map_err(|_| unavailable("another process works on this database".to_owned()))?;
        Ok(file)
    }
}
