//! Following a room's log: every event is read once by the room's reader, and has its effect once on each link.

use mimi_adapter::{OpId, Operation, PuppetProfile, Speaker};
use mimi_client::{Change, Reading};
use mimi_store::{Batch, EventLimit, EventRow, RowChange, Seq, fail_point};
use mimi_wire::FanoutMessage;

use super::Followed;
use super::report::reported;
use crate::bridge::Core;
use crate::delivery::put_link;
use crate::fault::Fault;
use crate::limits::{EVENT_BYTES_PER_READ_MAX, EVENTS_PER_COMMIT_MAX, EVENTS_REPLAYED_MAX};
use crate::op_id;
use crate::progress::MessageState;
use crate::rows::{self, Key, LinkId, LinkState, MESSAGE, MessageRow, Outgoing, RoomKind, Stage};
use crate::translate::{self, Received};
use crate::wording;

/// What reading some events led to; stored in one commit.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) batch: Batch,
    pub(crate) links: Vec<LinkId>,
    pub(super) showings: Vec<LinkId>,
    pub(super) group_changed: bool,
    /// What is read next has to see these effects.
    pub(crate) ends_here: bool,
}

impl Core {
    /// Reads the log to its end.
    pub(super) async fn follow_log(&self, followed: &mut Followed) -> Result<(), Fault> {
        loop {
            let events = self.next_events(followed, followed.row.position).await?;
            if events.is_empty() || followed.client.is_none() {
                return Ok(());
            }
            let mut effects = Effects::default();
            for event in events {
                self.read_event(followed, &event, &mut effects).await?;
                followed.row.position = event.seq.0;
                if effects.group_changed || effects.ends_here {
                    break;
                }
            }
            self.store_effects(followed, effects).await?;
        }
    }

    /// Stores what events led to, with the room, and wakes the links that it concerns.
    pub(crate) async fn store_effects(&self, followed: &mut Followed, effects: Effects) -> Result<(), Fault> {
        fail_point("events.read");
        let snapshot = effects.group_changed || followed.events_to_replay() >= EVENTS_REPLAYED_MAX;
        self.store_room(followed, snapshot, effects.batch).await?;
        fail_point("events.stored");
        for link in effects.links {
            self.wake_link(link);
        }
        for link in effects.showings {
            self.wake_showing(link);
        }
        Ok(())
    }

    /// After a restart: what lies between snapshot and position is read again for the ratchets' sake, without effect.
    pub(super) async fn replay_log(&self, followed: &mut Followed) -> Result<(), Fault> {
        metrics::counter!("events_replayed_total").increment(followed.events_to_replay());
        let mut at = followed.row.snapshot_position;
        while at < followed.row.position {
            let events = self.next_events(followed, at).await?;
            if events.is_empty() {
                return Ok(());
            }
            let position = followed.row.position;
            for event in events.into_iter().take_while(|event| event.seq.0 <= position) {
                at = event.seq.0;
                let message =
                    FanoutMessage::decode(&event.bytes).map_err(|fault| unreadable(&event, &fault))?;
                drop(followed.client()?.read(&message));
            }
        }
        Ok(())
    }

    pub(super) async fn next_events(&self, followed: &Followed, after: u64) -> Result<Vec<EventRow>, Fault> {
        let limit = EventLimit { count: EVENTS_PER_COMMIT_MAX, bytes: EVENT_BYTES_PER_READ_MAX };
        Ok(self.store.events(&followed.room, Seq(after + 1), limit).await?)
    }

    async fn read_event(
        &self,
        followed: &mut Followed,
        event: &EventRow,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let message = FanoutMessage::decode(&event.bytes).map_err(|fault| unreadable(event, &fault))?;
        if event.kind == mimi_store::EventKind::Welcome {
            effects.group_changed |= self.welcome_another(followed, &message, &mut effects.batch).await?;
            effects.links.extend(followed.row.links.iter().map(|(_, link)| link.clone()));
            return Ok(());
        }
        let reading = followed.client()?.read(&message)?;
        match reading {
            Reading::Message(read) => {
                followed.row.missed = 0;
                match reported(&read) {
                    Some(report) => self.take_report(followed, &read.sender, &report, effects).await,
                    None => self.show(followed, event, &read, effects).await,
                }
            }
            Reading::Missed => self.miss(followed, event, effects).await,
            Reading::Lost(why) => {
                tracing::warn!(room = %followed.room, seq = event.seq.0, why, "a handshake cannot be followed");
                metrics::counter!("rooms_lost_total").increment(1);
                effects.group_changed = true;
                Ok(())
            }
            Reading::Changed(change) => self.show_change(followed, &change, effects).await,
            Reading::Proposed => {
                effects.group_changed = true;
                Ok(())
            }
            Reading::Nothing(why) => {
                tracing::debug!(room = %followed.room, seq = event.seq.0, why, "an event without effect");
                Ok(())
            }
            Reading::SetAside(why) => {
                tracing::warn!(room = %followed.room, seq = event.seq.0, why, "an event was set aside");
                metrics::counter!("events_set_aside_total").increment(1);
                Ok(())
            }
        }
    }

    /// Shows a message on every link but its sender's own.
    async fn show(
        &self,
        followed: &mut Followed,
        event: &EventRow,
        read: &mimi_client::MessageRead,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let received = match Received::read(read, &followed.room, event.timestamp) {
            Ok(received) => received,
            Err(why) => {
                tracing::warn!(room = %followed.room, seq = event.seq.0, %why, "a message was discarded");
                metrics::counter!("messages_discarded_total", "why" => why.name()).increment(1);
                return Ok(());
            }
        };
        if followed.row.kind == RoomKind::Group {
            return self.show_in_group(followed, event, (read, &received), effects).await;
        }
        for (hosted, id) in followed.row.links.clone() {
            let Some((link, _)) = self.link(&id).await? else { continue };
            if link.hosted == read.sender {
                // It has its place in the order.
                let message = (&received.message, MessageState::Accepted);
                self.come_so_far((&id, &link.into()), message, effects).await?;
                continue;
            }
            // A direct chat shows the one whom it is with, and each message once (G28).
            let message_key = Key::of(&id.0).and(&received.message).bytes();
            if link.peer != read.sender
                || link.hosted != hosted
                || link.state != LinkState::Active
                || self.store.row(MESSAGE, &message_key).await?.is_some()
            {
                continue;
            }
            let bytes = rows::encode(&MessageRow { event: None, state: Some(MessageState::Queued) });
            effects.batch.rows.push(RowChange::Put {
                kind: MESSAGE,
                key: message_key,
                expected: None,
                bytes,
            });
            let Some(instance) = self.instances.get(&link.adapter) else { continue };
            let capabilities = instance.adapter.manifest().capabilities;
            let op_id = op_id::for_event(&id, &followed.room, event.seq.0, "name");
            if let Some(outgoing) = self.rename(&id, op_id, &received) {
                effects.batch.rows.push(self.enqueue(&id, &outgoing).await?);
            }
            for (part, prepared) in translate::prepare(&received, &capabilities).into_iter().enumerate() {
                let outgoing = Outgoing {
                    op_id: op_id::for_event(&id, &followed.room, event.seq.0, &format!("post{part}")),
                    speaker: Speaker::Puppet(read.sender.clone()),
                    operation: Operation::Post(prepared),
                    message: Some(received.message),
                };
                effects.batch.rows.push(self.enqueue(&id, &outgoing).await?);
            }
            effects.links.push(id);
        }
        Ok(())
    }

    /// A puppet is renamed before it speaks under the new name.
    fn rename(&self, id: &LinkId, op_id: OpId, received: &Received) -> Option<Outgoing> {
        let name = wording::name(&received.sender, received.name.as_deref());
        let profile = PuppetProfile { user: received.sender.clone(), display_name: Some(name.clone()) };
        self.shown_names.changes(id, &name).then(|| Outgoing {
            op_id,
            speaker: Speaker::Puppet(received.sender.clone()),
            operation: Operation::EnsurePuppet(profile),
            message: None,
        })
    }

    /// What a new epoch means for the links: who is gone has left the chat, and a chat with nobody in it ends.
    pub(super) async fn show_change(
        &self,
        followed: &mut Followed,
        change: &Change,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        effects.group_changed = true;
        followed.commit_at = None;
        self.prove(followed).await?;
        if followed.row.kind == RoomKind::Group {
            return self.show_group_change(followed, change, effects).await;
        }
        for (hosted, id) in followed.row.links.clone() {
            if change.left.contains(&hosted) || self.peer_left(&id, change).await? {
                self.end_link(followed, &id, effects).await?;
            }
        }
        if !followed.client()?.has_hosted() {
            followed.row.stage = Stage::Closed;
        }
        Ok(())
    }

    async fn peer_left(&self, id: &LinkId, change: &Change) -> Result<bool, Fault> {
        let link = self.link(id).await?;
        Ok(link.is_some_and(|(link, _)| change.left.contains(&link.peer)))
    }

    pub(super) async fn end_link(
        &self,
        followed: &mut Followed,
        id: &LinkId,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let Some((mut link, row)) = self.link(id).await? else { return Ok(()) };
        link.detach(&followed.room);
        if link.rooms.is_empty() {
            let epoch = followed.client()?.epoch();
            let outgoing = Outgoing {
                op_id: op_id::for_event(id, &followed.room, epoch, "leave"),
                speaker: Speaker::Puppet(link.peer.clone()),
                operation: Operation::Leave { user: link.peer.clone() },
                message: None,
            };
            effects.batch.rows.push(self.enqueue(id, &outgoing).await?);
            effects.links.push(id.clone());
            link.state = LinkState::Left;
        }
        effects.batch.rows.push(put_link(id, &link, &row));
        followed.row.links.retain(|(_, linked)| linked != id);
        Ok(())
    }
}

fn unreadable(event: &EventRow, fault: &dyn std::fmt::Display) -> Fault {
    Fault::Group(format!("event {} of the log does not read: {fault}", event.seq.0))
}
