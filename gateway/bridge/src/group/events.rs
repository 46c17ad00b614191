//! What happens in a native conversation of several people.

use mimi_adapter::{GroupProfile, NativeBody, NativeUserId, Operation, PuppetProfile, Role, Speaker};
use mimi_store::{Batch, Next, Row};
use mimi_uri::UserUri;

use super::members::put_member;
use super::wishes::Subject;
use super::{Person, by_service};
use crate::bridge::Core;
use crate::fault::Fault;
use crate::lane::Incoming;
use crate::op_id;
use crate::rows::{Group, GroupState, LinkId, Member, Outgoing, Presence, Target};
use crate::wording;

/// What happened to somebody.
enum Happened {
    Came,
    Went,
    WasBanned,
    WasUnbanned,
    WasGiven(Role),
}

impl Core {
    /// Handles an event of a conversation that is tied to a room.
    pub(crate) async fn group_event(
        &self,
        id: &LinkId,
        (group, row): (Group, Row),
        incoming: &Incoming,
    ) -> Result<Next, Fault> {
        if group.state == GroupState::Ended {
            return self.after_the_end(id, incoming).await;
        }
        let happened = |user: &NativeUserId, what| (user.clone(), what);
        let (user, what) = match &incoming.event.body {
            NativeBody::Post(part) => return self.group_post(id, &group, incoming, part).await,
            NativeBody::GroupInvite { puppet, .. } => {
                return self.invited(id, &group, incoming, puppet).await;
            }
            NativeBody::Members(members) => return self.take_members(id, &group, incoming, members).await,
            NativeBody::Renamed { name } => {
                let title = GroupProfile { name: Some(name.clone().unwrap_or_default()), topic: None };
                return self.titled(id, (group, row), incoming, title).await;
            }
            NativeBody::Topic { topic } => {
                let title = GroupProfile { name: None, topic: Some(topic.clone().unwrap_or_default()) };
                return self.titled(id, (group, row), incoming, title).await;
            }
            NativeBody::Gap { reason } => {
                tracing::warn!(adapter = %group.adapter, link = %id, reason, "native messages are missing");
                metrics::counter!("native_gaps_total", "adapter" => group.adapter.clone()).increment(1);
                return self.notify_group(id, incoming, wording::not_accepted(reason)).await;
            }
            NativeBody::Joined { user } => happened(user, Happened::Came),
            NativeBody::Left { user } => happened(user, Happened::Went),
            NativeBody::Banned { user } => happened(user, Happened::WasBanned),
            NativeBody::Unbanned { user } => happened(user, Happened::WasUnbanned),
            NativeBody::Role { user, role } => happened(user, Happened::WasGiven(*role)),
            NativeBody::DirectInvite { .. } | NativeBody::Receipt { .. } | NativeBody::Profile { .. } => {
                return self.drop_event(incoming).await;
            }
        };
        self.happened(id, &group, incoming, (&user, what)).await
    }

    /// Something happened to somebody: noted, and wished for in the room unless it was we who did it.
    async fn happened(
        &self,
        id: &LinkId,
        group: &Group,
        incoming: &Incoming,
        (native, what): (&NativeUserId, Happened),
    ) -> Result<Next, Fault> {
        let Some(Person { user, is_native }) = self.person(&group.adapter, native) else {
            return self.drop_event(incoming).await;
        };
        let by_another = incoming.event.from != *native;
        // A puppet comes and goes by itself only when we tell it to.
        let is_ours = !is_native && !by_another && matches!(what, Happened::Came | Happened::Went);
        if is_ours || incoming.event.nonce.is_some() {
            return self.leave_as_noted(incoming).await;
        }
        let mut member = Member { refused: None, ..self.member(id, native).await? };
        match what {
            Happened::Came => member.presence = Presence::In,
            Happened::Went | Happened::WasUnbanned => {
                member = Member { presence: Presence::Out, ..Member::default() };
            }
            Happened::WasBanned => member = Member { presence: Presence::Banned, ..Member::default() },
            Happened::WasGiven(role) => member.role = role,
        }
        let target = match what {
            // The room has him, else he would have no puppet.
            Happened::Came => is_native.then_some(Target::In { role: None, leaf: false }),
            Happened::Went => Some(Target::Out),
            Happened::WasBanned => Some(Target::Banned),
            Happened::WasUnbanned => Some(Target::Unbanned),
            Happened::WasGiven(role) => Some(Target::Role(role)),
        };
        let mut batch = Batch::default();
        batch.rows.extend([incoming.done(), put_member(id, native, &member)]);
        if let Some(target) = target {
            let cause = self.cause(id, group, incoming, by_another);
            batch.rows.push(self.wish(&group.room, &Subject::User(user), target, &cause).await?);
        }
        self.store.record(batch).await?;
        self.wake_room(group.room.clone());
        Ok(Next::Again)
    }

    /// What we do natively was noted when it was queued. Its echo says how things were then, and may come when they are to
    /// be otherwise again: somebody who left is back and has said his next word.
    async fn leave_as_noted(&self, incoming: &Incoming) -> Result<Next, Fault> {
        self.drop_event(incoming).await
    }

    /// A puppet is invited into a conversation that has a room already.
    async fn invited(
        &self,
        id: &LinkId,
        group: &Group,
        incoming: &Incoming,
        puppet: &NativeUserId,
    ) -> Result<Next, Fault> {
        let Some(Person { user, is_native: false }) = self.person(&group.adapter, puppet) else {
            return self.drop_event(incoming).await;
        };
        let mut batch = Batch { rows: vec![incoming.done()], ..Batch::default() };
        self.bring_puppet(id, incoming, &user, &mut batch).await?;
        let member = Member { presence: Presence::In, ..Member::default() };
        batch.rows.push(put_member(id, puppet, &member));
        let cause = self.cause(id, group, incoming, false);
        let target = Target::In { role: None, leaf: true };
        batch.rows.push(self.wish(&group.room, &Subject::User(user), target, &cause).await?);
        self.store.record(batch).await?;
        self.wake_link(id.clone());
        self.wake_room(group.room.clone());
        Ok(Next::Again)
    }

    /// The operations with which a puppet accepts an invitation.
    pub(super) async fn bring_puppet(
        &self,
        id: &LinkId,
        incoming: &Incoming,
        user: &UserUri,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let profile = PuppetProfile { user: user.clone(), display_name: Some(wording::name(user, None)) };
        let accept = Operation::AcceptInvite { puppet: user.clone() };
        for (kind, operation) in [("puppet", Operation::EnsurePuppet(profile)), ("accept", accept)] {
            let outgoing = Outgoing {
                op_id: op_id::for_native(id, incoming.event.id.as_str(), kind),
                speaker: Speaker::Puppet(user.clone()),
                operation,
                message: None,
            };
            batch.rows.push(self.enqueue(id, &outgoing).await?);
        }
        Ok(())
    }

    async fn titled(
        &self,
        id: &LinkId,
        (mut group, row): (Group, Row),
        incoming: &Incoming,
        GroupProfile { name, topic }: GroupProfile,
    ) -> Result<Next, Fault> {
        if incoming.event.nonce.is_some() {
            return self.leave_as_noted(incoming).await;
        }
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        if let Some(name) = &name {
            group.name = some(name);
        }
        if let Some(topic) = &topic {
            group.topic = some(topic);
        }
        let mut batch = Batch::default();
        batch.rows.extend([incoming.done(), self.put_group(id, &group, Some(row.version))]);
        let cause = self.cause(id, &group, incoming, false);
        let target = Target::Title { name, topic };
        batch.rows.push(self.wish(&group.room, &Subject::Title, target, &cause).await?);
        self.store.record(batch).await?;
        self.wake_room(group.room);
        Ok(Next::Again)
    }

    /// Nobody of the room is here any more: an invitation begins anew, a word is answered.
    async fn after_the_end(&self, id: &LinkId, incoming: &Incoming) -> Result<Next, Fault> {
        match &incoming.event.body {
            NativeBody::GroupInvite { puppet, group } => self.found_group(incoming, puppet, group).await,
            NativeBody::Post(_) => self.notify_group(id, incoming, wording::group_ended()).await,
            _ => self.drop_event(incoming).await,
        }
    }

    /// Answers an event with a notice in its own conversation.
    pub(super) async fn notify_group(
        &self,
        id: &LinkId,
        incoming: &Incoming,
        text: String,
    ) -> Result<Next, Fault> {
        let op_id = op_id::for_native(id, incoming.event.id.as_str(), "notice");
        let notice = by_service(op_id, Operation::Notice(text));
        let changes = vec![incoming.done(), self.enqueue(id, &notice).await?];
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        self.wake_link(id.clone());
        Ok(Next::Again)
    }
}
