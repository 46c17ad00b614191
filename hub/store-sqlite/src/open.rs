use std::io;
use std::path::Path;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::limits::{BUSY_TIMEOUT, CHECKPOINT_PAGES, READERS_MAX, ROWS_AHEAD_MAX, STATEMENTS_KEPT};

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

/// How every connection opens the database.
pub(crate) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
        .disable_statement_logging()
}

/// Makes the file, for its owner only, unless it is there.
pub(crate) fn create(path: &Path) -> Result<(), OpenFault> {
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map(drop).map_err(OpenFault::File)
}

/// Brings the schema up to date.
pub(crate) async fn migrate(options: &SqliteConnectOptions) -> Result<(), OpenFault> {
    let mut connection = options.connect().await?;
    // Not `run`, whose future the compiler cannot prove `Send` in a caller's.
    MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenFault::NewerSchema { version },
        MigrateError::VersionMismatch(version) => OpenFault::AlteredSchema { version },
        other => OpenFault::Migration(other),
    })?;
    Ok(connection.close().await?)
}

/// Opens the connection that writes, with the settings of [`options`].
pub(crate) fn writing(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)?;
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

/// Opens the connections that read.
pub(crate) async fn reading(options: SqliteConnectOptions) -> Result<SqlitePool, OpenFault> {
    let options = options.pragma("query_only", "ON").row_buffer_size(ROWS_AHEAD_MAX);
    Ok(SqlitePoolOptions::new().max_connections(READERS_MAX).connect_with(options).await?)
}
