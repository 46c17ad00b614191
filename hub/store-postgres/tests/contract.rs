//! The contract of `mimi-store`, kept by `PostgreSQL`.
#![expect(clippy::unwrap_used, reason = "a database that cannot be opened fails its test")]

use std::sync::Arc;

use async_trait::async_trait;
use end_to_end::Postgres;
use mimi_store::Store;
use mimi_store::contract::Disk;
use mimi_store_postgres::PostgresStore;

struct Server(Postgres);

#[async_trait]
impl Disk for Server {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.0.url()).await.unwrap())
    }
}

mimi_store::contract_tests!(Server(Postgres::start()));
