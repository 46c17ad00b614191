//! What happens in a room, as its native conversation shows it.

use mimi_adapter::{Operation, Person as NativePerson, PuppetProfile, Role, Speaker};
use mimi_client::{Change, MessageRead};
use mimi_store::{EventRow, RowChange};
use mimi_uri::UserUri;

use super::members::put_member;
use super::{by_service, table};
use crate::bridge::Core;
use crate::fault::Fault;
use crate::op_id;
use crate::progress::MessageState;
use crate::room::{Effects, Followed};
use crate::rows::{
    self, Group, GroupState, Key, LinkId, MESSAGE, Member, MessageRow, Outgoing, Presence, Stage,
};
use crate::translate::{self, Received};
use crate::wording;

impl Core {
    /// Shows a message in every native conversation of the room but its sender's own.
    pub(crate) async fn show_in_group(
        &self,
        followed: &mut Followed,
        event: &EventRow,
        (read, received): (&MessageRead, &Received),
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        for (_, id) in followed.row.links.clone() {
            let Some((group, _)) = self.group(&id).await? else { continue };
            let message_key = Key::of(&id.0).and(&received.message).bytes();
            if self.networks.native(&read.sender).is_some_and(|(network, _)| network == group.adapter) {
                // It has its place in the order.
                let message = (&received.message, MessageState::Accepted);
                self.come_so_far((&id, &group.into()), message, effects).await?;
                continue;
            }
            if group.state != GroupState::Active || self.store.row(MESSAGE, &message_key).await?.is_some() {
                continue;
            }
            let Some(instance) = self.instances.get(&group.adapter) else { continue };
            let capabilities = instance.adapter.manifest().capabilities;
            let bytes = rows::encode(&MessageRow { event: None, state: None });
            let row = RowChange::Put { kind: MESSAGE, key: message_key, expected: None, bytes };
            effects.batch.rows.push(row);
            self.bring_speaker((followed, event), (&id, &group), (read, received), effects).await?;
            for (part, prepared) in translate::prepare(received, &capabilities).into_iter().enumerate() {
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

    /// A puppet comes in with its first word, under its name.
    async fn bring_speaker(
        &self,
        (followed, event): (&mut Followed, &EventRow),
        (id, group): (&LinkId, &Group),
        (read, received): (&MessageRead, &Received),
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let user = &read.sender;
        let Some((puppet, _)) = self.native_name(&group.adapter, user) else { return Ok(()) };
        let role = followed.client()?.role_of(user).map_or(Role::Member, table::natively);
        let op_id = |kind: &str| op_id::for_event(id, &followed.room, event.seq.0, kind);
        let member = self.member(id, &puppet).await?;
        let is_there = member.presence == Presence::In;
        let name = wording::name(user, received.name.as_deref());
        let is_renamed = received.name.is_some() && self.shown_names.changes_of(id, user, &name);
        if !is_there || is_renamed {
            let display_name = Some(name);
            let profile = PuppetProfile { user: user.clone(), display_name };
            let speaker = Speaker::Puppet(user.clone());
            let operation = Operation::EnsurePuppet(profile);
            let ensure = Outgoing { op_id: op_id("name"), speaker, operation, message: None };
            effects.batch.rows.push(self.enqueue(id, &ensure).await?);
        }
        if is_there {
            return Ok(());
        }
        let enter = by_service(op_id("enter"), Operation::Enter { user: user.clone() });
        effects.batch.rows.push(self.enqueue(id, &enter).await?);
        if role != Role::Member {
            let person = NativePerson::Puppet(user.clone());
            let set = by_service(op_id("role"), Operation::SetRole { person, role });
            effects.batch.rows.push(self.enqueue(id, &set).await?);
        }
        let member = Member { presence: Presence::In, role, refused: None };
        effects.batch.rows.push(put_member(id, &puppet, &member));
        // Stored before the next message is read, which may be of the same speaker.
        effects.ends_here = true;
        Ok(())
    }

    /// What a new epoch means natively: people come, go and change roles, the room is called otherwise, or is left.
    pub(crate) async fn show_group_change(
        &self,
        followed: &mut Followed,
        change: &Change,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let epoch = followed.client()?.epoch();
        count(change);
        for (_, id) in followed.row.links.clone() {
            let Some((group, row)) = self.group(&id).await? else { continue };
            let room = followed.room.clone();
            let name = |kind: &str| op_id::for_event(&id, &room, epoch, kind);
            for listing in &change.listings {
                // What the native side has said since counts more; it will be acted upon, or undone.
                if is_service(&listing.user) || self.is_wished(&room, &listing.user).await? {
                    continue;
                }
                let (user, listed) = (&listing.user, listing.after);
                self.reconcile_person((&id, &group), (user, listed), name, effects).await?;
            }
            let mut after = None;
            if let Some(title) = &change.title
                && !self.is_title_wished(&room).await?
            {
                after = self.reconcile_title((&id, &group), title, name, effects).await?;
            }
            if !followed.client()?.has_hosted() {
                let ended = by_service(name("ended"), Operation::Notice(wording::group_ended()));
                effects.batch.rows.push(self.enqueue(&id, &ended).await?);
                effects.links.push(id.clone());
                after = Some(Group { state: GroupState::Ended, ..after.unwrap_or(group) });
            }
            effects.batch.rows.extend(after.map(|after| self.put_group(&id, &after, Some(row.version))));
        }
        if !followed.client()?.has_hosted() {
            followed.row.stage = Stage::Closed;
        }
        self.wake_room(followed.room.clone());
        Ok(())
    }
}

/// What an operator sees of it: a large room should bring many listings, few clients, and few commits.
fn count(change: &Change) {
    let listed = change.listings.iter().filter(|listing| listing.before.is_none());
    metrics::counter!("group_commits_total").increment(1);
    metrics::counter!("group_people_listed_total").increment(listed.count() as u64);
    metrics::counter!("group_clients_added_total").increment(change.joined.len() as u64);
}

/// Service participants are nobody on any network.
fn is_service(user: &UserUri) -> bool {
    user.segments().next().is_some_and(|name| name.starts_with('_'))
}
