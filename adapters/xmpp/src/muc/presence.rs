//! Who comes, goes and changes in a room.

use mimi_adapter::{Addresses, GroupMember, NativeBody, NativeEvent, NativeUserId};
use tokio_xmpp::Stanza;
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::presence::{Presence, Type};

use super::room::{Affiliation, CatchingUp, Occupant, Room};
use super::{archive, iq};
use crate::event_id;
use crate::hear::Heard;
use crate::limits::ARCHIVE_PAGE_MAX;
use crate::line::Awaited;
use crate::link::Link;
use crate::stanza::{error_of, find, fresh_id, now_ms};

/// What a room says of somebody.
pub(super) struct Said {
    pub(super) user: Option<BareJid>,
    pub(super) affiliation: Affiliation,
    pub(super) role: Option<String>,
    pub(super) actor: Option<String>,
    new_nick: Option<String>,
    codes: Vec<String>,
}

impl Said {
    pub(super) fn read(payloads: &[Element]) -> Option<Self> {
        let x = find(payloads, "x", ns::MUC_USER)?;
        let item = x.get_child("item", ns::MUC_USER);
        let attribute = |name: &str| item.and_then(|item| item.attr(name)).map(str::to_owned);
        let actor = item.and_then(|item| item.get_child("actor", ns::MUC_USER));
        let codes = x.children().filter(|child| child.is("status", ns::MUC_USER));
        Some(Self {
            user: attribute("jid").and_then(|jid| iq::bare(&jid)),
            affiliation: Affiliation::read(attribute("affiliation").as_deref()),
            role: attribute("role"),
            actor: actor.and_then(|actor| actor.attr("nick")).map(str::to_owned),
            new_nick: attribute("nick"),
            codes: codes.filter_map(|code| code.attr("code").map(str::to_owned)).collect(),
        })
    }

    pub(super) fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|has| has == code)
    }

    /// Whether the room shows addresses to whom it says this of himself.
    fn shows_addresses(&self) -> bool {
        self.has("100")
            || matches!(self.affiliation, Affiliation::Owner | Affiliation::Admin)
            || self.role.as_deref() == Some("moderator")
    }
}

impl Link {
    /// Takes a presence if it is one of a room.
    pub(crate) fn hear_of_room(&self, heard: &Presence) -> Option<Heard> {
        let (from, to) = (heard.from.as_ref()?, heard.to.as_ref()?.to_bare());
        let (room, nick) = (from.to_bare(), from.resource()?.as_str().to_owned());
        if heard.type_ == Type::Error {
            let key = Awaited::Coming(room, to);
            return self.line.answered(&key, Err(Box::new(error_of(&heard.payloads)))).then(Heard::default);
        }
        let said = Said::read(&heard.payloads)?;
        let is_there = match heard.type_ {
            Type::None => true,
            Type::Unavailable => false,
            _ => return None,
        };
        self.rooms.with(&room, |state| {
            let is_self = said.has("110");
            if is_self && is_there {
                return self.have_come(state, &room, (&to, nick), &said);
            }
            let mut heard = Heard::default();
            if state.listener.as_ref() == Some(&to) {
                let happened = if is_there {
                    self.is_there(state, nick.clone(), &said)
                } else {
                    self.is_gone(state, &nick, &said)
                };
                heard.events.extend(happened.map(|(by, body)| event_of(state, &room, by, body)));
            }
            if is_self && !said.has("303") {
                state.ours.remove(&to);
                if state.listener.as_ref() == Some(&to) {
                    state.listener = None;
                }
            }
            heard
        })
    }

    /// One of ours has come in.
    fn have_come(
        &self,
        state: &mut Room,
        room: &BareJid,
        (who, nick): (&BareJid, String),
        said: &Said,
    ) -> Heard {
        let mut heard = Heard::default();
        let occupant = Occupant { user: Some(who.clone()), affiliation: said.affiliation };
        state.occupants.insert(nick.clone(), occupant);
        let is_new = state.ours.insert(who.clone(), nick).is_none();
        if state.listener.as_ref() == Some(who) && is_new {
            state.hides = !said.shows_addresses();
            if let Some(last) = &state.last {
                let query = fresh_id();
                let asked = iq::archive(&query, last, ARCHIVE_PAGE_MAX);
                heard.now.push(Stanza::from(archive::question(who, room, &query, asked)));
                state.catching_up = Some(CatchingUp { query, held: vec![] });
            }
        }
        self.line.answered(&Awaited::Coming(room.clone(), who.clone()), Ok(None));
        heard
    }

    /// Somebody is there, newly or otherwise than before.
    fn is_there(&self, state: &mut Room, nick: String, said: &Said) -> Option<(NativeUserId, NativeBody)> {
        let now = Occupant { user: said.user.clone(), affiliation: said.affiliation };
        let before = state.occupants.insert(nick, now);
        let user = said.user.clone()?;
        let was = state.affiliated.insert(user.clone(), said.affiliation);
        // Until all who are there have been told at once nobody is told singly.
        let is_listening = state.listener.as_ref().is_some_and(|who| state.ours.contains_key(who));
        if !is_listening || !self.is_somebody(&user) {
            return None;
        }
        let native = NativeUserId::from(user.as_str());
        let by = actor(state, said).unwrap_or_else(|| native.clone());
        if state.told.insert(user) {
            return Some((native.clone(), NativeBody::Joined { user: native }));
        }
        let before = before.map(|before| before.affiliation).or(was)?;
        let role = said.affiliation.role();
        (before.role() != role).then_some((by, NativeBody::Role { user: native, role }))
    }

    /// Somebody went away: for good, or only from his device.
    fn is_gone(&self, state: &mut Room, nick: &str, said: &Said) -> Option<(NativeUserId, NativeBody)> {
        let occupant = state.occupants.remove(nick)?;
        if said.has("303") {
            state.occupants.insert(said.new_nick.clone()?, occupant);
            return None;
        }
        let user = said.user.clone().or(occupant.user)?;
        // He may be there with another device, under another nick.
        let is_still_there = state.occupants.values().any(|other| other.user.as_ref() == Some(&user));
        self.changed(state, &user, said, is_still_there)
    }

    /// What a change of somebody's standing means, who is there or not.
    pub(super) fn changed(
        &self,
        state: &mut Room,
        user: &BareJid,
        said: &Said,
        is_still_there: bool,
    ) -> Option<(NativeUserId, NativeBody)> {
        let was = state.affiliated.insert(user.clone(), said.affiliation);
        let native = NativeUserId::from(user.as_str());
        let by = actor(state, said).unwrap_or_else(|| native.clone());
        if !self.is_somebody(user) {
            return None;
        }
        if said.affiliation == Affiliation::Outcast {
            state.told.remove(user);
            return Some((by, NativeBody::Banned { user: native }));
        }
        if was == Some(Affiliation::Outcast) {
            return Some((by, NativeBody::Unbanned { user: native }));
        }
        let is_out = !said.affiliation.is_lasting() && !is_still_there || said.has("307");
        if is_out && (state.told.remove(user) || was.is_some_and(Affiliation::is_lasting)) {
            return Some((by, NativeBody::Left { user: native }));
        }
        None
    }

    /// A user of ours, native or puppet; not the gateway itself.
    fn is_somebody(&self, user: &BareJid) -> bool {
        let native = NativeUserId::from(user.as_str());
        self.names.behind_puppet(&native).is_some() || self.names.localpart(&native).is_some()
    }

    /// Everybody who belongs to the room or is there.
    pub(crate) fn members(&self, room: &BareJid) -> Heard {
        let event = self.rooms.with(room, |state| {
            let mut all = state.affiliated.clone();
            for occupant in state.occupants.values() {
                all.extend(occupant.user.clone().map(|user| (user, occupant.affiliation)));
            }
            let is_there =
                |user: &BareJid| state.occupants.values().any(|one| one.user.as_ref() == Some(user));
            let present: Vec<(BareJid, Affiliation)> = all
                .into_iter()
                .filter(|(user, standing)| {
                    self.is_somebody(user) && (standing.is_lasting() || is_there(user))
                })
                .collect();
            let member = |(user, affiliation): &(BareJid, Affiliation)| GroupMember {
                user: user.as_str().into(),
                display_name: None,
                role: affiliation.role(),
            };
            let members = present.iter().map(member).collect();
            state.told.extend(present.into_iter().filter(|(user, _)| is_there(user)).map(|(user, _)| user));
            event_of(state, room, self.names.service().as_str().into(), NativeBody::Members(members))
        });
        Heard { events: event.into_iter().collect(), ..Heard::default() }
    }
}

/// Who did it, if the room says so.
fn actor(state: &Room, said: &Said) -> Option<NativeUserId> {
    let occupant = state.occupants.get(said.actor.as_ref()?)?;
    occupant.user.as_ref().map(|user| user.as_str().into())
}

/// An event of a room. What one of ours did is the echo of what is being done.
pub(super) fn event_of(state: &Room, room: &BareJid, from: NativeUserId, body: NativeBody) -> NativeEvent {
    let is_ours = state.ours.keys().any(|ours| ours.as_str() == from.as_str());
    NativeEvent {
        lane: room.as_str().into(),
        id: event_id::once(),
        nonce: state.doing.clone().filter(|_| is_ours),
        from,
        display_name: None,
        at_ms: now_ms(),
        body,
    }
}
