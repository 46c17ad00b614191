//! The keys of the days: native payloads are sealed by the day they came, and gone with the day's key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mimi_client::vault::{DataKey, Vault};
use mimi_store::{Batch, RowChange, Store, StoreFault};

use crate::fault::Fault;
use crate::rows::{DATA_KEY, Key};

const DAY_MS: u64 = 86_400_000;

/// Seals and opens payload rows.
pub(crate) struct Sealing {
    vault: Vault,
    store: Arc<dyn Store>,
    keys: Mutex<BTreeMap<u32, DataKey>>,
}

impl Sealing {
    pub(crate) fn new(vault: Vault, store: Arc<dyn Store>) -> Self {
        Self { vault, store, keys: Mutex::default() }
    }

    /// Seals a payload of today for the row with this key.
    pub(crate) async fn seal(&self, now_ms: u64, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let day = u32::try_from(now_ms / DAY_MS).unwrap_or(u32::MAX);
        let key = match self.stored(day).await? {
            Some(key) => key,
            None => self.create(day).await?,
        };
        Ok(key.seal(row, plain))
    }

    /// Opens the payload of the row with this key.
    pub(crate) async fn open(&self, row: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let day = DataKey::day_of(sealed)?;
        let key = self.stored(day).await?.ok_or(Fault::DayIsGone(day))?;
        Ok(key.open(row, sealed)?)
    }

    async fn stored(&self, day: u32) -> Result<Option<DataKey>, Fault> {
        if let Some(key) = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&day) {
            return Ok(Some(key.clone()));
        }
        let Some(row) = self.store.row(DATA_KEY, &row_key(day)).await? else { return Ok(None) };
        let key = self.vault.open_data_key(day, &row.bytes)?;
        self.keep(key.clone());
        Ok(Some(key))
    }

    /// Makes the day's key; if another process was faster, its key counts.
    async fn create(&self, day: u32) -> Result<DataKey, Fault> {
        let (key, sealed) = self.vault.new_data_key(day);
        let insert = RowChange::Insert { kind: DATA_KEY, key: row_key(day), bytes: sealed };
        match self.store.record(Batch { rows: vec![insert], ..Batch::default() }).await {
            Ok(()) => {
                self.keep(key.clone());
                Ok(key)
            }
            Err(StoreFault::Conflict) => self.stored(day).await?.ok_or(Fault::DayIsGone(day)),
            Err(fault) => Err(fault.into()),
        }
    }

    fn keep(&self, key: DataKey) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.day(), key);
    }
}

fn row_key(day: u32) -> Vec<u8> {
    Key::default().number(day.into()).bytes()
}
