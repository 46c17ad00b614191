//! Small things that may be forgotten with the process: no promise rests on them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mimi_adapter::OpId;
use mimi_uri::UserUri;
use tokio::time::Instant;

use crate::rows::LinkId;

/// How often each undone operation was tried by this process.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<OpId, u32>>);

impl Attempts {
    /// Counts a try; the first is 0.
    pub(crate) fn next(&self, op_id: &OpId) -> u32 {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = attempts.entry(op_id.clone()).or_default();
        *tries += 1;
        *tries - 1
    }

    pub(crate) fn forget(&self, op_id: &OpId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(op_id);
    }
}

/// When each link last posted.
#[derive(Default)]
pub(crate) struct LastPosts(Mutex<HashMap<LinkId, Instant>>);

impl LastPosts {
    pub(crate) fn touch(&self, link: &LinkId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(link.clone(), Instant::now());
    }

    /// Whether nothing was posted for a while. After a restart nobody knows, and the time starts anew.
    pub(crate) fn is_idle(&self, link: &LinkId, at_least: Duration) -> bool {
        let mut posts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        posts.entry(link.clone()).or_insert_with(Instant::now).elapsed() >= at_least
    }
}

/// The name that each link's puppet was last given.
#[derive(Default)]
pub(crate) struct ShownNames(Mutex<HashMap<LinkId, String>>);

impl ShownNames {
    /// The same for one of several puppets of a link.
    pub(crate) fn changes_of(&self, link: &LinkId, user: &UserUri, name: &str) -> bool {
        self.changes(&LinkId(format!("{link} {user}")), name)
    }

    /// Whether the name is another than before; from now on it is the name.
    pub(crate) fn changes(&self, link: &LinkId, name: &str) -> bool {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(link.clone(), name.to_owned()).is_none_or(|before| before != name)
    }
}

/// The links of which this process has tried an operation.
#[derive(Default)]
pub(crate) struct FirstTries(Mutex<HashSet<LinkId>>);

impl FirstTries {
    /// Whether this is the first try of the link by this process: only that one may be a repetition of what the process
    /// before it did.
    pub(crate) fn is_first(&self, link: &LinkId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(link.clone())
    }
}
