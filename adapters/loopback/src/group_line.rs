//! What a client says about conversations of several people.

use mimi_adapter::{GroupProfile, NativeBody, Role};
use serde::{Deserialize, Serialize};

use crate::groups::{Change, Group};
use crate::{EventKind, LoopbackNames};

/// What a client says about a conversation of several people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GroupSaid {
    /// Makes a conversation, with these people in it.
    Make {
        /// Its name.
        group: String,
        /// Users, not puppets.
        people: Vec<String>,
        /// The line's id.
        id: String,
    },
    /// Invites a puppet, or brings a user in.
    Invite {
        /// Whom.
        invite: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Comes into a conversation.
    Join {
        /// The conversation.
        join: String,
        /// The line's id.
        id: String,
    },
    /// Takes somebody out.
    Kick {
        /// Whom.
        kick: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Takes somebody out for good.
    Ban {
        /// Whom.
        ban: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Lets somebody come back.
    Unban {
        /// Whom.
        unban: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Gives somebody another role.
    Give {
        /// Which.
        give: Role,
        /// Whom.
        to: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Gives the conversation another name.
    Title {
        /// Which; empty takes it away.
        title: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
    /// Gives the conversation another topic.
    Topic {
        /// Which; empty takes it away.
        topic: String,
        /// The conversation.
        room: String,
        /// The line's id.
        id: String,
    },
}

/// What a line comes to.
pub(crate) struct Wanted {
    pub(crate) room: String,
    /// What the network notes.
    pub(crate) changes: Vec<Change>,
    /// What the gateway hears, if it hears of the conversation.
    pub(crate) body: Option<NativeBody>,
    /// What the others in it hear.
    pub(crate) kind: Option<EventKind>,
    /// Whom it is about.
    pub(crate) who: Option<String>,
    pub(crate) text: Option<String>,
}

const NOT_IN_IT: &str = "you are not in this conversation";
const MAY_NOT: &str = "you may not do this here";

impl GroupSaid {
    /// The line's id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Make { id, .. }
            | Self::Invite { id, .. }
            | Self::Join { id, .. }
            | Self::Kick { id, .. }
            | Self::Ban { id, .. }
            | Self::Unban { id, .. }
            | Self::Give { id, .. }
            | Self::Title { id, .. }
            | Self::Topic { id, .. } => id,
        }
    }

    /// The conversation; that of a new one is named after whoever makes it, and his line.
    pub(crate) fn room(&self, user: &str) -> String {
        match self {
            Self::Make { id, .. } => format!("#{user}/{id}"),
            Self::Join { join: room, .. }
            | Self::Invite { room, .. }
            | Self::Kick { room, .. }
            | Self::Ban { room, .. }
            | Self::Unban { room, .. }
            | Self::Give { room, .. }
            | Self::Title { room, .. }
            | Self::Topic { room, .. } => room.clone(),
        }
    }

    /// What it comes to when `user` says it in the conversation, if there is one.
    pub(crate) fn wanted(&self, user: &str, group: Option<&Group>) -> Result<Wanted, &'static str> {
        let room = self.room(user);
        if let Self::Make { group: name, people, .. } = self {
            return make(room, user, name, people);
        }
        let group = group.ok_or("there is no such conversation")?;
        if let Self::Join { .. } = self {
            return join(room, user, group);
        }
        let role = group.role(user).ok_or(NOT_IN_IT)?;
        let at_least = |least: Role| if role >= least { Ok(()) } else { Err(MAY_NOT) };
        match self {
            Self::Invite { invite, .. } => invited(room, invite, group),
            Self::Kick { kick, .. } => {
                at_least(Role::Moderator)?;
                let change = Change::Went { room: room.clone(), who: kick.clone() };
                let body = NativeBody::Left { user: kick.as_str().into() };
                Ok(about(room, change, body, EventKind::Removed).of(kick))
            }
            Self::Ban { ban, .. } => {
                at_least(Role::Moderator)?;
                let change = Change::Banned { room: room.clone(), who: ban.clone() };
                let body = NativeBody::Banned { user: ban.as_str().into() };
                Ok(about(room, change, body, EventKind::Banned).of(ban))
            }
            Self::Unban { unban, .. } => {
                at_least(Role::Moderator)?;
                let change = Change::Unbanned { room: room.clone(), who: unban.clone() };
                let body = NativeBody::Unbanned { user: unban.as_str().into() };
                Ok(about(room, change, body, EventKind::Unbanned).of(unban))
            }
            Self::Give { give, to, .. } => {
                at_least(Role::Owner)?;
                let change = Change::Given { room: room.clone(), who: to.clone(), role: *give };
                let body = NativeBody::Role { user: to.as_str().into(), role: *give };
                let wanted = about(room, change, body, EventKind::Role).of(to);
                Ok(Wanted { text: Some(role_name(*give).to_owned()), ..wanted })
            }
            Self::Title { title, .. } => {
                at_least(Role::Moderator)?;
                let name = some(title);
                let change = Change::Entitled { room: room.clone(), name: name.clone() };
                let wanted =
                    about(room, change, NativeBody::Renamed { name: name.clone() }, EventKind::Title);
                Ok(Wanted { text: name, ..wanted })
            }
            Self::Topic { topic, .. } => {
                at_least(Role::Moderator)?;
                let topic = some(topic);
                let change = Change::Discussed { room: room.clone(), topic: topic.clone() };
                let wanted =
                    about(room, change, NativeBody::Topic { topic: topic.clone() }, EventKind::Topic);
                Ok(Wanted { text: topic, ..wanted })
            }
            Self::Make { .. } | Self::Join { .. } => Err(NOT_IN_IT),
        }
    }
}

impl Wanted {
    fn of(self, who: &str) -> Self {
        Self { who: Some(who.to_owned()), ..self }
    }
}

fn make(room: String, user: &str, name: &str, people: &[String]) -> Result<Wanted, &'static str> {
    if !people.iter().all(|who| LoopbackNames::is_user(who)) {
        return Err("a user is a word of a-z, 0-9, '.', '_' and '-'");
    }
    let profile = GroupProfile { name: some(name), topic: None };
    let changes = vec![
        Change::Made { room: room.clone(), by: Some(user.to_owned()), profile },
        Change::Came { room: room.clone(), who: people.to_vec() },
    ];
    let (kind, text) = (Some(EventKind::Opened), some(name));
    Ok(Wanted { room, changes, body: None, kind, who: None, text })
}

fn join(room: String, user: &str, group: &Group) -> Result<Wanted, &'static str> {
    if group.has_banned(user) {
        return Err("you are banned from this conversation");
    }
    let change = Change::Came { room: room.clone(), who: vec![user.to_owned()] };
    Ok(about(room, change, NativeBody::Joined { user: user.into() }, EventKind::Joined))
}

fn invited(room: String, who: &str, group: &Group) -> Result<Wanted, &'static str> {
    if group.has_banned(who) {
        return Err("this person is banned from this conversation");
    }
    if LoopbackNames::is_user(who) {
        let change = Change::Came { room: room.clone(), who: vec![who.to_owned()] };
        return Ok(about(room, change, NativeBody::Joined { user: who.into() }, EventKind::Joined).of(who));
    }
    // A puppet comes when the gateway brings it.
    let body = Some(NativeBody::GroupInvite { puppet: who.into(), group: group.profile.clone() });
    Ok(Wanted { room, changes: vec![], body, kind: None, who: None, text: None })
}

fn about(room: String, change: Change, body: NativeBody, kind: EventKind) -> Wanted {
    Wanted { room, changes: vec![change], body: Some(body), kind: Some(kind), who: None, text: None }
}

/// How the network calls a role.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Moderator => "moderator",
        Role::Owner => "owner",
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}
