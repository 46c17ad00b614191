//! What is said in rooms, and invitations into them.

use mimi_adapter::{Addresses, GroupProfile, NativeBody, NativeEvent, NativeUserId};
use mimi_content::NestedPart;
use xmpp_parsers::disco::DiscoInfoResult;
use xmpp_parsers::jid::{BareJid, Jid};
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;

use super::enter::HIDES;
use super::iq;
use super::presence::{Said, event_of};
use super::room::{Question, Room, Rooms};
use crate::event_id;
use crate::hear::Heard;
use crate::line::{Answer, Awaited};
use crate::link::Link;
use crate::stanza::{find, now_ms, said_at, text_of};

/// Invitations by somebody himself, not through the room (XEP-0249).
const CONFERENCE: &str = "jabber:x:conference";

impl Link {
    /// Takes a message if it is one of a room.
    pub(crate) fn hear_in_room(&self, message: &Message) -> Option<Heard> {
        if let Some(invitation) = self.hear_invitation(message) {
            return Some(invitation);
        }
        let (from, to) = (message.from.as_ref()?, message.to.as_ref()?.to_bare());
        let room = from.to_bare();
        if let Some(result) = find(&message.payloads, "result", ns::MAM) {
            return Some(self.hear_archived(&room, result));
        }
        let heard = self.rooms.with(&room, |state| {
            if state.listener.as_ref() != Some(&to) {
                return Some(Heard::default());
            }
            let heard = match (&message.type_, from.resource()) {
                (MessageType::Groupchat, Some(nick)) => self.hear_said(state, &room, nick.as_str(), message),
                (MessageType::Groupchat | MessageType::Normal, None) => {
                    self.hear_of_absent(state, &room, message)
                }
                _ => return None,
            };
            let Some(catching_up) = &mut state.catching_up else { return Some(heard) };
            // What was said before comes first.
            catching_up.held.push(heard);
            Some(Heard::default())
        });
        heard.flatten()
    }

    fn hear_said(&self, state: &mut Room, room: &BareJid, nick: &str, message: &Message) -> Heard {
        let speaker = state.occupants.get(nick).and_then(|occupant| occupant.user.clone());
        let given = find(&message.payloads, "stanza-id", ns::SID);
        let given = given.filter(|id| id.attr("by") == Some(room.as_str()));
        if let Some(speaker) = &speaker
            && state.ours.contains_key(speaker)
        {
            let origin = find(&message.payloads, "origin-id", ns::SID).and_then(|origin| origin.attr("id"));
            let id = origin.or(message.id.as_ref().map(|id| id.0.as_str())).unwrap_or_default().to_owned();
            if text_of(message).is_none() {
                // Not every room sends a topic under the id that it was given.
                self.line.answered(&Awaited::Topic(room.clone()), Ok(None));
            }
            self.line.answered(&Awaited::Message(id), Ok(given.cloned()));
            return Heard::default();
        }
        let at_ms = said_at(&message.payloads, |witness| witness.to_bare() == *room);
        let body = match (text_of(message), message.get_best_subject(vec![])) {
            (Some(text), _) => NativeBody::Post(NestedPart::plain(text)),
            (None, Some((_, topic))) => match new_topic(state, topic) {
                Some(topic) => topic,
                None => return Heard::default(),
            },
            (None, None) => return Heard::default(),
        };
        // Only a topic can be without a speaker: of one who has left.
        let Some(from) =
            speaker.or_else(|| matches!(body, NativeBody::Topic { .. }).then(|| self.names.service()))
        else {
            tracing::warn!(%room, "somebody unknown spoke");
            return Heard::default();
        };
        let id = given.and_then(|id| id.attr("id"));
        let event = event_of(state, room, from.as_str().into(), body);
        let event_id = id.map_or_else(|| event_id::of_message(message), Into::into);
        let mut heard = Heard::event(NativeEvent { id: event_id, at_ms, ..event });
        if let Some(id) = id {
            state.last = Some(id.to_owned());
            heard.mark = Some((room.to_string(), Rooms::note(state)));
        }
        heard
    }

    /// The room itself tells something: of somebody who is not there, or that its settings have changed.
    fn hear_of_absent(&self, state: &mut Room, room: &BareJid, message: &Message) -> Heard {
        let Some(said) = Said::read(&message.payloads) else { return Heard::default() };
        if said.has("104") {
            return self.ask_for_name(state, room);
        }
        let Some(user) = said.user.clone() else { return Heard::default() };
        let is_there = state.occupants.values().any(|one| one.user.as_ref() == Some(&user));
        let happened = self.changed(state, &user, &said, is_there);
        let events = happened.map(|(by, body)| event_of(state, room, by, body));
        Heard { events: events.into_iter().collect(), ..Heard::default() }
    }

    /// Asks a room for its name; the answer is heard by [`Link::hear_of_room_answer`].
    pub(super) fn ask_for_name(&self, state: &Room, room: &BareJid) -> Heard {
        let Some(listener) = &state.listener else { return Heard::default() };
        let question = iq::get(listener, room, iq::element("query", ns::DISCO_INFO, &[]));
        self.questions.ask(question.id(), Question::Name(room.clone()));
        Heard::reply(question)
    }

    /// Takes an answer to a question about a room, if it is one.
    pub(crate) fn hear_of_room_answer(&self, id: &str, answer: &Answer) -> Option<Heard> {
        if let Some(heard) = self.hear_archive_end(id, answer) {
            return Some(heard);
        }
        match self.questions.answered(id)? {
            Question::Members(room) => Some(self.members(&room)),
            Question::Name(room) => {
                let info = answer.as_ref().ok()?.clone()?;
                let info = DiscoInfoResult::try_from(info).ok()?;
                let name = info.identities.into_iter().find_map(|identity| identity.name);
                self.rooms.with(&room, |state| {
                    let name = name.filter(|name| !name.is_empty());
                    if state.profile.name == name {
                        return Heard::default();
                    }
                    state.profile.name.clone_from(&name);
                    let by = self.names.service().as_str().into();
                    Heard::event(event_of(state, &room, by, NativeBody::Renamed { name }))
                })
            }
        }
    }

    /// Somebody invites a puppet: through the room (XEP-0045), or by himself (XEP-0249).
    fn hear_invitation(&self, message: &Message) -> Option<Heard> {
        let (from, to) = (message.from.as_ref()?, message.to.as_ref()?);
        let through =
            find(&message.payloads, "x", ns::MUC_USER).and_then(|x| x.get_child("invite", ns::MUC_USER));
        let by_himself = find(&message.payloads, "x", CONFERENCE);
        let (room, inviter) = match (through, by_himself) {
            (Some(invite), _) => (from.to_bare(), iq::bare(invite.attr("from")?)?),
            (None, Some(x)) => (iq::bare(x.attr("jid")?)?, from.to_bare()),
            (None, None) => return None,
        };
        if inviter == room {
            let by = through.and_then(|invite| invite.attr("from")).unwrap_or_default();
            return Some(Heard::reply(decline(to, &room, by, HIDES)));
        }
        let puppet = NativeUserId::from(to.to_bare().as_str());
        let native = NativeUserId::from(inviter.as_str());
        // Our own invitations of puppets are no news, and nobody else's are taken.
        let is_hosted =
            self.names.localpart(&native).is_some() && self.names.behind_puppet(&puppet).is_some();
        if !is_hosted {
            return Some(Heard::default());
        }
        let body = NativeBody::GroupInvite { puppet, group: GroupProfile::default() };
        Some(Heard::event(NativeEvent {
            lane: room.as_str().into(),
            id: event_id::once(),
            nonce: None,
            from: native,
            display_name: None,
            at_ms: now_ms(),
            body,
        }))
    }

    /// What a message of the archive says: like one that is heard, but for who said it.
    pub(super) fn archived_event(
        &self,
        state: &Room,
        room: &BareJid,
        (id, forwarded): (&str, &Element),
    ) -> Option<NativeEvent> {
        let message = forwarded.children().find(|child| child.name() == "message")?;
        let text = message.children().find(|child| child.name() == "body")?.text();
        let shown = message.get_child("x", ns::MUC_USER).and_then(|x| x.get_child("item", ns::MUC_USER));
        let shown = shown.and_then(|item| iq::bare(item.attr("jid")?));
        let nick = message.attr("from").and_then(|from| from.split_once('/')).map(|(_, nick)| nick);
        let there = || nick.and_then(|nick| state.occupants.get(nick)).and_then(|one| one.user.clone());
        let speaker = shown.or_else(there)?;
        let native = NativeUserId::from(speaker.as_str());
        self.names.localpart(&native)?;
        let delay: Vec<Element> =
            forwarded.children().filter(|child| child.is("delay", ns::DELAY)).cloned().collect();
        let event = event_of(state, room, native, NativeBody::Post(NestedPart::plain(&text)));
        Some(NativeEvent { id: id.into(), at_ms: said_at(&delay, |_| true), nonce: None, ..event })
    }
}

/// Says no to an invitation, through the room that hides who gave it.
fn decline(puppet: &Jid, room: &BareJid, inviter: &str, why: &str) -> Message {
    let reason = Element::builder("reason", ns::MUC_USER).append(why.to_owned()).build();
    let mut decline = iq::element("decline", ns::MUC_USER, &[("to", inviter)]);
    decline.append_child(reason);
    let mut message = Message::normal(Some(room.clone().into()));
    message.from = Some(puppet.clone());
    message.payloads.push(Element::builder("x", ns::MUC_USER).append(decline).build());
    message
}

fn new_topic(state: &mut Room, topic: &str) -> Option<NativeBody> {
    let topic = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
    if state.profile.topic == topic {
        return None;
    }
    state.profile.topic.clone_from(&topic);
    Some(NativeBody::Topic { topic })
}
