//! The store that the configuration names.

use std::sync::Arc;

use mimi_store::Store;
use mimi_store_postgres::PostgresStore;
use mimi_store_sqlite::SqliteStore;

use crate::config::StoreConfig;

/// The store, open.
pub(crate) enum OpenStore {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl OpenStore {
    /// Opens it.
    pub(crate) async fn open(config: &StoreConfig) -> Result<Self, String> {
        Ok(match config {
            StoreConfig::Sqlite(path) => {
                let opened = SqliteStore::open(path).await;
                let told = |fault| format!("store.sqlite: {}: {fault}", path.display());
                Self::Sqlite(Arc::new(opened.map_err(told)?))
            }
            StoreConfig::Postgres(url) => {
                let opened = PostgresStore::open(url).await;
                Self::Postgres(Arc::new(opened.map_err(|fault| format!("store.postgres: {fault}"))?))
            }
        })
    }

    /// The store, for whoever works with it.
    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Postgres(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// Stores what was asked for so far, then closes.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}
