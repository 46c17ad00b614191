//! The product's store, on either kind of database.

use std::path::Path;
use std::sync::Arc;

use mimi_store::Store;
use mimi_store_postgres::PostgresStore;
use mimi_store_sqlite::SqliteStore;

use crate::fault::Outcome;

/// The file, where it is one.
pub(crate) const FILE: &str = "hub.db";

/// An open database.
pub(crate) enum Database {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Database {
    /// Opens the one of this URL, or the file in this directory.
    pub(crate) async fn open(directory: &Path, url: Option<&str>) -> Outcome<Self> {
        Ok(match url {
            Some(url) => Self::Postgres(Arc::new(PostgresStore::open(url).await?)),
            None => Self::Sqlite(Arc::new(SqliteStore::open(directory.join(FILE)).await?)),
        })
    }

    /// The store in it.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as _,
            Self::Postgres(store) => Arc::clone(store) as _,
        }
    }

    /// Stores what was asked for, and closes it.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}
