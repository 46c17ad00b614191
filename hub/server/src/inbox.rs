//! What hubs notify us of becomes our log of their rooms, whole batches at a time, each once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mimi_store::{Audience, Decide, EventKind, NewEvent, RoomRole, Seq, StoreFault, fail_point};
use mimi_uri::RoomUri;
use mimi_wire::{FanoutEvent, FanoutMessage, RequestHash};
use tokio::sync::Mutex as Turn;

use crate::failure::{Failure, Fault, Rejection};
use crate::server::Inner;

/// One turn per followed room: its log has one end.
#[derive(Default)]
pub(crate) struct Inboxes(Mutex<HashMap<RoomUri, Arc<Turn<()>>>>);

impl Inboxes {
    fn turn(&self, room: &RoomUri) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() > TURNS_KEPT_MAX {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(room.clone()).or_default())
    }
}

/// Rooms whose turn is remembered while nobody takes it.
const TURNS_KEPT_MAX: usize = 10_000;

impl Inner {
    /// Appends a batch to the room's log, unless the very same batch is there already (PM15, PS1).
    pub(crate) async fn receive(
        &self,
        room: &RoomUri,
        batch: Vec<FanoutMessage>,
        hash: RequestHash,
    ) -> Result<(), Failure> {
        let turn = self.inboxes.turn(room);
        let _turn = turn.lock().await;
        if self.store.event_by_hash(room, &hash).await?.is_some() {
            return Ok(());
        }
        let known = self.store.room(room).await?;
        if known.is_none() && !self.welcomes_ours(room, &batch).await? {
            return Err(Failure::Rejected(Rejection::NotThatProvider(
                "nobody here was welcomed to this room",
            )));
        }
        let last = self.store.head(room).await?.map_or(0, |head| head.seq.0);
        let mut decide = Decide::new(room.clone(), RoomRole::Follower, known.map(|row| row.version));
        decide.events = batch
            .into_iter()
            .zip(last + 1..)
            .map(|(message, seq)| NewEvent {
                seq: Seq(seq),
                timestamp: message.timestamp,
                kind: kind(&message),
                audience: Audience::Everyone,
                bytes: message.encode(),
                request_hash: (seq == last + 1).then_some(hash),
            })
            .collect();
        fail_point("notify.heard");
        let stored = self.store.decide(decide).await;
        fail_point("notify.stored");
        match stored {
            Ok(()) => Ok(()),
            Err(StoreFault::Conflict) => Err(Failure::TryAgain),
            Err(fault) => Err(Failure::Fault(Fault::from(fault))),
        }
    }

    /// Whether a batch brings a Welcome for a `KeyPackage` that we gave out for this room (security row G8).
    async fn welcomes_ours(&self, room: &RoomUri, batch: &[FanoutMessage]) -> Result<bool, Failure> {
        for message in batch {
            for reference in message.message().welcome_references() {
                if self.store.key_package(&reference).await?.is_some_and(|row| row.room == *room) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn kind(message: &FanoutMessage) -> EventKind {
    match &message.event {
        FanoutEvent::Application { .. } => EventKind::Application,
        FanoutEvent::Welcome { .. } => EventKind::Welcome,
        FanoutEvent::Proposal { .. } => EventKind::Proposal,
        FanoutEvent::Commit { .. } => EventKind::Commit,
    }
}
