//! Coming into rooms.

use mimi_adapter::{Addresses, Outcome, RefusedCode};
use xmpp_parsers::jid::{BareJid, Jid};
use xmpp_parsers::message::MessageType;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza_error::DefinedCondition;

use super::iq;
use super::room::{Affiliation, Question};
use crate::failure;
use crate::limits::NICKS_MAX;
use crate::line::Awaited;
use crate::link::Link;
use crate::names::on_device;
use crate::stanza::{self, fresh_id, text};

pub(super) const HIDES: &str = "This room hides its members' addresses, so Drawbridge cannot tell who speaks, and leaves again. Make the \
                     room non-anonymous, or its user here an administrator, and invite once more.";

impl Link {
    /// Sees to it that one of ours is in a room, and that somebody listens there.
    pub(crate) async fn be_there(&self, room: &BareJid, who: &BareJid) -> Result<(), Outcome> {
        let _one_at_a_time = self.rooms.entering.lock().await;
        let has_listener = self.rooms.known(room, |room| room.listener.is_some());
        if !has_listener {
            let service = self.names.service();
            match self.begin_to_listen(room, &service).await {
                // Where only those who are invited may be, the invited one listens.
                Err(Outcome::Refused { code: RefusedCode::NotAllowed, .. }) if *who != service => {
                    self.begin_to_listen(room, who).await?;
                }
                listening => listening?,
            }
        }
        self.come_in(room, who).await
    }

    /// Comes in, and is the only one who does so now.
    pub(crate) async fn come_in_alone(&self, room: &BareJid, who: &BareJid) -> Result<(), Outcome> {
        let _one_at_a_time = self.rooms.entering.lock().await;
        self.come_in(room, who).await
    }

    /// Comes in as the one whose copies count; then what was missed is fetched, and who is there is told.
    pub(crate) async fn begin_to_listen(&self, room: &BareJid, who: &BareJid) -> Result<(), Outcome> {
        self.rooms.known(room, |room| room.listener = Some(who.clone()));
        if let Err(outcome) = self.come_in(room, who).await {
            self.rooms.with(room, |room| room.listener = None);
            return Err(outcome);
        }
        if self.rooms.with(room, |room| room.hides) == Some(true) {
            let message =
                text(MessageType::Groupchat, on_device(who), room.clone().into(), &fresh_id(), HIDES);
            self.line.send(message).await?;
            self.go(room, who).await?;
            self.rooms.forget(room);
            return Err(Outcome::refused(RefusedCode::NotAllowed, HIDES));
        }
        self.know_place_in_archive(room, who).await?;
        self.tell_members(room, who).await
    }

    /// Comes in under a nick that is free.
    pub(crate) async fn come_in(&self, room: &BareJid, who: &BareJid) -> Result<(), Outcome> {
        if self.rooms.with(room, |room| room.ours.contains_key(who)) == Some(true) {
            return Ok(());
        }
        let wanted = self.nick(who);
        for attempt in 1..=NICKS_MAX {
            let nick = if attempt == 1 { wanted.clone() } else { format!("{wanted} {attempt}") };
            let place = room.with_resource_str(&nick).map_err(|why| {
                Outcome::refused(RefusedCode::Malformed, format!("{nick} cannot be a nick: {why}"))
            })?;
            let waiting = self.line.await_(Awaited::Coming(room.clone(), who.clone()));
            let mut coming = Presence::available().with_from(on_device(who)).with_to(place);
            coming.payloads.push(iq::coming());
            self.line.send(coming).await?;
            match waiting.answer().await? {
                Ok(_) => return Ok(()),
                Err(no) if no.defined_condition == DefinedCondition::Conflict => {}
                Err(no) => return Err(failure::of_room(&no)),
            }
        }
        Err(Outcome::refused(RefusedCode::NotAllowed, format!("{NICKS_MAX} nicks like {wanted} are taken")))
    }

    /// Goes out of a room.
    pub(crate) async fn go(&self, room: &BareJid, who: &BareJid) -> Result<(), Outcome> {
        let Some(Some(nick)) = self.rooms.with(room, |room| room.ours.remove(who)) else { return Ok(()) };
        let to = room.with_resource_str(&nick).map_or_else(|_| Jid::from(room.clone()), Jid::from);
        self.line.send(Presence::new(Type::Unavailable).with_from(on_device(who)).with_to(to)).await
    }

    /// Asks who belongs to the room, there or not; with the answer to the last question all of them are told.
    async fn tell_members(&self, room: &BareJid, who: &BareJid) -> Result<(), Outcome> {
        let mut affiliated = Vec::new();
        for affiliation in [Affiliation::Owner, Affiliation::Admin, Affiliation::Member] {
            // Who may not know sees only who is there.
            if let Ok(Some(list)) = self.line.ask(iq::get(who, room, iq::affiliated(affiliation))).await? {
                let jids = list.children().filter_map(|item| BareJid::new(item.attr("jid")?).ok());
                affiliated.extend(jids.map(|jid| (jid, affiliation)));
            }
        }
        self.rooms.known(room, |room| room.affiliated.extend(affiliated));
        let question = stanza::ping(who, self.names.server());
        self.questions.ask(question.id(), Question::Members(room.clone()));
        self.line.ask(question).await.map(drop)
    }

    fn nick(&self, who: &BareJid) -> String {
        let user = self.names.behind_puppet(&who.as_str().into());
        let name = user.map_or_else(|| "Drawbridge".to_owned(), |user| self.called.name(&user));
        let name = name.trim().to_owned();
        // A name that no nick can have is the address instead.
        if who.with_resource_str(&name).is_ok() { name } else { who.to_string() }
    }
}

impl Link {
    /// Comes back into all rooms that we were in, after the connection was gone.
    pub(crate) async fn come_back(&self) {
        for room in self.rooms.all() {
            let listener = self.rooms.with(&room, |room| room.listened.clone());
            let Some(Some(listener)) = listener else { continue };
            if let Err(outcome) = self.be_there(&room, &listener).await {
                tracing::warn!(%room, ?outcome, "no way back into a room");
            }
        }
    }
}
