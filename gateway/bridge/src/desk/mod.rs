//! What an operator can see and do: every queue with what is in its way, and the letters.
//!
//! All of it is read from the rows, so it is the same whether the bridge runs or not; only *why* something waits, and
//! until when, a running one alone knows.

mod letters;
mod queues;

use mimi_store::{KeyRange, Row, RowKind};
use serde::{Deserialize, Serialize};

pub use letters::{LetterReport, Letters};

use crate::bridge::Core;
use crate::fault::Fault;
use crate::rows::LinkId;

/// A queue with something in it, or with something in its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueReport {
    /// What it is a queue of.
    pub kind: QueueKind,
    /// Its name, unique among all of its kind.
    pub key: String,
    /// Whose it is, for people to read.
    pub about: String,
    /// How much waits in it.
    pub waiting: u64,
    /// When the oldest of that was queued, in milliseconds since 1970.
    pub oldest_ms: Option<u64>,
    /// What is in its way.
    pub why: Option<String>,
    /// Since when nothing got through.
    pub since_ms: Option<u64>,
    /// When it will be tried again.
    pub next_ms: Option<u64>,
    /// Whether the first in it may have been done already.
    pub perhaps: bool,
}

/// What a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueKind {
    /// What was said in a native conversation and is not yet in its room.
    Inbox,
    /// What was asked of a room's hub without an answer yet, and events of its log that were not yet read.
    Room,
    /// What is to be done on a native network.
    Outbox,
}

impl QueueKind {
    /// The kind in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Room => "room",
            Self::Outbox => "outbox",
        }
    }
}

/// Rows read at once.
const PAGE: usize = 1000;

/// Between whom a link is, for people to read.
struct Ends {
    adapter: String,
    from: String,
    to: String,
}

impl Core {
    async fn ends_of(&self, id: &LinkId) -> Result<Option<Ends>, Fault> {
        if let Some((link, _)) = self.link(id).await? {
            let (from, to) = (link.peer.to_string(), link.native_user.to_string());
            return Ok(Some(Ends { adapter: link.adapter, from, to }));
        }
        Ok(self.group(id).await?.map(|(group, _)| {
            let to =
                group.native_room.map_or_else(|| "a new conversation".to_owned(), |room| room.to_string());
            Ends { adapter: group.adapter, from: group.room.to_string(), to }
        }))
    }

    /// Shows every row of a kind to `see`, in the order of their keys.
    async fn each_row(
        &self,
        kind: RowKind,
        mut range: KeyRange,
        mut see: impl FnMut(Row),
    ) -> Result<(), Fault> {
        loop {
            let page = self.store.rows(kind, range.clone(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            range = range.behind(&last.key);
            page.into_iter().for_each(&mut see);
        }
    }
}
