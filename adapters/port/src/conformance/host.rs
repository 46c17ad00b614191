use std::collections::{BTreeMap, HashSet, VecDeque};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Host, Ingest, IngestFault, NativeEvent, SessionStatus};

/// A host that remembers what it took, refuses when told to, and can be waited on.
///
/// It takes each event once, as the gateway does.
#[derive(Debug)]
pub struct RecordingHost(watch::Sender<Record>);

#[derive(Debug, Default)]
struct Record {
    events: Vec<NativeEvent>,
    ids: HashSet<(String, String)>,
    faults_wanted: usize,
    faults_answered: usize,
    statuses: VecDeque<SessionStatus>,
    kept: BTreeMap<String, String>,
}

impl Default for RecordingHost {
    fn default() -> Self {
        Self(watch::Sender::new(Record::default()))
    }
}

impl RecordingHost {
    /// A host that has taken nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next `count` batches fail to be stored.
    pub fn refuse_next(&self, count: usize) {
        self.0.send_modify(|record| record.faults_wanted = count);
    }

    /// How many batches have failed to be stored.
    pub fn refused(&self) -> usize {
        self.0.borrow().faults_answered
    }

    /// All events taken, in order.
    pub fn events(&self) -> Vec<NativeEvent> {
        self.0.borrow().events.clone()
    }

    /// Waits for an event that `wanted` picks; one that has come before counts.
    pub async fn event(&self, mut wanted: impl FnMut(&NativeEvent) -> bool) -> NativeEvent {
        let mut changes = self.0.subscribe();
        loop {
            let found = changes.borrow_and_update().events.iter().find(|event| wanted(event)).cloned();
            match found {
                Some(event) => return event,
                // The sender is in `self`, so it cannot be gone.
                None => changes.changed().await.unwrap_or_default(),
            }
        }
    }

    /// Waits until the session told that it is not in touch with its network, and returns why.
    pub async fn connecting(&self) -> String {
        let mut changes = self.0.subscribe();
        loop {
            let why = changes.borrow_and_update().statuses.iter().find_map(|status| match status {
                SessionStatus::Connecting { why } => Some(why.clone()),
                SessionStatus::Ready | SessionStatus::SetAside { .. } | SessionStatus::Closed => None,
            });
            match why {
                Some(why) => return why,
                None => changes.changed().await.unwrap_or_default(),
            }
        }
    }

    /// Waits until `wanted` status was reported, and forgets it and those before it.
    pub async fn reported(&self, wanted: &SessionStatus) {
        let mut changes = self.0.subscribe();
        loop {
            changes.borrow_and_update();
            let mut found = false;
            self.0.send_if_modified(|record| {
                if let Some(position) = record.statuses.iter().position(|status| status == wanted) {
                    record.statuses.drain(..=position);
                    found = true;
                }
                false
            });
            if found {
                return;
            }
            changes.changed().await.unwrap_or_default();
        }
    }
}

#[async_trait]
impl Host for RecordingHost {
    async fn ingest(&self, batch: Ingest) -> Result<(), IngestFault> {
        let mut answer = Ok(());
        self.0.send_modify(|record| answer = record.take(batch));
        answer
    }

    async fn keep(&self, key: &str, value: Option<&str>) -> Result<(), IngestFault> {
        self.0.send_modify(|record| {
            match value {
                Some(value) => record.kept.insert(key.to_owned(), value.to_owned()),
                None => record.kept.remove(key),
            };
        });
        Ok(())
    }

    async fn kept(&self) -> Result<Vec<(String, String)>, IngestFault> {
        Ok(self.0.borrow().kept.clone().into_iter().collect())
    }

    fn status(&self, status: SessionStatus) {
        self.0.send_modify(|record| record.statuses.push_back(status));
    }
}

impl Record {
    fn take(&mut self, batch: Ingest) -> Result<(), IngestFault> {
        if self.faults_wanted > 0 {
            self.faults_wanted -= 1;
            self.faults_answered += 1;
            return Err(IngestFault { why: "the test wants it so".to_owned() });
        }
        for event in batch.events {
            if self.ids.insert((event.lane.to_string(), event.id.to_string())) {
                self.events.push(event);
            }
        }
        Ok(())
    }
}
