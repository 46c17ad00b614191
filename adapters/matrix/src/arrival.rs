//! How a puppet comes into a room without missing what was said since it was invited.
//!
//! Synapse pushes the events of a room to us only once a puppet has joined it: of those before, it pushes the invitation
//! and nothing more (and what it looks at just after the join, even if it was said just before). So what was said
//! between invitation and join is fetched from the room itself, and taken before anything later of that room:
//!
//! 1. [`Link::come`] writes a mark (`joining`) at the homeserver, and only then joins;
//! 2. whatever comes first after that, the rest of `come` or a transaction that touches the room, fetches all since the
//!    invitation up to now (`missed`), hands it to the host in the order of the room, and then takes the mark away.
//!
//! Nothing overtakes: an event is pushed because of the join only after the join, thus after the mark, and a transaction
//! is looked at only after the marks of its rooms are worked off. That holds over a crash, since the marks outlive us.
//! Nothing is lost: a mark goes only after the host has all that came before, and all that comes later is pushed.
//! Nothing is doubled: what is fetched keeps its event id, by which the host knows it when it is pushed as well.

use std::collections::BTreeSet;

use mimi_adapter::{Ingest, IngestFault, NativeBody, NativeEvent, Outcome, SessionStatus};
use ruma::api::client::membership::join_room_by_id;
use ruma::events::AnyTimelineEvent;
use ruma::serde::Raw;
use ruma::{OwnedRoomId, OwnedUserId, RoomId, UserId};
use tokio::time::timeout;

use crate::homeserver::{Acting, CallFault};
use crate::limits::CATCH_UP_TIME_MAX;
use crate::missed::Missed;
use crate::session::Link;
use crate::translate::{Translation, translate};

/// Why events were not taken; the homeserver has to tell them again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The gateway did not store them.
    #[error(transparent)]
    Ingest(#[from] IngestFault),
    /// What was said before them could not be fetched.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// What was said before them takes too long to fetch.
    #[error("catching up with a room takes longer than {CATCH_UP_TIME_MAX:?}")]
    TooSlow,
    /// One may be left out before them.
    #[error("transaction {number} after {last:?}: one may be left out")]
    OutOfTurn {
        /// The number of the transaction.
        number: u64,
        /// The number of the last one taken.
        last: Option<u64>,
    },
}

impl From<NotTaken> for Outcome {
    fn from(fault: NotTaken) -> Self {
        match fault {
            NotTaken::Call(fault) => fault.into(),
            NotTaken::Ingest(_) | NotTaken::TooSlow | NotTaken::OutOfTurn { .. } => {
                Self::Broken { why: fault.to_string() }
            }
        }
    }
}

impl Link {
    /// Lets a puppet come into a room that it is invited to; done when the host has what was said there before.
    pub(crate) async fn come(&self, puppet: &UserId, room: &RoomId) -> Result<Outcome, Outcome> {
        self.mark(room, puppet).await?;
        let request = join_room_by_id::v3::Request::new(room.to_owned());
        if let Err(fault) = self.homeserver.call(request, Acting::OnDevice(puppet)).await {
            let outcome = Outcome::from(fault);
            if matches!(outcome, Outcome::Refused { .. }) {
                self.unmark(room, puppet).await;
            }
            return Err(outcome);
        }
        let caught_up = timeout(CATCH_UP_TIME_MAX, async {
            let _one_at_a_time = self.joining.order.lock().await;
            self.catch_up(room).await
        });
        caught_up.await.unwrap_or(Err(NotTaken::TooSlow))?;
        Ok(Outcome::done())
    }

    /// Takes a transaction, after what was said before it; not at once if one may be left out before it.
    pub(crate) async fn take(&self, txn_id: &str, events: &[Raw<AnyTimelineEvent>]) -> Result<(), NotTaken> {
        let mut attempt = self.sequence.attempt(txn_id);
        let caught_up = timeout(CATCH_UP_TIME_MAX, async {
            let one_at_a_time = self.joining.order.lock().await;
            attempt.check(self.holds_probe(events))?;
            for room in rooms_of(events) {
                self.catch_up(&room).await?;
                self.recall(&room).await?;
            }
            Ok(one_at_a_time)
        });
        let _one_at_a_time = caught_up.await.unwrap_or(Err(NotTaken::TooSlow))?;
        let translation = translate(&self.names, events);
        let gone: Vec<_> = translation.events.iter().filter_map(gone).collect();
        self.hand_over(translation).await?;
        // Only of what is told now: what is read again may have been otherwise since.
        for (room, user) in gone {
            self.forget_reader(&room, &user).await;
        }
        self.note_told(events).await;
        attempt.done();
        Ok(())
    }

    /// Gives events to the host, and returns when it has them durably.
    pub(crate) async fn hand_over(&self, translation: Translation) -> Result<(), NotTaken> {
        for why in translation.set_aside {
            tracing::warn!(%why, "set aside");
            self.host.status(SessionStatus::SetAside { why });
        }
        let count = translation.events.len();
        if count > 0 {
            self.host.ingest(Ingest { events: translation.events }).await?;
            tracing::debug!(count, "stored");
        }
        Ok(())
    }

    /// Works off the marks of a room. That of a puppet that is not there (yet) stays: nothing was pushed because of it.
    async fn catch_up(&self, room: &RoomId) -> Result<(), NotTaken> {
        for puppet in self.marked(room).await? {
            if (Missed { link: self, room, puppet: &puppet }).ingest().await? {
                self.unmark(room, &puppet).await;
            }
        }
        Ok(())
    }
}

/// Who is in a room no more.
fn gone(event: &NativeEvent) -> Option<(OwnedRoomId, OwnedUserId)> {
    let (NativeBody::Left { user } | NativeBody::Banned { user }) = &event.body else { return None };
    Some((RoomId::parse(event.lane.as_str()).ok()?, UserId::parse(user.as_str()).ok()?))
}

fn rooms_of(events: &[Raw<AnyTimelineEvent>]) -> BTreeSet<OwnedRoomId> {
    events.iter().filter_map(|raw| raw.get_field("room_id").ok()?).collect()
}

#[cfg(test)]
mod tests;
