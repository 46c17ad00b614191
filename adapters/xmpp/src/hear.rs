//! From stanzas to events.

use mimi_adapter::{Addresses, NativeBody, NativeEvent, NativeEventId, NativeRoomId, NativeUserId, Receipt};
use mimi_content::NestedPart;
use tokio_xmpp::Stanza;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::Jid;
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::ns;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

use crate::answers::answer;
use crate::event_id;
use crate::line::{Answer, Awaited};
use crate::link::Link;
use crate::names::direct_chat;
use crate::stanza::{error_of, find, message_error, nick_of, no, presence, receipt, said_at, text_of};

/// What a stanza leads to.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// What is to be stored.
    pub(crate) events: Vec<NativeEvent>,
    /// What is said once it is.
    pub(crate) then: Vec<Stanza>,
    /// What is said at once.
    pub(crate) now: Vec<Stanza>,
    /// How far a room was heard: its note, to be kept once this is stored.
    pub(crate) mark: Option<(String, String)>,
}

/// Two people who can have a chat, as a stanza names them.
struct Pair {
    user: NativeUserId,
    puppet: NativeUserId,
    room: NativeRoomId,
    from: Jid,
    to: Jid,
}

const ENCRYPTED: &str = "this chat is encrypted on the XMPP side; Drawbridge cannot read it";

impl Link {
    /// Takes a stanza. Answers go to those who wait for them, everything else is told.
    pub(crate) fn hear(&self, stanza: Stanza) -> Heard {
        match stanza {
            Stanza::Message(message) => self.hear_message(&message),
            Stanza::Presence(presence) => self.hear_presence(&presence),
            Stanza::Iq(Iq::Result { id, payload, .. }) => self.hear_answer(id, Ok(payload)),
            Stanza::Iq(Iq::Error { id, error, .. }) => self.hear_answer(id, Err(Box::new(error))),
            Stanza::Iq(request) => Heard::reply(answer(self, request)),
        }
    }

    fn hear_answer(&self, id: String, answer: Answer) -> Heard {
        let heard = self.hear_of_room_answer(&id, &answer).unwrap_or_default();
        self.line.answered(&Awaited::Iq(id), answer);
        heard
    }

    fn hear_message(&self, message: &Message) -> Heard {
        if message.type_ == MessageType::Error {
            return self.hear_error(message);
        }
        if let Some(heard) = self.hear_in_room(message) {
            return heard;
        }
        let pair = match self.pair(message.from.as_ref(), message.to.as_ref()) {
            Ok(pair) => pair,
            Err(error) => return refusal(message, *error),
        };
        let told = [
            ("received", ns::RECEIPTS, Receipt::Delivered),
            ("displayed", ns::DISPLAYED_MARKERS, Receipt::Read),
        ];
        for (name, namespace, kind) in told {
            if let Some(id) = find(&message.payloads, name, namespace).and_then(|told| told.attr("id")) {
                return Heard::event(pair.receipt(id, kind));
            }
        }
        if find(&message.payloads, "x", ns::MUC_USER).is_some() {
            let text = "puppets cannot be spoken to in private through a room; write to their own addresses";
            return refusal(message, no(ErrorType::Cancel, DefinedCondition::NotAcceptable, text));
        }
        let encrypted = find(&message.payloads, "encryption", ns::EME)
            .or_else(|| find(&message.payloads, "encrypted", ns::LEGACY_OMEMO));
        match (encrypted, text_of(message)) {
            (Some(_), _) => self.said(message, &pair, NativeBody::Gap { reason: ENCRYPTED.to_owned() }),
            (None, Some(text)) => self.said(message, &pair, NativeBody::Post(NestedPart::plain(text))),
            // A sign of typing, or something else without words.
            (None, None) => Heard::default(),
        }
    }

    /// Somebody said something; if his chat is not known to be open, this opens it.
    fn said(&self, message: &Message, pair: &Pair, body: NativeBody) -> Heard {
        let id = event_id::of_message(message);
        let at_ms = said_at(&message.payloads, |from| self.may_know_the_time(from, &pair.from));
        let mut heard = Heard::default();
        if self.open.open(&pair.room) {
            let invitation = NativeBody::DirectInvite { puppet: pair.puppet.clone() };
            heard.events.push(pair.event(event_id::of_invitation(&id), at_ms, invitation));
        }
        self.open.spoken_from(&pair.room, &pair.from);
        let event = pair.event(id, at_ms, body);
        heard.events.push(NativeEvent { display_name: nick_of(&message.payloads), ..event });
        let wanted = find(&message.payloads, "request", ns::RECEIPTS);
        if let (Some(_), Some(id)) = (wanted, &message.id) {
            let (from, to) = (pair.to.to_bare().into(), pair.from.clone());
            heard.then.push(receipt(from, to, &id.0, message.type_.clone()).into());
        }
        heard
    }

    /// A no to something of ours.
    fn hear_error(&self, message: &Message) -> Heard {
        let error = error_of(&message.payloads);
        if let Some(id) = &message.id {
            let condition = error.defined_condition.clone();
            if !self.line.answered(&Awaited::Message(id.0.clone()), Err(Box::new(error))) {
                tracing::debug!(?condition, "a message came back that nobody waits for");
            }
        }
        Heard::default()
    }

    fn hear_presence(&self, heard: &Presence) -> Heard {
        if let Some(heard) = self.hear_of_room(heard) {
            return heard;
        }
        let kind = heard.type_.clone();
        let is_asking = matches!(kind, Type::Subscribe | Type::Probe);
        let Ok(pair) = self.pair(heard.from.as_ref(), heard.to.as_ref()) else {
            return match (&heard.from, &heard.to) {
                (Some(from), Some(to)) if is_asking => Heard::reply(presence(
                    Type::Unsubscribed,
                    to.to_bare().into(),
                    from.to_bare().into(),
                    None,
                )),
                _ => Heard::default(),
            };
        };
        match kind {
            Type::Subscribe => {
                self.open.open(&pair.room);
                let event = pair.once(NativeBody::DirectInvite { puppet: pair.puppet.clone() });
                Heard::event(NativeEvent { display_name: nick_of(&heard.payloads), ..event })
            }
            Type::Subscribed => {
                self.open.open(&pair.room);
                Heard::event(pair.once(NativeBody::Joined { user: pair.user.clone() }))
            }
            Type::Unsubscribe | Type::Unsubscribed => {
                self.open.close(&pair.room);
                let mut left = Heard::event(pair.once(NativeBody::Left { user: pair.user.clone() }));
                if kind == Type::Unsubscribe {
                    let (from, to) = (pair.to.to_bare().into(), pair.from.to_bare().into());
                    left.then.push(presence(Type::Unsubscribed, from, to, None).into());
                }
                left
            }
            Type::Probe => {
                let name = self.name_of(&pair.puppet);
                let (from, to) = (pair.to.to_bare().into(), pair.from.clone());
                Heard::reply(presence(Type::None, from, to, name.as_deref()))
            }
            Type::None | Type::Unavailable | Type::Error => Heard::default(),
        }
    }

    /// Who speaks to which puppet, or why that cannot be.
    fn pair(&self, from: Option<&Jid>, to: Option<&Jid>) -> Result<Pair, Box<StanzaError>> {
        let (Some(from), Some(to)) = (from, to) else {
            return Err(Box::new(no(
                ErrorType::Modify,
                DefinedCondition::BadRequest,
                "from and to are needed",
            )));
        };
        let puppet = NativeUserId::from(to.to_bare().as_str());
        if self.names.behind_puppet(&puppet).is_none() {
            let text = r"nobody can have this address; it is written user\40domain";
            return Err(Box::new(no(ErrorType::Cancel, DefinedCondition::ItemNotFound, text)));
        }
        let Some(user) = self.names.hostable(from) else {
            let text = format!("only the users of {} can speak through this gateway", self.names.server());
            return Err(Box::new(no(ErrorType::Cancel, DefinedCondition::NotAllowed, &text)));
        };
        let room = direct_chat(&user, &puppet);
        Ok(Pair { user, puppet, room, from: from.clone(), to: to.clone() })
    }

    /// Our server, and the sender's own account, may say that a message was delayed.
    fn may_know_the_time(&self, witness: &Jid, sender: &Jid) -> bool {
        witness.domain() == self.names.server().domain() || witness.to_bare() == sender.to_bare()
    }
}

impl Pair {
    fn event(&self, id: NativeEventId, at_ms: u64, body: NativeBody) -> NativeEvent {
        NativeEvent {
            lane: self.room.clone(),
            id,
            nonce: None,
            from: self.user.clone(),
            display_name: None,
            at_ms,
            body,
        }
    }

    fn once(&self, body: NativeBody) -> NativeEvent {
        self.event(event_id::once(), crate::stanza::now_ms(), body)
    }

    fn receipt(&self, id: &str, receipt: Receipt) -> NativeEvent {
        let event = NativeEventId::from(id);
        let body = NativeBody::Receipt { event: event.clone(), receipt };
        self.event(event_id::of_receipt(&event, receipt), crate::stanza::now_ms(), body)
    }
}

impl Heard {
    pub(crate) fn event(event: NativeEvent) -> Self {
        Self { events: vec![event], ..Self::default() }
    }

    pub(crate) fn reply(stanza: impl Into<Stanza>) -> Self {
        Self { now: vec![stanza.into()], ..Self::default() }
    }

    /// Whether there is nothing to store, and nothing that waits for that.
    pub(crate) fn is_nothing_to_store(&self) -> bool {
        self.events.is_empty() && self.then.is_empty() && self.mark.is_none()
    }

    /// What comes behind this.
    pub(crate) fn append(&mut self, next: Self) {
        self.events.extend(next.events);
        self.then.extend(next.then);
        self.now.extend(next.now);
        self.mark = next.mark.or(self.mark.take());
    }
}

/// Sends a message back. What has no words is not worth a no.
fn refusal(message: &Message, error: StanzaError) -> Heard {
    match (&message.from, &message.to, text_of(message)) {
        (Some(from), Some(to), Some(_)) if message.type_ != MessageType::Groupchat => {
            let id = message.id.as_ref().map_or("", |id| id.0.as_str());
            Heard::reply(message_error(to.clone(), from.clone(), id, error))
        }
        _ => Heard::default(),
    }
}

#[cfg(test)]
mod tests;
