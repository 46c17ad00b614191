use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection};
use tokio::time::timeout;

use crate::limits::{CONNECT_TIME_MAX, READERS_MAX, TRANSACTION_IDLE_MAX};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The URL does not say where it is.
    #[error(
        "{0}; write postgres://user:password@host/database, or postgres://user@localhost/database?host=/run/postgresql for a socket"
    )]
    Url(String),
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
    #[error("the schema could not be brought up to date: {0}")]
    Migration(#[source] MigrateError),
    /// Nobody answers, or we are not let in.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// It takes too long to answer.
    #[error("it does not answer within {0:?}")]
    TooSlow(Duration),
}

/// How every connection reaches the database.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, OpenFault> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(OpenFault::Url("it is not a URL of PostgreSQL".to_owned()));
    }
    let options = PgConnectOptions::from_str(url).map_err(|fault| OpenFault::Url(fault.to_string()))?;
    let idle_max = TRANSACTION_IDLE_MAX.as_millis().to_string();
    let options = options.options([
        // Whatever the server's own settings are: what we acknowledge is durable, and whoever hangs lets go.
        ("synchronous_commit", "on"),
        ("idle_in_transaction_session_timeout", idle_max.as_str()),
        // That a table is there already is nothing to tell.
        ("client_min_messages", "warning"),
    ]);
    Ok(options.application_name("drawbridge").disable_statement_logging())
}

/// What an operator should know of a database before he relies on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The server's version, as it tells it.
    pub version: String,
    /// The settings without which what is acknowledged may not survive a crash of the server, and are off.
    pub careless: Vec<&'static str>,
}

/// Connects to the database of a URL and looks at it; nothing is changed.
pub async fn probe(url: &str) -> Result<Probe, OpenFault> {
    let mut connection = connect(&options(url)?).await?;
    let version = sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await?;
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(&mut connection).await?;
    let pages: String = sqlx::query_scalar("SHOW full_page_writes").fetch_one(&mut connection).await?;
    let settings = [("fsync", fsync), ("full_page_writes", pages)];
    let off = settings.into_iter().filter(|(_, value)| value != "on").map(|(name, _)| name);
    Ok(Probe { version, careless: off.collect() })
}

/// Opens one connection.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenFault> {
    let connected = timeout(CONNECT_TIME_MAX, options.connect()).await;
    Ok(connected.map_err(|_| OpenFault::TooSlow(CONNECT_TIME_MAX))??)
}

/// Opens the connection that writes, and brings the schema up to date; of several processes at once, one does.
pub(crate) async fn writing(options: &PgConnectOptions) -> Result<PgConnection, OpenFault> {
    let mut connection = connect(options).await?;
    // Not `run`, whose future the compiler cannot prove `Send` in a caller's.
    MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenFault::NewerSchema { version },
        MigrateError::VersionMismatch(version) => OpenFault::AlteredSchema { version },
        other => OpenFault::Migration(other),
    })?;
    Ok(connection)
}

/// The connections that read, opened when they are needed, and looked at before they are used: the server may have
/// ended them.
pub(crate) fn reading(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(READERS_MAX)
        .acquire_timeout(CONNECT_TIME_MAX)
        .connect_lazy_with(options.options([("default_transaction_read_only", "on")]))
}
