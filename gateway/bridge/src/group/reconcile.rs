//! What the native side has to become, because of what the room is.

use mimi_adapter::{OpId, Operation, Person as NativePerson, Speaker};
use mimi_client::Title;
use mimi_room_policy::RoleIndex;
use mimi_store::Next;
use mimi_uri::UserUri;
use mimi_wire::UpdateRoomResponse;

use super::members::put_member;
use super::wishes::{Found, Subject};
use super::{by_service, table};
use crate::bridge::Core;
use crate::fault::Fault;
use crate::op_id;
use crate::room::{Effects, Followed};
use crate::rows::{Group, LinkId, Member, Outgoing, Presence, Steps, Target, Wish};
use crate::wording;

impl Core {
    /// Gives the native side what somebody's place on the list asks for, and notes it.
    pub(super) async fn reconcile_person(
        &self,
        (id, group): (&LinkId, &Group),
        (user, listed): (&UserUri, Option<RoleIndex>),
        name: impl Fn(&str) -> OpId,
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let Some((native, is_native)) = self.native_name(&group.adapter, user) else { return Ok(()) };
        let before = self.member(id, &native).await?;
        let person =
            if is_native { NativePerson::Native(native.clone()) } else { NativePerson::Puppet(user.clone()) };
        let (operations, after) = operations(&person, &before, listed);
        for (kind, operation) in operations {
            let speaker = match &operation {
                Operation::Leave { user } => Speaker::Puppet(user.clone()),
                _ => Speaker::Service,
            };
            let op_id = name(&format!("{kind} {user}"));
            let outgoing = Outgoing { op_id, speaker, operation, message: None };
            effects.batch.rows.push(self.enqueue(id, &outgoing).await?);
        }
        if after != before {
            effects.batch.rows.push(put_member(id, &native, &after));
            effects.links.push(id.clone());
        }
        Ok(())
    }

    /// Gives the native side the room's name and topic; the link as it is then, if that is another.
    pub(super) async fn reconcile_title(
        &self,
        (id, group): (&LinkId, &Group),
        title: &Title,
        name: impl Fn(&str) -> OpId,
        effects: &mut Effects,
    ) -> Result<Option<Group>, Fault> {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let after = Group { name: some(&title.name), topic: some(&title.topic), ..group.clone() };
        if after.name != group.name {
            let rename = by_service(name("rename"), Operation::Rename(after.name.clone()));
            effects.batch.rows.push(self.enqueue(id, &rename).await?);
        }
        if after.topic != group.topic {
            let set = by_service(name("topic"), Operation::SetTopic(after.topic.clone()));
            effects.batch.rows.push(self.enqueue(id, &set).await?);
        }
        effects.links.push(id.clone());
        Ok((after != *group).then_some(after))
    }

    /// What was wished for will not be: it is undone natively, and told.
    pub(super) async fn refuse_wish(
        &self,
        followed: &mut Followed,
        (found, wish): (&Found, &Wish),
        why: &str,
    ) -> Result<Next, Fault> {
        tracing::info!(room = %followed.room, subject = found.subject.name(), why, "a change of a group was refused");
        metrics::counter!("group_changes_refused_total").increment(1);
        let mut effects = Effects::default();
        effects.batch.rows.push(found.gone());
        let id = &wish.link;
        let name = |kind: &str| op_id::for_native(id, wish.event.as_str(), kind);
        if let Some((group, row)) = self.group(id).await? {
            match &found.subject {
                Subject::Title => {
                    let title = followed.client()?.title();
                    let after = self.reconcile_title((id, &group), &title, name, &mut effects).await?;
                    effects
                        .batch
                        .rows
                        .extend(after.map(|after| self.put_group(id, &after, Some(row.version))));
                }
                Subject::User(user) => {
                    let listed = followed.client()?.role_of(user);
                    self.undo(((id, &group), user, listed), (wish, why), &mut effects).await?;
                }
            }
            if !matches!(&found.subject, Subject::User(user) if *user == self.networks.service()) {
                let text = wording::change_refused(&subject_name(&found.subject), why);
                let notice = by_service(name("refused"), Operation::Notice(text));
                effects.batch.rows.push(self.enqueue(id, &notice).await?);
                effects.links.push(id.clone());
            }
        }
        self.store_effects(followed, effects).await?;
        self.wake_lanes(followed).await?;
        Ok(Next::Again)
    }

    async fn undo(
        &self,
        ((id, group), user, listed): ((&LinkId, &Group), &UserUri, Option<RoleIndex>),
        (wish, why): (&Wish, &str),
        effects: &mut Effects,
    ) -> Result<(), Fault> {
        let Some((native, is_native)) = self.native_name(&group.adapter, user) else { return Ok(()) };
        // Whom the room does not take may stay in his own native conversation, and hears why when he speaks.
        if is_native && listed.is_none() && matches!(wish.target, Target::In { .. }) {
            let member = Member { refused: Some(why.to_owned()), ..self.member(id, &native).await? };
            effects.batch.rows.push(put_member(id, &native, &member));
            return Ok(());
        }
        let name = |kind: &str| op_id::for_native(id, wish.event.as_str(), kind);
        self.reconcile_person((id, group), (user, listed), name, effects).await
    }

    /// A claim brought nothing: the puppet leaves again.
    pub(crate) async fn refuse_claim(
        &self,
        followed: &mut Followed,
        user: &UserUri,
        why: &str,
    ) -> Result<(), Fault> {
        followed.row.in_flight = None;
        let subject = Subject::User(user.clone());
        let wishes = self.wishes(&followed.room).await?;
        match wishes.iter().find(|(found, _)| found.subject == subject) {
            Some((found, wish)) => self.refuse_wish(followed, (found, wish), why).await.map(drop),
            None => self.store_effects(followed, Effects::default()).await,
        }
    }

    /// The hub took none of some steps: from now on one by one, and what is refused alone is refused for good.
    pub(crate) async fn steps_refused(
        &self,
        followed: &mut Followed,
        steps: &Steps,
        response: &UpdateRoomResponse,
    ) -> Result<(), Fault> {
        let [subject] = steps.subjects.as_slice() else {
            followed.one_by_one = true;
            return Ok(());
        };
        let wishes = self.wishes(&followed.room).await?;
        let Some((found, wish)) = wishes.iter().find(|(found, _)| found.subject.name() == subject) else {
            return Ok(());
        };
        tracing::warn!(room = %followed.room, ?response, "a hub refused what its own policy allows");
        self.refuse_wish(followed, (found, wish), "the room's hub does not accept it").await.map(drop)
    }

    /// The same wish, without the role that nobody here can give.
    pub(super) async fn wish_without_role(
        &self,
        followed: &mut Followed,
        (found, wish): (&Found, &Wish),
        leaf: bool,
    ) -> Result<Next, Fault> {
        let wish = Wish { target: Target::In { role: None, leaf }, ..wish.clone() };
        let mut effects = Effects::default();
        effects.batch.rows.push(self.put_wish(found, &wish));
        self.store_effects(followed, effects).await?;
        Ok(Next::Again)
    }
}

/// What makes a person's native place that of the list, and how he stands afterwards.
fn operations(
    person: &NativePerson,
    before: &Member,
    listed: Option<RoleIndex>,
) -> (Vec<(&'static str, Operation)>, Member) {
    let mut done = Vec::new();
    let mut after = before.clone();
    let is_there = matches!(before.presence, Presence::In | Presence::Invited);
    if before.presence == Presence::Banned && listed != Some(RoleIndex::BANNED) {
        done.push(("unban", Operation::Unban { person: person.clone() }));
        after.presence = Presence::Out;
    }
    match (listed, person) {
        (Some(RoleIndex::BANNED), _) if before.presence == Presence::Banned => {}
        (Some(RoleIndex::BANNED), _) => {
            if let NativePerson::Puppet(user) = person
                && is_there
            {
                done.push(("leave", Operation::Leave { user: user.clone() }));
            }
            done.push(("ban", Operation::Ban { person: person.clone() }));
            after = Member { presence: Presence::Banned, ..Member::default() };
        }
        (None, NativePerson::Native(_)) if is_there => {
            done.push(("remove", Operation::Remove { person: person.clone() }));
            after = Member::default();
        }
        (None, NativePerson::Puppet(user)) if is_there => {
            done.push(("leave", Operation::Leave { user: user.clone() }));
            after = Member::default();
        }
        (None, _) => {}
        (Some(index), _) => {
            if let NativePerson::Native(user) = person
                && !is_there
            {
                done.push(("invite", Operation::Invite { user: user.clone() }));
                after.presence = Presence::Invited;
            }
            let (role, stays) =
                (table::natively(index), matches!(after.presence, Presence::In | Presence::Invited));
            if stays && before.role != role {
                done.push(("role", Operation::SetRole { person: person.clone(), role }));
                after.role = role;
            }
        }
    }
    (done, after)
}

/// How a notice calls what was to be changed.
fn subject_name(subject: &Subject) -> String {
    match subject {
        Subject::Title => "the name or topic".to_owned(),
        Subject::User(user) => wording::name(user, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimi_adapter::Role;
    use mimi_room_policy::template::{GROUP_ADMIN, ORDINARY_USER};

    fn native() -> NativePerson {
        NativePerson::Native("bob".into())
    }

    fn puppet() -> NativePerson {
        NativePerson::Puppet(UserUri::parse("mimi://b.example/u/bob").unwrap())
    }

    fn member(presence: Presence, role: Role) -> Member {
        Member { presence, role, refused: None }
    }

    fn kinds(person: &NativePerson, before: &Member, listed: Option<RoleIndex>) -> Vec<&'static str> {
        let (done, after) = operations(person, before, listed);
        // Once it is done there is nothing more to do.
        assert_eq!(operations(person, &after, listed).0, []);
        done.into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn what_is_so_already_is_left_alone() {
        let here = member(Presence::In, Role::Member);

        assert!(kinds(&native(), &here, Some(ORDINARY_USER)).is_empty());
        assert!(kinds(&puppet(), &here, Some(ORDINARY_USER)).is_empty());
        assert!(kinds(&native(), &Member::default(), None).is_empty());
        assert!(
            kinds(&native(), &member(Presence::Banned, Role::Member), Some(RoleIndex::BANNED)).is_empty()
        );
    }

    #[test]
    fn a_native_person_is_invited_and_a_puppet_waits_for_its_first_word() {
        assert_eq!(kinds(&native(), &Member::default(), Some(ORDINARY_USER)), ["invite"]);
        assert_eq!(kinds(&native(), &Member::default(), Some(GROUP_ADMIN)), ["invite", "role"]);
        assert!(kinds(&puppet(), &Member::default(), Some(GROUP_ADMIN)).is_empty());
    }

    #[test]
    fn who_goes_goes_and_who_is_banned_is_kept_out() {
        let here = member(Presence::In, Role::Moderator);

        assert_eq!(kinds(&native(), &here, None), ["remove"]);
        assert_eq!(kinds(&puppet(), &here, None), ["leave"]);
        assert_eq!(kinds(&native(), &here, Some(RoleIndex::BANNED)), ["ban"]);
        assert_eq!(kinds(&puppet(), &here, Some(RoleIndex::BANNED)), ["leave", "ban"]);
        assert_eq!(kinds(&puppet(), &Member::default(), Some(RoleIndex::BANNED)), ["ban"]);
        let banned = member(Presence::Banned, Role::Member);
        assert_eq!(kinds(&native(), &banned, None), ["unban"]);
        assert_eq!(kinds(&native(), &banned, Some(ORDINARY_USER)), ["unban", "invite"]);
    }

    #[test]
    fn a_role_is_given_to_who_is_there() {
        let here = member(Presence::In, Role::Member);

        assert_eq!(kinds(&puppet(), &here, Some(GROUP_ADMIN)), ["role"]);
        assert_eq!(kinds(&native(), &member(Presence::In, Role::Owner), Some(ORDINARY_USER)), ["role"]);
    }
}
