//! What a client says in conversations of several people: heard by the gateway, then noted, then told to the others.

use futures_util::future::join_all;
use mimi_adapter::{Ingest, NativeBody, NativeEvent};
use mimi_content::NestedPart;

use crate::connection::{error, error_of_ours, now_ms};
use crate::group_line::Wanted;
use crate::group_session::is_group;
use crate::groups::{Change, Group, Groups};
use crate::limits::{ID_BYTES_MAX, TEXT_BYTES_MAX};
use crate::network::Network;
use crate::{Event, EventKind, GroupSaid, Said, Told};

/// What is said in a conversation of several people.
pub(crate) enum SaidInGroup {
    Says { room: String, text: String, id: String },
    Leaves { room: String, id: String },
    Other(GroupSaid),
}

/// Who says it.
pub(crate) struct Speaking<'a> {
    pub(crate) user: &'a str,
    pub(crate) called: Option<&'a str>,
}

impl SaidInGroup {
    /// A line about a conversation of several people; any other line is given back.
    pub(crate) fn of(said: Said) -> Result<Self, Said> {
        match said {
            Said::Group(said) => Ok(Self::Other(said)),
            Said::Say { say, room, id } if is_group(&room) => Ok(Self::Says { room, text: say, id }),
            Said::Leave { leave, id } if is_group(&leave) => Ok(Self::Leaves { room: leave, id }),
            said => Err(said),
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Says { id, .. } | Self::Leaves { id, .. } => id,
            Self::Other(said) => said.id(),
        }
    }

    fn room(&self, user: &str) -> String {
        match self {
            Self::Says { room, .. } | Self::Leaves { room, .. } => room.clone(),
            Self::Other(said) => said.room(user),
        }
    }

    fn wanted(&self, user: &str, group: Option<&Group>) -> Result<Wanted, &'static str> {
        match self {
            Self::Other(said) => said.wanted(user, group),
            Self::Says { room, text, .. } => {
                if text.len() > TEXT_BYTES_MAX {
                    return Err("the text is too long");
                }
                if !group.is_some_and(|group| group.has(user)) {
                    return Err("you are not in this conversation");
                }
                let body = Some(NativeBody::Post(NestedPart::plain(text)));
                let (kind, text) = (Some(EventKind::Message), Some(text.clone()));
                Ok(Wanted { room: room.clone(), changes: vec![], body, kind, who: None, text })
            }
            // Who is out already has left.
            Self::Leaves { room, .. } => Ok(Wanted {
                room: room.clone(),
                changes: vec![Change::Went { room: room.clone(), who: user.to_owned() }],
                body: Some(NativeBody::Left { user: user.into() }),
                kind: Some(EventKind::Left),
                who: None,
                text: None,
            }),
        }
    }
}

impl Network {
    /// Does what a user says; answers after it is durable and the others have heard it.
    pub(crate) async fn act_in_group(&self, speaking: &Speaking<'_>, said: &SaidInGroup) -> Told {
        let id = said.id().to_owned();
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return error("an id has 1 to 128 bytes", Some(id));
        }
        let Some(groups) = &self.groups else {
            return error("this network has no conversations of several people", Some(id));
        };
        let room = said.room(speaking.user);
        let group = groups.group(&room);
        let wanted = match said.wanted(speaking.user, group.as_ref()) {
            Ok(wanted) => wanted,
            Err(why) => return error(why, Some(id)),
        };
        match self.carry_out(groups, speaking, (&id, group.as_ref()), wanted).await {
            Ok(()) => Told::Ok { ok: id, room: Some(room) },
            Err(why) => {
                tracing::debug!(why, "line not taken yet");
                error_of_ours(Some(id))
            }
        }
    }

    /// Each step may be done again: the gateway knows the event, the file the change, and a client what it has heard.
    async fn carry_out(
        &self,
        groups: &Groups,
        speaking: &Speaking<'_>,
        (id, before): (&str, Option<&Group>),
        wanted: Wanted,
    ) -> Result<(), String> {
        let Wanted { room, changes, body, kind, who, text } = wanted;
        let op = format!("{}/{id}", speaking.user);
        let hears =
            before.is_some_and(Group::is_bridged) || matches!(body, Some(NativeBody::GroupInvite { .. }));
        if let Some(body) = body.filter(|_| hears) {
            let event = NativeEvent {
                lane: room.as_str().into(),
                id: op.as_str().into(),
                nonce: None,
                from: speaking.user.into(),
                display_name: speaking.called.map(str::to_owned),
                at_ms: now_ms(),
                body,
            };
            self.host.ingest(Ingest { events: vec![event] }).await.map_err(|fault| fault.to_string())?;
        }
        let mut hearers = groups.listeners(&room);
        for change in &changes {
            groups.change(change).map_err(|error| error.to_string())?;
        }
        hearers.extend(groups.listeners(&room));
        hearers.sort();
        hearers.dedup();
        hearers.retain(|hearer| hearer != speaking.user);
        let Some(kind) = kind else { return Ok(()) };
        let (from, name) = (Some(speaking.user.to_owned()), speaking.called.map(str::to_owned));
        let event = Event { kind, room, from, name, who, text, about: None, progress: None, op };
        let told = join_all(hearers.iter().map(|user| self.tell(user, &event))).await;
        if told.into_iter().all(|told| told) { Ok(()) } else { Err("somebody has not heard it".to_owned()) }
    }
}
