//! A link's outbox: one operation at a time towards the native side, in order, until it is proven done.

use mimi_adapter::{Delivery, Guarantee, NativeEventId, NativeRoomId, NativeUserId, Operation, Outcome};
use mimi_store::{Batch, Next, Row, RowChange, fail_point};

use crate::bridge::Core;
use crate::fault::Fault;
use crate::intake::Lane;
use crate::progress::{MessageState, TheirReceipt, put_receipt};
use crate::rows::{
    self, EVENT, EventRow, Key, LETTER, LINK, LINK_ROOM, Letter, Link, LinkId, LinkState, MESSAGE,
    MessageRow, OPENING, OUTBOX, Outgoing,
};
use crate::troubles::Queue;

/// A row of an outbox, opened.
pub(crate) struct Queued {
    pub(crate) row: Row,
    pub(crate) outgoing: Outgoing,
}

impl Queued {
    /// Takes the operation out of the outbox.
    pub(crate) fn gone(&self) -> RowChange {
        delete(&self.row)
    }
}

/// What an operation made on the native side.
struct Made {
    event: Option<NativeEventId>,
    room: Option<NativeRoomId>,
    /// Whether the network may show it twice.
    perhaps_twice: bool,
}

impl Core {
    /// Delivers the first operation of a link's outbox.
    pub(crate) async fn run_link(&self, id: &LinkId) -> Result<Next, Fault> {
        let Some(queued) = self.first_queued(id).await? else { return Ok(Next::Rest) };
        let Some((link, link_row)) = self.link(id).await? else {
            return self.run_group_link(id, queued).await;
        };
        let opens = matches!(queued.outgoing.operation, Operation::OpenDirect { .. });
        if opens && !link.asked_to_open {
            return self.before_opening(id, (link, link_row), &queued).await;
        }
        let attempt = self.attempts.next(&queued.outgoing.op_id);
        let is_retold = self.is_retold(id, &link, &queued.row);
        let delivery = Delivery {
            op_id: queued.outgoing.op_id.clone(),
            attempt,
            room: link.native_room.clone().filter(|_| !opens),
            speaker: queued.outgoing.speaker.clone(),
            operation: queued.outgoing.operation.clone(),
        };
        let outcome = self.deliver(&link.adapter, delivery).await;
        metrics::counter!("native_operations_total", "adapter" => link.adapter.clone(), "outcome" => outcome_name(&outcome))
            .increment(1);
        let queue = Queue::Link(id.clone());
        match outcome {
            Outcome::Done { event, room } => {
                fail_point("operation.delivered");
                let perhaps_twice = is_retold || self.is_in_doubt(&link, &queue);
                let made = Made { event, room, perhaps_twice };
                self.settle(id, (link, link_row), &queued, made).await?;
                fail_point("operation.done");
                self.attempts.forget(&queued.outgoing.op_id);
                Ok(Next::Again)
            }
            Outcome::RetryAfter { wait } => {
                self.troubles.note(queue, "the network asks for patience", false, self.clock.now().0);
                Ok(Next::After(wait))
            }
            Outcome::Refused { code, text } => {
                self.set_aside(id, (link, link_row), &queued, format!("{code:?}: {text}")).await
            }
            // Never given up for the network's sake, however long it is away; the op_id makes a repetition harmless as
            // far as the adapter's guarantee says.
            Outcome::Unsure { ref why } | Outcome::Broken { ref why } => {
                let is_unsure = matches!(outcome, Outcome::Unsure { .. });
                tracing::debug!(link = %id, attempt, why, is_unsure, "an operation will be tried again");
                self.troubles.note(queue, why, is_unsure, self.clock.now().0);
                Ok(Next::BackOff)
            }
        }
    }

    /// A chat is opened unless the native user was faster, and there is one already. That it will be asked for is stored
    /// first: from then on the network may have made a chat, and what is said in it must find its way.
    async fn before_opening(
        &self,
        id: &LinkId,
        (mut link, link_row): (Link, Row),
        queued: &Queued,
    ) -> Result<Next, Fault> {
        let changes = if link.native_room.is_some() {
            let opening = RowChange::Delete { kind: OPENING, key: opening_key(id, &link), expected: None };
            vec![delete(&queued.row), opening]
        } else {
            link.asked_to_open = true;
            vec![put_link(id, &link, &link_row)]
        };
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        Ok(Next::Again)
    }

    /// Whether the process before this one may have done the operation already, on a network that would not know.
    fn is_retold(&self, id: &LinkId, link: &Link, row: &Row) -> bool {
        let is_first = self.first_tries.is_first(id);
        let is_of_before =
            Key::read(&row.key, 1).is_some_and(|(_, number)| self.sequence.is_of_before(number));
        is_first && is_of_before && self.repeats_are_seen(link)
    }

    /// Whether a try of ours may have done the operation already, on a network that would not know.
    fn is_in_doubt(&self, link: &Link, queue: &Queue) -> bool {
        self.repeats_are_seen(link) && self.troubles.of(queue).is_some_and(|trouble| trouble.is_unsure)
    }

    /// What the adapter declares of its network.
    fn repeats_are_seen(&self, link: &Link) -> bool {
        let instance = self.instances.get(&link.adapter);
        instance
            .is_some_and(|instance| instance.adapter.manifest().guarantee.outbound == Guarantee::AtLeastOnce)
    }

    /// Whether there is something to do for a link.
    pub(crate) async fn has_queued(&self, id: &LinkId) -> Result<bool, Fault> {
        Ok(self.first_row(id).await?.is_some())
    }

    async fn first_row(&self, id: &LinkId) -> Result<Option<Row>, Fault> {
        Ok(self.store.rows(OUTBOX, Key::of(&id.0).range(), 1).await?.into_iter().next())
    }

    async fn first_queued(&self, id: &LinkId) -> Result<Option<Queued>, Fault> {
        let Some(row) = self.first_row(id).await? else { return Ok(None) };
        let plain = self.sealing.open(&row.key, &row.bytes).await?;
        Ok(Some(Queued { outgoing: rows::decode(OUTBOX, &plain)?, row }))
    }

    /// One commit: the operation is gone, what it made is known by its native name.
    async fn settle(
        &self,
        id: &LinkId,
        (mut link, link_row): (Link, Row),
        queued: &Queued,
        made: Made,
    ) -> Result<(), Fault> {
        let mut changes = vec![delete(&queued.row)];
        if let (Operation::OpenDirect { .. }, Some(room)) = (&queued.outgoing.operation, made.room) {
            changes.push(RowChange::Put {
                kind: LINK_ROOM,
                key: Key::of(&link.adapter).and(room.as_str().as_bytes()).bytes(),
                expected: None,
                bytes: rows::encode(id),
            });
            changes.push(RowChange::Delete { kind: OPENING, key: opening_key(id, &link), expected: None });
            link.asked_to_open = false;
            // A chat into which the native user invited the puppet meanwhile is the newer one.
            link.native_room.get_or_insert(room);
            changes.push(put_link(id, &link, &link_row));
        }
        if let (Some(event), Some(native_room)) = (made.event, &link.native_room) {
            let lane = Lane { adapter: link.adapter.clone(), room: native_room.clone() };
            let message = queued.outgoing.message;
            changes.push(RowChange::Put {
                kind: EVENT,
                key: lane.event_key(event.as_str()),
                expected: None,
                bytes: rows::encode(&EventRow::Delivered { message }),
            });
            changes.extend(message.map(|message| RowChange::Put {
                kind: MESSAGE,
                key: Key::of(&id.0).and(&message).bytes(),
                expected: None,
                bytes: rows::encode(&MessageRow {
                    event: Some(event),
                    state: Some(MessageState::Done { perhaps_twice: made.perhaps_twice }),
                }),
            }));
            changes.extend(message.map(|message| put_receipt(id, &message, TheirReceipt::Delivered)));
            if made.perhaps_twice {
                metrics::counter!("native_operations_perhaps_doubled_total", "adapter" => link.adapter.clone())
                    .increment(1);
            }
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        self.wake_report(id.clone());
        if let Some(room) = link.native_room {
            self.wake_lane(Lane { adapter: link.adapter, room });
        }
        Ok(())
    }

    /// Moves an operation that will never succeed out of the way of those behind it; nothing is forgotten.
    async fn set_aside(
        &self,
        id: &LinkId,
        (mut link, link_row): (Link, Row),
        queued: &Queued,
        why: String,
    ) -> Result<Next, Fault> {
        tracing::warn!(link = %id, op_id = %queued.outgoing.op_id, why, "an operation was set aside");
        metrics::counter!("dead_letters_total").increment(1);
        let letter = Letter { outgoing: queued.outgoing.clone(), why, at_ms: self.clock.now().0 };
        let key = queued.row.key.clone();
        let bytes = self.sealing.seal(self.clock.now().0, &key, &rows::encode(&letter)).await?;
        let mut changes = vec![delete(&queued.row), RowChange::Insert { kind: LETTER, key, bytes }];
        if let Operation::OpenDirect { .. } = queued.outgoing.operation {
            // There will be no native chat: what is said in the room has nowhere to go.
            changes.push(RowChange::Delete { kind: OPENING, key: opening_key(id, &link), expected: None });
            link.asked_to_open = false;
            if link.native_room.is_none() {
                link.state = LinkState::Refused;
            }
            changes.push(put_link(id, &link, &link_row));
        }
        if let (Operation::Post(_), Some(message)) = (&queued.outgoing.operation, queued.outgoing.message) {
            let row = MessageRow { event: None, state: Some(MessageState::SetAside) };
            changes.push(RowChange::Put {
                kind: MESSAGE,
                key: Key::of(&id.0).and(&message).bytes(),
                expected: None,
                bytes: rows::encode(&row),
            });
            changes.push(put_receipt(id, &message, TheirReceipt::Error));
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        self.wake_report(id.clone());
        self.attempts.forget(&queued.outgoing.op_id);
        Ok(Next::Again)
    }

    /// A row that appends an operation to a link's outbox.
    pub(crate) async fn enqueue(&self, id: &LinkId, outgoing: &Outgoing) -> Result<RowChange, Fault> {
        let key = Key::of(&id.0).number(self.sequence.next(self.clock.now().0)).bytes();
        let bytes = self.sealing.seal(self.clock.now().0, &key, &rows::encode(outgoing)).await?;
        Ok(RowChange::Insert { kind: OUTBOX, key, bytes })
    }

    pub(crate) async fn link(&self, id: &LinkId) -> Result<Option<(Link, Row)>, Fault> {
        match self.store.row(LINK, id.0.as_bytes()).await? {
            Some(row) => Ok(Some((rows::decode(LINK, &row.bytes)?, row))),
            None => Ok(None),
        }
    }
}

/// Where it is noted that a native user is being invited to a chat of which we do not know the name yet.
pub(crate) fn opening_key(id: &LinkId, link: &Link) -> Vec<u8> {
    opening_row_key(id, &link.adapter, &link.native_user)
}

/// The same where the link is of several people.
pub(crate) fn opening_row_key(id: &LinkId, adapter: &str, user: &NativeUserId) -> Vec<u8> {
    Key::of(adapter).and(user.as_str().as_bytes()).and(id.0.as_bytes()).bytes()
}

/// Stores a changed link, if nobody else changed it meanwhile.
pub(crate) fn put_link(id: &LinkId, link: &Link, row: &Row) -> RowChange {
    RowChange::Put {
        kind: LINK,
        key: id.0.clone().into_bytes(),
        expected: Some(row.version),
        bytes: rows::encode(link),
    }
}

fn delete(row: &Row) -> RowChange {
    RowChange::Delete { kind: OUTBOX, key: row.key.clone(), expected: Some(row.version) }
}

pub(crate) fn outcome_name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::RetryAfter { .. } => "retry_after",
        Outcome::Refused { .. } => "refused",
        Outcome::Unsure { .. } => "unsure",
        Outcome::Broken { .. } => "broken",
    }
}
