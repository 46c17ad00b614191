use std::io;
use std::path::Path;

use rusqlite::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::limits::{BUSY_TIMEOUT, CHECKPOINT_PAGES, STATEMENTS_KEPT};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// It was written by a newer release; this one would misread it.
    #[error("the database has schema {version}, which is newer than this release knows")]
    NewerSchema {
        /// The first migration that is unknown here.
        version: i64,
    },
    /// A migration that it went through is not the one of this release.
    #[error("the database went through another migration {version} than this release has")]
    AlteredSchema {
        /// The migration that differs.
        version: i64,
    },
    /// A migration failed.
    #[error("the schema could not be brought up to date")]
    Migration(#[source] MigrateError),
    /// It cannot be created or read.
    #[error("the database file could not be created")]
    File(#[source] io::Error),
    /// It is not a database, or `SQLite` cannot open it.
    #[error("the database could not be opened")]
    Database(#[from] sqlx::Error),
    /// `SQLite` cannot open it for writing.
    #[error("the database could not be opened for writing")]
    Writing(#[from] rusqlite::Error),
    /// The system gave no thread to write in.
    #[error("the thread that writes could not be started")]
    Thread(#[source] io::Error),
}

/// Makes the file, for its owner only, unless it is there.
pub(crate) fn create(path: &Path) -> Result<(), OpenFault> {
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop).map_err(OpenFault::File)
}

/// Brings the schema up to date; what it did is on disk when it returns.
pub(crate) async fn migrate(path: &Path) -> Result<(), OpenFault> {
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).foreign_keys(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = options.disable_statement_logging().connect().await?;
    // Not `run`, whose future the compiler cannot prove `Send` in a caller's.
    MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenFault::NewerSchema { version },
        MigrateError::VersionMismatch(version) => OpenFault::AlteredSchema { version },
        other => OpenFault::Migration(other),
    })?;
    Ok(connection.close().await?)
}

/// Opens the connection that writes.
pub(crate) fn writing(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// `FULL`: what was acknowledged survives a power cut, and not only a crash.
///
/// A build with debug assertions can be told otherwise, by the test that shows that it matters.
fn synchronous() -> String {
    #[cfg(debug_assertions)]
    if let Ok(told) = std::env::var("DRAWBRIDGE_SQLITE_SYNCHRONOUS") {
        return told;
    }
    "FULL".to_owned()
}

/// Opens a connection that reads.
pub(crate) fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}
