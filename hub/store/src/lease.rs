use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// What one process wants to work on, and what no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The process.
    pub holder: Holder,
    /// What it wants to hold, what it holds already included.
    pub wanted: Vec<LeaseKey>,
    /// What it gives up.
    pub given_up: Vec<LeaseKey>,
    /// For how long it is granted what is free.
    pub lasts: Duration,
}

/// A process, among those that share the data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// A name that no other process ever has.
    pub name: String,
    /// Where it is, for people who look.
    pub place: String,
}

/// What is leased: the name of some work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseKey(pub String);

/// A lease that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// What is held.
    pub key: LeaseKey,
    /// By whom.
    pub holder: Holder,
}

/// All leases, where they need to last no longer than the process that keeps them.
#[derive(Debug, Default)]
pub struct LeaseTable(BTreeMap<LeaseKey, (Holder, Instant)>);

impl LeaseTable {
    /// Grants what is free and takes back what is given up; tells all that is held then, by key.
    pub fn apply(&mut self, lease: Lease, now: Instant) -> Vec<LeaseRow> {
        let Lease { holder, wanted, given_up, lasts } = lease;
        self.0.retain(|key, (by, until)| *until > now && (by.name != holder.name || !given_up.contains(key)));
        for key in wanted {
            if self.0.get(&key).is_none_or(|(by, _)| by.name == holder.name) {
                self.0.insert(key, (holder.clone(), now + lasts));
            }
        }
        let held = self.0.iter().filter(|(_, (_, until))| *until > now);
        held.map(|(key, (holder, _))| LeaseRow { key: key.clone(), holder: holder.clone() }).collect()
    }
}
