//! The outbox of a group link.

use mimi_adapter::{Delivery, NativeEventId, NativeRoomId, Operation, Outcome};
use mimi_store::{Batch, Next, Row, RowChange};

use super::by_service;
use crate::bridge::Core;
use crate::delivery::{Queued, opening_row_key, outcome_name};
use crate::fault::Fault;
use crate::intake::Lane;
use crate::op_id;
use crate::rows::{
    self, EVENT, EventRow, Group, GroupState, Key, LETTER, LINK_ROOM, Letter, LinkId, MESSAGE, MessageRow,
    OPENING,
};
use crate::troubles::Queue;
use crate::wording;

impl Core {
    /// Delivers the first operation of a group link's outbox.
    pub(crate) async fn run_group_link(&self, id: &LinkId, queued: Queued) -> Result<Next, Fault> {
        let Some((group, row)) = self.group(id).await? else { return Ok(Next::Rest) };
        let attempt = self.attempts.next(&queued.outgoing.op_id);
        let delivery = Delivery {
            op_id: queued.outgoing.op_id.clone(),
            attempt,
            room: group.native_room.clone(),
            speaker: queued.outgoing.speaker.clone(),
            operation: queued.outgoing.operation.clone(),
        };
        let outcome = self.deliver(&group.adapter, delivery).await;
        metrics::counter!("native_operations_total", "adapter" => group.adapter.clone(), "outcome" => outcome_name(&outcome))
            .increment(1);
        let queue = Queue::Link(id.clone());
        match outcome {
            Outcome::Done { event, room } => {
                self.group_done(id, (group, row), &queued, (event, room)).await?;
                self.attempts.forget(&queued.outgoing.op_id);
                Ok(Next::Again)
            }
            Outcome::RetryAfter { wait } => {
                self.troubles.note(queue, "the network asks for patience", false, self.clock.now().0);
                Ok(Next::After(wait))
            }
            Outcome::Refused { code, text } => {
                self.group_refused(id, (group, row), &queued, format!("{code:?}: {text}")).await
            }
            Outcome::Unsure { ref why } | Outcome::Broken { ref why } => {
                let is_unsure = matches!(outcome, Outcome::Unsure { .. });
                self.troubles.note(queue, why, is_unsure, self.clock.now().0);
                tracing::debug!(link = %id, attempt, why, "an operation will be tried again");
                Ok(Next::BackOff)
            }
        }
    }

    /// One commit: the operation is gone, what it made is known by its native name.
    async fn group_done(
        &self,
        id: &LinkId,
        (mut group, row): (Group, Row),
        queued: &Queued,
        (event, room): (Option<NativeEventId>, Option<NativeRoomId>),
    ) -> Result<(), Fault> {
        let mut changes = vec![queued.gone()];
        if let (Operation::OpenGroup { invite, .. }, Some(room)) = (&queued.outgoing.operation, room) {
            let lane = Lane { adapter: group.adapter.clone(), room: room.clone() };
            let (key, bytes) = (lane.key().bytes(), rows::encode(id));
            changes.push(RowChange::Put { kind: LINK_ROOM, key, expected: None, bytes });
            for native in invite {
                let key = opening_row_key(id, &group.adapter, native);
                changes.push(RowChange::Delete { kind: OPENING, key, expected: None });
            }
            group.native_room = Some(room);
            changes.push(self.put_group(id, &group, Some(row.version)));
        }
        if let (Some(event), Some(native_room)) = (event, &group.native_room) {
            let lane = Lane { adapter: group.adapter.clone(), room: native_room.clone() };
            let message = queued.outgoing.message;
            let bytes = rows::encode(&EventRow::Delivered { message });
            let key = lane.event_key(event.as_str());
            changes.push(RowChange::Put { kind: EVENT, key, expected: None, bytes });
            changes.extend(message.map(|message| RowChange::Put {
                kind: MESSAGE,
                key: Key::of(&id.0).and(&message).bytes(),
                expected: None,
                bytes: rows::encode(&MessageRow { event: Some(event), state: None }),
            }));
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        if let Some(room) = group.native_room {
            self.wake_lane(Lane { adapter: group.adapter, room });
        }
        Ok(())
    }

    /// Moves an operation that will never succeed out of the way of those behind it; nothing is forgotten.
    async fn group_refused(
        &self,
        id: &LinkId,
        (mut group, row): (Group, Row),
        queued: &Queued,
        why: String,
    ) -> Result<Next, Fault> {
        tracing::warn!(link = %id, op_id = %queued.outgoing.op_id, why, "an operation was set aside");
        metrics::counter!("dead_letters_total").increment(1);
        let letter = Letter { outgoing: queued.outgoing.clone(), why, at_ms: self.clock.now().0 };
        let key = queued.row.key.clone();
        let bytes = self.sealing.seal(self.clock.now().0, &key, &rows::encode(&letter)).await?;
        let mut changes = vec![queued.gone(), RowChange::Insert { kind: LETTER, key, bytes }];
        if let Some(what) = not_done_here(&queued.outgoing.operation) {
            // The room has it so, this network has not: people should know.
            let op_id = op_id::for_native(id, queued.outgoing.op_id.as_str(), "told");
            let notice = by_service(op_id, Operation::Notice(wording::not_done_here(what)));
            changes.push(self.enqueue(id, &notice).await?);
        }
        if let Operation::OpenGroup { invite, .. } = &queued.outgoing.operation {
            // There will be no native conversation: what is said in the room has nowhere to go.
            for native in invite {
                let key = opening_row_key(id, &group.adapter, native);
                changes.push(RowChange::Delete { kind: OPENING, key, expected: None });
            }
            group.state = GroupState::Ended;
            changes.push(self.put_group(id, &group, Some(row.version)));
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        self.attempts.forget(&queued.outgoing.op_id);
        Ok(Next::Again)
    }
}

/// What a network did not let us do that its people would notice.
fn not_done_here(operation: &Operation) -> Option<&'static str> {
    match operation {
        Operation::Remove { .. } => Some("to remove somebody"),
        Operation::Ban { .. } => Some("to ban somebody"),
        Operation::Unban { .. } => Some("to take a ban back"),
        Operation::SetRole { .. } => Some("to change a role"),
        Operation::Rename(_) => Some("to change the name"),
        Operation::SetTopic(_) => Some("to change the topic"),
        Operation::Invite { .. } => Some("to invite somebody"),
        Operation::Enter { .. } => Some("to bring somebody in"),
        Operation::EnsurePuppet(_)
        | Operation::OpenDirect { .. }
        | Operation::AcceptInvite { .. }
        | Operation::OpenGroup { .. }
        | Operation::ShowProgress { .. }
        | Operation::Post(_)
        | Operation::Leave { .. }
        | Operation::Notice(_) => None,
    }
}
