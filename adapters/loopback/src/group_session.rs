//! What the gateway does in conversations of several people.

use futures_util::future::join_all;
use mimi_adapter::{
    Addresses, Delivery, GroupProfile, Ingest, NativeBody, NativeEvent, NativeUserId, Operation, Outcome,
    Person, RefusedCode, Role,
};
use mimi_uri::UserUri;

use crate::connection::now_ms;
use crate::group_line::role_name;
use crate::groups::{Change, Group, Groups};
use crate::limits::{RETRY_WAIT, TEXT_BYTES_MAX};
use crate::network::Network;
use crate::{Event, EventKind, LoopbackNames};

/// One operation in one conversation.
pub(crate) struct InGroup<'a> {
    pub(crate) network: &'a Network,
    pub(crate) groups: &'a Groups,
    pub(crate) delivery: &'a Delivery,
    /// The puppet that acts; none where the gateway does.
    pub(crate) speaker: Option<NativeUserId>,
}

/// Whether a conversation is one of several people.
pub(crate) fn is_group(room: &str) -> bool {
    room.starts_with('#')
}

impl InGroup<'_> {
    /// Makes a conversation that is the gateway's own.
    pub(crate) async fn open(
        &self,
        profile: &GroupProfile,
        invite: &[NativeUserId],
    ) -> Result<Outcome, Outcome> {
        let room = format!("#{}", self.delivery.op_id);
        self.note(&Change::Made { room: room.clone(), by: None, profile: profile.clone() })?;
        for user in invite {
            self.bring(&room, user).await?;
        }
        Ok(Outcome::done_in(room.into()))
    }

    /// Does an operation in a conversation.
    pub(crate) async fn act(&self, room: &str) -> Result<Outcome, Outcome> {
        let Some(group) = self.groups.group(room) else {
            return Err(Outcome::refused(RefusedCode::UnknownRoom, "not a room of this network"));
        };
        match &self.delivery.operation {
            Operation::AcceptInvite { puppet } => {
                self.enter(room, puppet).await?;
                self.tell_members(room).await
            }
            Operation::Enter { user } => self.enter(room, user).await,
            Operation::Invite { user } => self.bring(room, user).await,
            Operation::Leave { user } => {
                let who = self.puppet(user)?;
                let change = Change::Went { room: room.to_owned(), who: who.to_string() };
                self.changed(room, &change, self.event(EventKind::Left, room, Some(&who))).await
            }
            Operation::Remove { person } => self.about(room, person, EventKind::Removed, None).await,
            Operation::Ban { person } => self.about(room, person, EventKind::Banned, None).await,
            Operation::Unban { person } => self.about(room, person, EventKind::Unbanned, None).await,
            Operation::SetRole { person, role } => {
                self.about(room, person, EventKind::Role, Some(*role)).await
            }
            Operation::Rename(name) => {
                let change = Change::Entitled { room: room.to_owned(), name: name.clone() };
                let event = Event { text: name.clone(), ..self.event(EventKind::Title, room, None) };
                self.changed(room, &change, event).await
            }
            Operation::SetTopic(topic) => {
                let change = Change::Discussed { room: room.to_owned(), topic: topic.clone() };
                let event = Event { text: topic.clone(), ..self.event(EventKind::Topic, room, None) };
                self.changed(room, &change, event).await
            }
            Operation::Post(prepared) => self.say(room, &group, EventKind::Message, &prepared.plain).await,
            Operation::Notice(text) => self.say(room, &group, EventKind::Notice, text).await,
            Operation::EnsurePuppet(_)
            | Operation::OpenDirect { .. }
            | Operation::OpenGroup { .. }
            | Operation::ShowProgress { .. } => {
                Err(Outcome::refused(RefusedCode::Malformed, "not an operation in a conversation"))
            }
        }
    }

    async fn say(&self, room: &str, group: &Group, kind: EventKind, text: &str) -> Result<Outcome, Outcome> {
        if self.speaker.as_ref().is_some_and(|speaker| !group.has(speaker.as_str())) {
            return Err(Outcome::refused(RefusedCode::NotMember, "the puppet is not in this conversation"));
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(Outcome::refused(RefusedCode::TooLarge, "the text is too long"));
        }
        let event = self.event(kind, room, self.speaker.as_ref());
        self.tell_all(room, &Event { text: Some(text.to_owned()), ..event }).await?;
        Ok(Outcome::done_as(self.delivery.op_id.as_str().into()))
    }

    async fn enter(&self, room: &str, user: &UserUri) -> Result<Outcome, Outcome> {
        let who = self.puppet(user)?;
        if self.groups.group(room).is_some_and(|group| group.has_banned(who.as_str())) {
            return Err(Outcome::refused(RefusedCode::NotAllowed, "the puppet is banned"));
        }
        let change = Change::Came { room: room.to_owned(), who: vec![who.to_string()] };
        self.changed(room, &change, self.event(EventKind::Joined, room, Some(&who))).await
    }

    /// Brings a user in: on this network nobody is asked.
    async fn bring(&self, room: &str, user: &NativeUserId) -> Result<Outcome, Outcome> {
        if !LoopbackNames::is_user(user.as_str()) {
            return Err(Outcome::refused(RefusedCode::UnknownUser, "not a user of this network"));
        }
        let group = self.groups.group(room).unwrap_or_default();
        if group.has_banned(user.as_str()) {
            return Err(Outcome::refused(RefusedCode::NotAllowed, "the user is banned"));
        }
        let change = Change::Came { room: room.to_owned(), who: vec![user.to_string()] };
        let event = self.event(EventKind::Joined, room, Some(user));
        let opened = Event { op: format!("{}-{user}", event.op), ..event };
        let opened = Event { kind: EventKind::Opened, from: None, text: group.profile.name, ..opened };
        self.hear(room, user, NativeBody::Joined { user: user.clone() }).await?;
        self.note(&change)?;
        if self.groups.look(|state| state.is_listener(user.as_str())) {
            self.tell(user.as_str(), &opened).await?;
        }
        self.tell_all(room, &self.event(EventKind::Joined, room, Some(user))).await?;
        Ok(Outcome::done())
    }

    async fn about(
        &self,
        room: &str,
        person: &Person,
        kind: EventKind,
        role: Option<Role>,
    ) -> Result<Outcome, Outcome> {
        let who = match person {
            Person::Native(user) => user.clone(),
            Person::Puppet(user) => self.puppet(user)?,
        };
        let (room_name, name) = (room.to_owned(), who.to_string());
        let change = match (kind, role) {
            (EventKind::Banned, _) => Change::Banned { room: room_name, who: name },
            (EventKind::Unbanned, _) => Change::Unbanned { room: room_name, who: name },
            (_, Some(role)) => Change::Given { room: room_name, who: name, role },
            (_, None) => Change::Went { room: room_name, who: name },
        };
        let event = self.event(kind, room, None);
        let text = role.map(|role| role_name(role).to_owned());
        self.changed(room, &change, Event { who: Some(who.to_string()), text, ..event }).await
    }

    /// Notes a change, and tells everybody who is in the conversation or was until now.
    async fn changed(&self, room: &str, change: &Change, event: Event) -> Result<Outcome, Outcome> {
        let mut hearers = self.groups.listeners(room);
        self.note(change)?;
        hearers.extend(self.groups.listeners(room));
        hearers.sort();
        hearers.dedup();
        self.tell_these(&hearers, &event).await?;
        Ok(Outcome::done())
    }

    /// Tells the gateway who is in a conversation that it came into.
    async fn tell_members(&self, room: &str) -> Result<Outcome, Outcome> {
        let everybody = self.groups.group(room).unwrap_or_default().everybody();
        self.hear(room, &"".into(), NativeBody::Members(everybody)).await?;
        Ok(Outcome::done())
    }

    async fn hear(&self, room: &str, user: &NativeUserId, body: NativeBody) -> Result<(), Outcome> {
        let event = NativeEvent {
            lane: room.into(),
            id: format!("{}-{user}", self.delivery.op_id).as_str().into(),
            nonce: None,
            from: user.clone(),
            display_name: None,
            at_ms: now_ms(),
            body,
        };
        let heard = self.network.host.ingest(Ingest { events: vec![event] }).await;
        heard.map_err(|fault| Outcome::Broken { why: fault.to_string() })
    }

    async fn tell_all(&self, room: &str, event: &Event) -> Result<(), Outcome> {
        self.tell_these(&self.groups.listeners(room), event).await
    }

    async fn tell_these(&self, users: &[String], event: &Event) -> Result<(), Outcome> {
        let told = join_all(users.iter().map(|user| self.network.tell(user, event))).await;
        if told.into_iter().all(|told| told) { Ok(()) } else { Err(Outcome::RetryAfter { wait: RETRY_WAIT }) }
    }

    async fn tell(&self, user: &str, event: &Event) -> Result<(), Outcome> {
        self.tell_these(&[user.to_owned()], event).await
    }

    fn note(&self, change: &Change) -> Result<(), Outcome> {
        self.groups.change(change).map_err(|error| Outcome::Broken { why: error.to_string() })
    }

    fn event(&self, kind: EventKind, room: &str, from: Option<&NativeUserId>) -> Event {
        Event {
            kind,
            room: room.to_owned(),
            from: from.map(ToString::to_string),
            name: from.and_then(|puppet| self.network.name_of(puppet)),
            who: None,
            text: None,
            about: None,
            progress: None,
            op: self.delivery.op_id.to_string(),
        }
    }

    fn puppet(&self, user: &UserUri) -> Result<NativeUserId, Outcome> {
        let puppet = self.network.names.puppet(user);
        puppet.map_err(|why| Outcome::refused(RefusedCode::Unnameable, why.to_string()))
    }
}
