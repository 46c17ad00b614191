use aws_lc_rs::digest::{SHA256, digest};
use mimi_bridge::{QueueKind, QueueReport};
use mimi_server::{LaneReport, SetAside};
use mimi_uri::{Domain, RoomUri};
use serde::{Deserialize, Serialize};

use super::Desk;

/// A queue of the bridge or a lane of the hub, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// Its name, short enough to type.
    pub(crate) id: String,
    /// What it holds: `inbox`, `room`, `outbox` or `follower`.
    pub(crate) kind: String,
    /// Whose it is.
    pub(crate) about: String,
    /// How much waits in it.
    pub(crate) waiting: u64,
    /// When the oldest of that was queued, in milliseconds since 1970.
    pub(crate) oldest_ms: Option<u64>,
    /// How it is.
    pub(crate) state: QueueState,
    /// What is in its way.
    pub(crate) why: Option<String>,
    /// Since when nothing got through.
    pub(crate) since_ms: Option<u64>,
    /// When it will be tried again.
    pub(crate) next_ms: Option<u64>,
    /// What it went on without.
    pub(crate) set_aside: Vec<SetAside>,
}

/// How a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QueueState {
    /// Nothing is known to be in its way.
    Moving,
    /// The first in it could not be done yet.
    Waiting,
    /// The first in it may have been done, or not.
    Perhaps,
    /// Waiting alone is not expected to help.
    Parked,
}

impl QueueState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Moving => "moving",
            Self::Waiting => "waiting",
            Self::Perhaps => "perhaps",
            Self::Parked => "parked",
        }
    }
}

/// Where a listed queue really is.
enum Place {
    Bridge(QueueKind, String),
    Server(Domain, RoomUri),
}

impl Desk {
    pub(super) async fn queues(&self) -> Result<Vec<Listed>, String> {
        Ok(self.placed().await?.into_iter().map(|(listed, _)| listed).collect())
    }

    pub(super) async fn hurry(&self, id: &str) -> Result<Option<Listed>, String> {
        let found = self.placed().await?.into_iter().find(|(listed, _)| listed.id == id);
        Ok(found.map(|(listed, place)| {
            match place {
                Place::Bridge(kind, key) => drop(self.bridge.hurry(kind, &key)),
                Place::Server(peer, room) => self.server.resume_lane(&peer, &room),
            }
            listed
        }))
    }

    async fn placed(&self) -> Result<Vec<(Listed, Place)>, String> {
        let mut placed: Vec<_> = self.bridge.queues().await?.into_iter().map(of_bridge).collect();
        placed.extend(self.server.lanes().await?.into_iter().map(of_server));
        Ok(placed)
    }
}

fn of_bridge(report: QueueReport) -> (Listed, Place) {
    let state = match (report.perhaps, &report.why) {
        (true, _) => QueueState::Perhaps,
        (false, Some(_)) => QueueState::Waiting,
        (false, None) => QueueState::Moving,
    };
    let listed = Listed {
        id: id(report.kind.name(), &report.key),
        kind: report.kind.name().to_owned(),
        about: report.about,
        waiting: report.waiting,
        oldest_ms: report.oldest_ms,
        state,
        why: report.why,
        since_ms: report.since_ms,
        next_ms: report.next_ms,
        set_aside: vec![],
    };
    (listed, Place::Bridge(report.kind, report.key))
}

fn of_server(report: LaneReport) -> (Listed, Place) {
    let state = match (report.is_parked, &report.why) {
        (true, _) => QueueState::Parked,
        (false, Some(_)) => QueueState::Waiting,
        (false, None) => QueueState::Moving,
    };
    let about = format!("{} → {}", report.room, report.peer);
    let listed = Listed {
        id: id("follower", &about),
        kind: "follower".to_owned(),
        about,
        waiting: report.waiting,
        oldest_ms: report.oldest_ms,
        state,
        why: report.why,
        since_ms: report.since_ms,
        next_ms: report.next_ms,
        set_aside: report.set_aside,
    };
    (listed, Place::Server(report.peer, report.room))
}

/// The same queue has the same name every time; names of two queues differ for all that anybody will ever list.
fn id(kind: &str, key: &str) -> String {
    hex::encode(&digest(&SHA256, format!("{kind} {key}").as_bytes()).as_ref()[..ID_LENGTH])
}

const ID_LENGTH: usize = 4;
