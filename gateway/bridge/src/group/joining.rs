//! A hosted user is brought into a group of others: his network gets a conversation for it, or he is invited to it.

use mimi_adapter::{Feature, GroupProfile, NativeUserId, Operation, Person, Role};
use mimi_store::{Batch, RowChange};
use mimi_uri::UserUri;

use super::members::put_member;
use super::wishes::{Cause, Subject};
use super::{by_service, table};
use crate::bridge::Core;
use crate::delivery::opening_row_key;
use crate::fault::Fault;
use crate::op_id;
use crate::room::Followed;
use crate::rows::{self, Group, GroupState, LinkId, Member, OPENING, Origin, Presence, RoomKind, Target};

impl Core {
    /// Whether the network of a hosted user has conversations of several people.
    pub(crate) fn has_groups(&self, user: &UserUri) -> bool {
        let instance = self.networks.native(user).and_then(|(adapter, _)| self.instances.get(&adapter));
        instance.is_some_and(|it| it.adapter.manifest().capabilities.can(Feature::Groups))
    }

    /// Shows the room to a hosted user who was welcomed to it.
    pub(crate) async fn link_to_group(
        &self,
        followed: &mut Followed,
        hosted: &UserUri,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        followed.row.kind = RoomKind::Group;
        let Some((adapter, native)) = self.networks.native(hosted) else { return Ok(()) };
        if let Some(id) = self.link_at(followed, &adapter).await? {
            return self.invite_native(followed, &id, (hosted, &native), batch).await;
        }
        let id = LinkId(self.vault.name(
            "group",
            &[followed.room.as_str().as_bytes(), adapter.as_bytes(), &followed.row.position.to_be_bytes()],
        ));
        let title = followed.client()?.title();
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let profile = GroupProfile { name: some(title.name), topic: some(title.topic) };
        let group = Group {
            adapter: adapter.clone(),
            native_room: None,
            room: followed.room.clone(),
            origin: Origin::Mimi,
            state: GroupState::Active,
            name: profile.name.clone(),
            topic: profile.topic.clone(),
        };
        let key = opening_row_key(&id, &adapter, &native);
        batch.rows.push(RowChange::Put { kind: OPENING, key, expected: None, bytes: rows::encode(&id) });
        batch.rows.push(self.put_group(&id, &group, None));
        let role = followed.client()?.role_of(hosted).map_or(Role::Member, table::natively);
        let invited = Member { presence: Presence::Invited, role, refused: None };
        batch.rows.push(put_member(&id, &native, &invited));
        let op_id = op_id::for_event(&id, &followed.room, 0, "open");
        let open = Operation::OpenGroup { group: profile, invite: vec![native.clone()] };
        batch.rows.push(self.enqueue(&id, &by_service(op_id, open)).await?);
        batch.rows.extend(self.give_role(followed, &id, &native, role).await?);
        let cause = Cause { by: hosted.clone(), link: &id, event: &"".into(), is_kick: false };
        let service = Subject::User(self.networks.service());
        let target = Target::In { role: None, leaf: true };
        batch.rows.push(self.wish(&followed.room, &service, target, &cause).await?);
        followed.row.links.push((self.networks.service(), id));
        Ok(())
    }

    /// The group link of a room on a network.
    async fn link_at(&self, followed: &Followed, adapter: &str) -> Result<Option<LinkId>, Fault> {
        for (_, id) in &followed.row.links {
            if self.group(id).await?.is_some_and(|(group, _)| group.adapter == adapter) {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }

    async fn invite_native(
        &self,
        followed: &mut Followed,
        id: &LinkId,
        (hosted, native): (&UserUri, &NativeUserId),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let member = self.member(id, native).await?;
        if matches!(member.presence, Presence::In | Presence::Invited) {
            return Ok(());
        }
        let role = followed.client()?.role_of(hosted).map_or(Role::Member, table::natively);
        let invited = Member { presence: Presence::Invited, role, refused: None };
        batch.rows.push(put_member(id, native, &invited));
        let op_id = op_id::for_event(id, &followed.room, followed.row.position, &format!("invite {native}"));
        let invite = Operation::Invite { user: native.clone() };
        batch.rows.push(self.enqueue(id, &by_service(op_id, invite)).await?);
        batch.rows.extend(self.give_role(followed, id, native, role).await?);
        Ok(())
    }

    /// Whoever has more than an ordinary role in the room gets it natively too.
    async fn give_role(
        &self,
        followed: &Followed,
        id: &LinkId,
        native: &NativeUserId,
        role: Role,
    ) -> Result<Option<RowChange>, Fault> {
        if role == Role::Member {
            return Ok(None);
        }
        let op_id = op_id::for_event(id, &followed.room, followed.row.position, &format!("role {native}"));
        let set = Operation::SetRole { person: Person::Native(native.clone()), role };
        Ok(Some(self.enqueue(id, &by_service(op_id, set)).await?))
    }
}
