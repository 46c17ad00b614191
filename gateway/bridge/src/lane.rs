//! A native lane's inbox: one event at a time, in native order, each gone with the commit of what it led to.

use mimi_adapter::{NativeBody, NativeEvent, NativeUserId, Operation, Progress, Speaker};
use mimi_store::{Batch, Next, Row, RowChange};

use crate::bridge::Core;
use crate::fault::Fault;
use crate::intake::Lane;
use crate::limits::DISPLAY_NAME_LENGTH_MAX;
use crate::op_id;
use crate::rows::{self, INBOX, Key, LINK_ROOM, Link, LinkId, LinkState, OPENING, Outgoing, PROFILE};
use crate::wording;

/// An event of an inbox, opened, with the row to delete when it has had its effect.
pub(crate) struct Incoming {
    pub(crate) lane: Lane,
    pub(crate) event: NativeEvent,
    row: Row,
}

impl Incoming {
    /// Takes the event out of the inbox; part of the commit that makes its effect durable.
    pub(crate) fn done(&self) -> RowChange {
        RowChange::Delete { kind: INBOX, key: self.row.key.clone(), expected: Some(self.row.version) }
    }
}

impl Core {
    /// Handles the first event of a lane's inbox.
    pub(crate) async fn run_lane(&self, lane: &Lane) -> Result<Next, Fault> {
        let Some(incoming) = self.first_incoming(lane).await? else { return Ok(Next::Rest) };
        self.remember_name(&incoming).await?;
        if let NativeBody::DirectInvite { puppet } = &incoming.event.body {
            return self.direct_invite(&incoming, puppet).await;
        }
        let Some((id, link, row)) = self.link_of_lane(lane).await? else {
            return self.group_or_unlinked(&incoming).await;
        };
        match &incoming.event.body {
            NativeBody::Post(part) if incoming.event.from == link.native_user => match link.state {
                LinkState::Active => self.post(&id, (link, row), &incoming, part).await,
                LinkState::Refused | LinkState::Left => {
                    self.answer(&id, &link, &incoming, &wording::nobody_here(&link.peer)).await
                }
            },
            NativeBody::Left { user } | NativeBody::Banned { user }
                if self.ends(&link, user) && link.state == LinkState::Active =>
            {
                self.leave(&id, (link, row), &incoming).await
            }
            NativeBody::Receipt { event, receipt } if incoming.event.from == link.native_user => {
                self.take_receipt(&id, &incoming, (event, *receipt)).await
            }
            NativeBody::Gap { reason } => {
                tracing::warn!(adapter = %lane.adapter, link = %id, reason, "native messages are missing");
                metrics::counter!("native_gaps_total", "adapter" => lane.adapter.clone()).increment(1);
                self.answer(&id, &link, &incoming, &wording::not_accepted(reason)).await
            }
            NativeBody::Post(_)
            | NativeBody::DirectInvite { .. }
            | NativeBody::GroupInvite { .. }
            | NativeBody::Members(_)
            | NativeBody::Banned { .. }
            | NativeBody::Unbanned { .. }
            | NativeBody::Role { .. }
            | NativeBody::Renamed { .. }
            | NativeBody::Topic { .. }
            | NativeBody::Receipt { .. }
            | NativeBody::Joined { .. }
            | NativeBody::Left { .. }
            | NativeBody::Profile { .. } => self.drop_event(&incoming).await,
        }
    }

    async fn group_or_unlinked(&self, incoming: &Incoming) -> Result<Next, Fault> {
        if let Some((id, group, row)) = self.group_of_lane(&incoming.lane).await? {
            return self.group_event(&id, (group, row), incoming).await;
        }
        match &incoming.event.body {
            NativeBody::GroupInvite { puppet, group } => self.found_group(incoming, puppet, group).await,
            _ => self.unlinked(incoming).await,
        }
    }

    async fn first_incoming(&self, lane: &Lane) -> Result<Option<Incoming>, Fault> {
        let first = self.store.rows(INBOX, lane.key().range(), 1).await?.into_iter().next();
        let Some(row) = first else { return Ok(None) };
        let plain = self.sealing.open(&row.key, &row.bytes).await?;
        let event = rows::decode(INBOX, &plain)?;
        Ok(Some(Incoming { lane: lane.clone(), event, row }))
    }

    /// Nothing is known of the conversation: either it is none of ours, or it is ours and its name is on its way to us.
    async fn unlinked(&self, incoming: &Incoming) -> Result<Next, Fault> {
        let key = Key::of(&incoming.lane.adapter).and(incoming.event.from.as_str().as_bytes());
        if !self.store.rows(OPENING, key.range(), 1).await?.is_empty() {
            return Ok(Next::BackOff);
        }
        // It may have been opened between the two looks; one commit takes the opening away and links the conversation.
        let lane = &incoming.lane;
        if self.link_of_lane(lane).await?.is_some() || self.group_of_lane(lane).await?.is_some() {
            return Ok(Next::Again);
        }
        tracing::debug!(adapter = %incoming.lane.adapter, "an event of a conversation that is not linked");
        self.drop_event(incoming).await
    }

    pub(crate) async fn drop_event(&self, incoming: &Incoming) -> Result<Next, Fault> {
        self.store.record(Batch { rows: vec![incoming.done()], ..Batch::default() }).await?;
        Ok(Next::Again)
    }

    /// Answers an event with a notice in its own conversation.
    pub(crate) async fn answer(
        &self,
        id: &LinkId,
        link: &Link,
        incoming: &Incoming,
        text: &str,
    ) -> Result<Next, Fault> {
        let notice = Outgoing {
            op_id: op_id::for_native(id, incoming.event.id.as_str(), "notice"),
            speaker: Speaker::Puppet(link.peer.clone()),
            operation: Operation::Notice(text.to_owned()),
            message: None,
        };
        let mut changes = vec![incoming.done(), self.enqueue(id, &notice).await?];
        if let NativeBody::Post(_) = incoming.event.body {
            let refused = Progress::Refused { why: text.to_owned() };
            changes.extend(self.showing(id, &link.adapter, &incoming.event.id, &refused));
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        self.wake_link(id.clone());
        self.wake_showing(id.clone());
        Ok(Next::Again)
    }

    /// Keeps what a native user calls himself, for the messages he will send.
    async fn remember_name(&self, incoming: &Incoming) -> Result<(), Fault> {
        let (user, name) = match &incoming.event.body {
            NativeBody::Profile { user, display_name } => (user, display_name.as_deref().unwrap_or("")),
            NativeBody::Post(_)
            | NativeBody::DirectInvite { .. }
            | NativeBody::GroupInvite { .. }
            | NativeBody::Members(_)
            | NativeBody::Banned { .. }
            | NativeBody::Unbanned { .. }
            | NativeBody::Role { .. }
            | NativeBody::Renamed { .. }
            | NativeBody::Topic { .. }
            | NativeBody::Receipt { .. }
            | NativeBody::Joined { .. }
            | NativeBody::Left { .. }
            | NativeBody::Gap { .. } => match &incoming.event.display_name {
                Some(name) => (&incoming.event.from, name.as_str()),
                None => return Ok(()),
            },
        };
        let key = Key::of(&incoming.lane.adapter).and(user.as_str().as_bytes()).bytes();
        let name = wording::shortened(name, DISPLAY_NAME_LENGTH_MAX);
        if self.store.row(PROFILE, &key).await?.is_some_and(|row| row.bytes == name.as_bytes()) {
            return Ok(());
        }
        let put = RowChange::Put { kind: PROFILE, key, expected: None, bytes: name.as_bytes().to_vec() };
        Ok(self.store.record(Batch { rows: vec![put], ..Batch::default() }).await?)
    }

    /// What the native user of a link calls himself.
    pub(crate) async fn name_of(&self, link: &Link) -> Result<Option<String>, Fault> {
        self.profile_name(&link.adapter, &link.native_user).await
    }

    pub(crate) async fn profile_name(
        &self,
        adapter: &str,
        user: &NativeUserId,
    ) -> Result<Option<String>, Fault> {
        let key = Key::of(adapter).and(user.as_str().as_bytes()).bytes();
        let row = self.store.row(PROFILE, &key).await?;
        Ok(row.and_then(|row| String::from_utf8(row.bytes).ok()).filter(|name| !name.is_empty()))
    }

    pub(crate) async fn link_of_lane(&self, lane: &Lane) -> Result<Option<(LinkId, Link, Row)>, Fault> {
        let Some(row) = self.store.row(LINK_ROOM, &lane.key().bytes()).await? else { return Ok(None) };
        let id: LinkId = rows::decode(LINK_ROOM, &row.bytes)?;
        Ok(self.link(&id).await?.map(|(link, row)| (id, link, row)))
    }

    /// A direct chat ends when the native user leaves it, or takes the puppet out of it.
    fn ends(&self, link: &Link, user: &NativeUserId) -> bool {
        let names = self.networks.addresses(&link.adapter);
        *user == link.native_user
            || names.and_then(|names| names.behind_puppet(user)).as_ref() == Some(&link.peer)
    }
}
