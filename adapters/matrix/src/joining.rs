//! Marks on the rooms that puppets are coming into, kept at the homeserver so that they outlive us.
//!
//! They are account data of the bot: the one place that is ours, durable, and needs no database here.

use std::collections::{BTreeMap, BTreeSet};

use mimi_adapter::Outcome;
use ruma::api::client::config::{get_global_account_data, set_global_account_data};
use ruma::api::error::ErrorKind;
use ruma::events::GlobalAccountDataEventType;
use ruma::serde::Raw;
use ruma::{OwnedRoomId, OwnedUserId, RoomId, UserId};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::homeserver::{Acting, CallFault};
use crate::limits::{JOINING_MAX, RATE_LIMIT_WAIT};
use crate::session::Link;

/// Who is coming where.
#[derive(Debug, Default)]
pub(crate) struct Joining {
    /// Held by whoever hands events to the host: one at a time, so that they stay in order.
    pub(crate) order: Mutex<()>,
    /// None before they are read.
    marks: Mutex<Option<Marks>>,
}

/// The puppets that are coming, by room.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Marks {
    rooms: BTreeMap<OwnedRoomId, BTreeSet<OwnedUserId>>,
}

impl Link {
    /// Marks that a puppet is coming; durable when it returns.
    pub(crate) async fn mark(&self, room: &RoomId, puppet: &UserId) -> Result<(), Outcome> {
        let mut marks = self.joining.marks.lock().await;
        let mut with = self.loaded(&mut marks).await?.clone();
        if with.rooms.len() >= JOINING_MAX && !with.rooms.contains_key(room) {
            return Err(Outcome::RetryAfter { wait: RATE_LIMIT_WAIT });
        }
        if with.rooms.entry(room.to_owned()).or_default().insert(puppet.to_owned()) {
            self.store(&with).await?;
            *marks = Some(with);
        }
        Ok(())
    }

    /// Takes a mark away. If that fails it is worked off once more, which is harmless.
    pub(crate) async fn unmark(&self, room: &RoomId, puppet: &UserId) {
        if let Err(fault) = self.try_unmark(room, puppet).await {
            tracing::warn!(%fault, %room, "the mark of a join stays");
        }
    }

    async fn try_unmark(&self, room: &RoomId, puppet: &UserId) -> Result<(), CallFault> {
        let mut marks = self.joining.marks.lock().await;
        let mut without = self.loaded(&mut marks).await?.clone();
        let Some(puppets) = without.rooms.get_mut(room) else { return Ok(()) };
        puppets.remove(puppet);
        if puppets.is_empty() {
            without.rooms.remove(room);
        }
        self.store(&without).await?;
        *marks = Some(without);
        Ok(())
    }

    /// The puppets that are coming into a room.
    pub(crate) async fn marked(&self, room: &RoomId) -> Result<BTreeSet<OwnedUserId>, CallFault> {
        let mut marks = self.joining.marks.lock().await;
        Ok(self.loaded(&mut marks).await?.rooms.get(room).cloned().unwrap_or_default())
    }

    async fn loaded<'a>(&self, marks: &'a mut Option<Marks>) -> Result<&'a Marks, CallFault> {
        let read = match marks.take() {
            Some(known) => known,
            None => self.read().await?,
        };
        Ok(marks.insert(read))
    }

    async fn read(&self) -> Result<Marks, CallFault> {
        self.puppets.ensure(&self.homeserver, &self.bot).await?;
        let request = get_global_account_data::v3::Request::new(self.bot.clone(), kind());
        match self.homeserver.call(request, Acting::OnDevice(&self.bot)).await {
            Ok(kept) => serde_json::from_str(kept.account_data.json().get())
                .map_err(|error| CallFault::Unreadable(format!("{}: {error}", kind()))),
            Err(fault) if fault.is(&ErrorKind::NotFound) => Ok(Marks::default()),
            Err(fault) => Err(fault),
        }
    }

    async fn store(&self, marks: &Marks) -> Result<(), CallFault> {
        let malformed = |error: serde_json::Error| CallFault::Malformed(error.to_string());
        let data = Raw::new(marks).map_err(malformed)?.cast_unchecked();
        let request = set_global_account_data::v3::Request::new_raw(self.bot.clone(), kind(), data);
        self.homeserver.call(request, Acting::OnDevice(&self.bot)).await.map(drop)
    }
}

fn kind() -> GlobalAccountDataEventType {
    "drawbridge.joining".into()
}
