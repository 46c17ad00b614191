//! Native events become rows before they are acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use mimi_adapter::{Host, Ingest, IngestFault, NativeEvent, NativeRoomId, SessionStatus};
use mimi_store::{Batch, Row, RowChange, fail_point};
use tokio::sync::Mutex;

use crate::bridge::{Core, all_rows};
use crate::fault::Fault;
use crate::rows::{self, EVENT, EventRow, INBOX, Key, NOTE};

/// A native conversation of one adapter instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    pub(crate) adapter: String,
    pub(crate) room: NativeRoomId,
}

/// Bits of a number that count within a millisecond; the rest says which one, for the next 500 years.
const COUNT_BITS: u32 = 20;

/// Numbers that only grow, also across restarts.
pub(crate) struct Sequence {
    last: AtomicU64,
    /// The last number of the processes before.
    before: u64,
}

/// What an adapter instance hands its events to.
pub(crate) struct Intake {
    core: Arc<Core>,
    adapter: String,
    /// One batch at a time: whether an event is known is looked up and then relied on.
    turn: Mutex<()>,
}

impl Lane {
    /// The key of everything in the lane's inbox.
    pub(crate) fn key(&self) -> Key {
        Key::of(&self.adapter).and(self.room.as_str().as_bytes())
    }

    /// The key of what became of one of its events.
    pub(crate) fn event_key(&self, event: &str) -> Vec<u8> {
        self.key().and(event.as_bytes()).bytes()
    }
}

impl Sequence {
    /// A sequence that goes on behind `last`.
    pub(crate) fn after(last: u64) -> Self {
        Self { last: AtomicU64::new(last), before: last }
    }

    /// The next number; it says when it was taken, as long as clocks do not go backwards.
    pub(crate) fn next(&self, now_ms: u64) -> u64 {
        let follow = |last: u64| (last + 1).max(now_ms << COUNT_BITS);
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(follow(last)));
        // Both arms are the number before: the closure never declines.
        follow(last.unwrap_or_else(|last| last))
    }

    /// Whether a number was taken by a process before this one.
    pub(crate) fn is_of_before(&self, number: u64) -> bool {
        number <= self.before
    }

    /// When a number was taken, in milliseconds since 1970.
    pub(crate) fn time_ms(number: u64) -> u64 {
        number >> COUNT_BITS
    }
}

impl Intake {
    pub(crate) fn new(core: Arc<Core>, adapter: String) -> Self {
        Self { core, adapter, turn: Mutex::default() }
    }

    async fn store(&self, ingest: Ingest) -> Result<Vec<Lane>, Fault> {
        let _turn = self.turn.lock().await;
        let mut batch = Batch::default();
        let mut lanes: Vec<Lane> = Vec::new();
        for event in ingest.events {
            let lane = Lane { adapter: self.adapter.clone(), room: event.lane.clone() };
            let event_key = lane.event_key(event.id.as_str());
            if self.core.store.row(EVENT, &event_key).await?.is_some() || already_in(&batch, &event_key) {
                continue;
            }
            batch.rows.push(RowChange::Insert {
                kind: EVENT,
                key: event_key,
                bytes: rows::encode(&EventRow::Received),
            });
            batch.rows.push(self.inbox_row(&lane, &event).await?);
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        if !batch.rows.is_empty() {
            fail_point("intake.heard");
            self.core.store.record(batch).await?;
            fail_point("intake.stored");
        }
        Ok(lanes)
    }

    async fn inbox_row(&self, lane: &Lane, event: &NativeEvent) -> Result<RowChange, Fault> {
        let key = lane.key().number(self.core.sequence.next(self.core.clock.now().0)).bytes();
        let bytes = self.core.sealing.seal(self.core.clock.now().0, &key, &rows::encode(event)).await?;
        Ok(RowChange::Insert { kind: INBOX, key, bytes })
    }
}

fn already_in(batch: &Batch, event_key: &[u8]) -> bool {
    batch.rows.iter().any(
        |change| matches!(change, RowChange::Insert { kind, key, .. } if *kind == EVENT && key == event_key),
    )
}

#[async_trait]
impl Host for Intake {
    async fn ingest(&self, ingest: Ingest) -> Result<(), IngestFault> {
        let count = ingest.events.len();
        match self.store(ingest).await {
            Ok(lanes) => {
                metrics::counter!("native_events_total", "adapter" => self.adapter.clone())
                    .increment(count as u64);
                for lane in lanes {
                    self.core.wake_lane(lane);
                }
                Ok(())
            }
            Err(fault) => {
                self.core.store_failed.notify_one();
                tracing::warn!(adapter = %self.adapter, %fault, "native events were not stored; the network keeps them");
                Err(IngestFault { why: fault.to_string() })
            }
        }
    }

    async fn keep(&self, key: &str, value: Option<&str>) -> Result<(), IngestFault> {
        let row = Key::of(&self.adapter).and(key.as_bytes()).bytes();
        let change = match value {
            Some(value) => {
                RowChange::Put { kind: NOTE, key: row, expected: None, bytes: value.as_bytes().to_vec() }
            }
            None => RowChange::Delete { kind: NOTE, key: row, expected: None },
        };
        let recorded = self.core.store.record(Batch { rows: vec![change], ..Batch::default() }).await;
        recorded.map_err(|fault| IngestFault { why: fault.to_string() })
    }

    async fn kept(&self) -> Result<Vec<(String, String)>, IngestFault> {
        let rows = all_rows(self.core.store.as_ref(), NOTE, Key::of(&self.adapter).range()).await;
        let rows = rows.map_err(|fault| IngestFault { why: fault.to_string() })?;
        let read = |row: &Row| {
            let key = String::from_utf8(Key::parts(&row.key, 2)?[1].to_vec()).ok()?;
            Some((key, String::from_utf8(row.bytes.clone()).ok()?))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    fn status(&self, status: SessionStatus) {
        tracing::info!(adapter = %self.adapter, ?status, "adapter status");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_whatever_the_clock_does_and_say_when_they_were_taken() {
        let sequence = Sequence::after(7);

        let numbers = [5, 5, 4, 9].map(|now_ms| sequence.next(now_ms));

        assert!(sequence.is_of_before(7) && !sequence.is_of_before(numbers[0]));
        assert!(numbers.is_sorted_by(|before, after| before < after));
        assert_eq!(numbers.map(Sequence::time_ms), [5, 5, 5, 9]);
    }
}
