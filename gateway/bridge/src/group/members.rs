//! Who is in a native conversation.

use std::collections::BTreeMap;

use mimi_adapter::{GroupMember, NativeUserId, Role};
use mimi_store::{Batch, KeyRange, Next, RowChange};

use super::Person;
use super::wishes::{Cause, Subject};
use crate::bridge::Core;
use crate::fault::Fault;
use crate::lane::Incoming;
use crate::limits::{DISPLAY_NAME_LENGTH_MAX, MEMBERS_PER_BATCH_MAX};
use crate::rows::{self, Group, Key, LinkId, MEMBER, Member, PROFILE, Presence, Target};
use crate::wording;

impl Core {
    /// How somebody stands in a native conversation, as far as we know.
    pub(super) async fn member(&self, id: &LinkId, user: &NativeUserId) -> Result<Member, Fault> {
        match self.store.row(MEMBER, &member_key(id, user)).await? {
            Some(row) => Ok(rows::decode(MEMBER, &row.bytes)?),
            None => Ok(Member::default()),
        }
    }

    async fn members(&self, id: &LinkId) -> Result<BTreeMap<NativeUserId, Member>, Fault> {
        let mut members = BTreeMap::new();
        let mut range: KeyRange = Key::of(&id.0).range();
        loop {
            let page = self.store.rows(MEMBER, range.clone(), MEMBERS_PER_BATCH_MAX).await?;
            let Some(last) = page.last() else { return Ok(members) };
            range = range.behind(&last.key);
            for row in page {
                let name = row.key.get(member_key(id, &"".into()).len()..).unwrap_or_default();
                let name = NativeUserId::from(String::from_utf8_lossy(name).into_owned());
                members.insert(name, rows::decode(MEMBER, &row.bytes)?);
            }
        }
    }

    /// Everybody who is there: whoever is new is wished for, whoever is missing is wished away; the rest was so before.
    pub(super) async fn take_members(
        &self,
        id: &LinkId,
        group: &Group,
        incoming: &Incoming,
        told: &[GroupMember],
    ) -> Result<Next, Fault> {
        let mut known = self.members(id).await?;
        let mut batch = Batch::default();
        for now in told {
            let before = known.remove(&now.user).unwrap_or_default();
            batch.rows.extend(self.profile(group, now));
            if before.presence != Presence::In || before.role != now.role {
                self.take_member(id, (group, incoming), now, &mut batch).await?;
            }
            // What is stored early is found as known when the rest is told again.
            if batch.rows.len() >= MEMBERS_PER_BATCH_MAX {
                self.store.record(std::mem::take(&mut batch)).await?;
            }
        }
        for (user, before) in known {
            if before.presence == Presence::In {
                self.miss_member(id, (group, incoming), &user, &mut batch).await?;
            }
        }
        batch.rows.push(incoming.done());
        self.store.record(batch).await?;
        self.wake_room(group.room.clone());
        Ok(Next::Again)
    }

    async fn take_member(
        &self,
        id: &LinkId,
        (group, incoming): (&Group, &Incoming),
        now: &GroupMember,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        // A puppet that is there comes from us: it was noted when it was let in, and may be on its way out again.
        let Some(Person { user, is_native: true }) = self.person(&group.adapter, &now.user) else {
            return Ok(());
        };
        let member = Member { presence: Presence::In, role: now.role, refused: None };
        batch.rows.push(put_member(id, &now.user, &member));
        let role = Some(now.role).filter(|role| *role != Role::Member);
        let cause = self.cause(id, group, incoming, false);
        let target = Target::In { role, leaf: false };
        batch.rows.push(self.wish(&group.room, &Subject::User(user), target, &cause).await?);
        Ok(())
    }

    async fn miss_member(
        &self,
        id: &LinkId,
        (group, incoming): (&Group, &Incoming),
        native: &NativeUserId,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let person = self.person(&group.adapter, native);
        if person.as_ref().is_some_and(|person| !person.is_native) && self.has_queued(id).await? {
            // It may be what brings the puppet in.
            return Ok(());
        }
        batch.rows.push(put_member(id, native, &Member::default()));
        if let Some(Person { user, is_native: true }) = person {
            let cause = self.cause(id, group, incoming, false);
            batch.rows.push(self.wish(&group.room, &Subject::User(user), Target::Out, &cause).await?);
        }
        Ok(())
    }

    /// What brought a wish about: a native event, done by one of our people or by nobody in particular.
    pub(super) fn cause<'a>(
        &self,
        id: &'a LinkId,
        group: &Group,
        incoming: &'a Incoming,
        is_kick: bool,
    ) -> Cause<'a> {
        let hosted = self.networks.hosted(&group.adapter, &incoming.event.from);
        let by = hosted.unwrap_or_else(|| self.networks.service());
        Cause { by, link: id, event: &incoming.event.id, is_kick }
    }

    fn profile(&self, group: &Group, member: &GroupMember) -> Option<RowChange> {
        let name = member.display_name.as_deref()?;
        self.networks.hosted(&group.adapter, &member.user)?;
        let key = Key::of(&group.adapter).and(member.user.as_str().as_bytes()).bytes();
        let bytes = wording::shortened(name, DISPLAY_NAME_LENGTH_MAX).as_bytes().to_vec();
        Some(RowChange::Put { kind: PROFILE, key, expected: None, bytes })
    }
}

/// Stores how somebody stands.
pub(super) fn put_member(id: &LinkId, user: &NativeUserId, member: &Member) -> RowChange {
    RowChange::Put { kind: MEMBER, key: member_key(id, user), expected: None, bytes: rows::encode(member) }
}

fn member_key(id: &LinkId, user: &NativeUserId) -> Vec<u8> {
    Key::of(&id.0).and(user.as_str().as_bytes()).bytes()
}
