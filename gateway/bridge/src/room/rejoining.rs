//! Coming back to a room that could not be followed any more.
//!
//! Nothing of it needs to be stored before it is sent: an external commit that was accepted and forgotten in a crash is
//! made again, and takes the place of the forgotten one. Only what is sealed afterwards must not be forgotten, and that
//! is sealed in an epoch that was stored first.

use mimi_adapter::{Operation, Speaker};
use mimi_store::EventRow;
use mimi_wire::{GroupInfoGrant, UpdateRoomResponse, UpdateVerdict};

use super::Followed;
use super::log::Effects;
use crate::bridge::Core;
use crate::fault::Fault;
use crate::op_id;
use crate::rows::{Outgoing, RoomKind, Stage};
use crate::wording;

impl Core {
    /// Brings one of our hosted users back by external commit; he reads for all of them.
    pub(super) async fn rejoin(&self, followed: &mut Followed) -> Result<(), Fault> {
        let (request, rejoining) = followed.client()?.ask_to_rejoin()?;
        let answer = self.hub.group_info(&followed.room, &request).await;
        let answer = answer.map_err(|fault| Fault::Unreachable(fault.to_string()))?;
        let given = match answer.grant {
            GroupInfoGrant::Success(given) if answer.room == followed.room => given,
            GroupInfoGrant::Success(_) => {
                return Err(Fault::Unreachable("the hub answered about another room".to_owned()));
            }
            GroupInfoGrant::NotAuthorized | GroupInfoGrant::NoSuchRoom => {
                return self.shut_out(followed).await;
            }
        };
        let update = followed.client()?.rejoin(&rejoining, &given)?;
        let response = self.hub.update(&followed.room, &update).await;
        let response = response.map_err(|fault| Fault::Unreachable(fault.to_string()))?;
        if !matches!(response.verdict, UpdateVerdict::Success { .. }) {
            followed.client()?.abandon();
            return Err(refused(&response));
        }
        let change = followed.client()?.confirm()?;
        tracing::info!(target: "drawbridge::step", who = %followed.room, what = "is followed again");
        metrics::counter!("rooms_rejoined_total").increment(1);
        let mut effects = Effects::default();
        self.show_change(followed, &change, &mut effects).await?;
        self.store_effects(followed, effects).await
    }

    /// A message that will never be read here: each chat of the room is told of the first of them.
    pub(super) async fn miss(
        &self,
        followed: &mut Followed,
        event: &EventRow,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        tracing::warn!(room = %followed.room, seq = event.seq.0, "a message of an unknown epoch is missed");
        metrics::counter!("messages_missed_total").increment(1);
        effects.group_changed |= followed.client()?.needs_resync();
        followed.row.missed += 1;
        if followed.row.missed > 1 {
            return Ok(());
        }
        for (_, id) in followed.row.links.clone() {
            let speaker = match self.link(&id).await? {
                Some((link, _)) => Speaker::Puppet(link.peer),
                None => Speaker::Service,
            };
            let notice = Outgoing {
                op_id: op_id::for_event(&id, &followed.room, event.seq.0, "missed"),
                speaker,
                operation: Operation::Notice(wording::MISSED.to_owned()),
                message: None,
            };
            effects.batch.rows.push(self.enqueue(&id, &notice).await?);
            effects.links.push(id);
        }
        Ok(())
    }

    /// The hub does not let us back in: our users are none of the room's any more.
    async fn shut_out(&self, followed: &mut Followed) -> Result<(), Fault> {
        tracing::warn!(room = %followed.room, "the hub does not let us back into a room that could not be followed");
        if followed.row.kind == RoomKind::Group {
            return self.give_up_group(followed, "the room does not let us back in").await;
        }
        let mut effects = Effects::default();
        for (_, id) in followed.row.links.clone() {
            self.end_link(followed, &id, &mut effects).await?;
        }
        followed.row.stage = Stage::Closed;
        effects.group_changed = true;
        self.store_effects(followed, effects).await
    }
}

fn refused(response: &UpdateRoomResponse) -> Fault {
    Fault::Unreachable(format!("the hub did not take a return: {response:?}"))
}
