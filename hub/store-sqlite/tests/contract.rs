//! The contract of `mimi-store`, kept by `SQLite`.
#![expect(clippy::unwrap_used, reason = "a disk that cannot be opened fails its test")]

use std::sync::Arc;

use async_trait::async_trait;
use mimi_store::Store;
use mimi_store::contract::Disk;
use mimi_store_sqlite::SqliteStore;
use tempfile::TempDir;

struct File(TempDir);

impl File {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }
}

#[async_trait]
impl Disk for File {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(self.0.path().join("store.db")).await.unwrap())
    }
}

mimi_store::contract_tests!(File::new());
