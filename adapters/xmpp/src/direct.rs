//! Direct chats, outwards.

use mimi_adapter::{
    Delivery, NativeEventId, NativeUserId, Outcome, Progress, Receipt, RefusedCode, Speaker, Unnameable,
};
use mimi_uri::UserUri;
use xmpp_parsers::displayed_markers::{Displayed, Markable};
use xmpp_parsers::jid::{BareJid, Jid};
use xmpp_parsers::message::{Id, Message, MessageType};
use xmpp_parsers::presence::Type;
use xmpp_parsers::receipts;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType};
use xmpp_parsers::stanza_id::OriginId;

use crate::limits::TEXT_BYTES_MAX;
use crate::line::Awaited;
use crate::link::Link;
use crate::names::{direct_chat, on_device, people_of};
use crate::stanza::{fresh_id, message_error, no, ping, presence, text};
use crate::{event_id, failure};

/// Who acts towards whom.
struct Chat {
    speaker: BareJid,
    user: BareJid,
}

impl Link {
    /// Says something; done when the user's server has worked off a ping that was sent behind it.
    pub(crate) async fn say(&self, delivery: &Delivery, body: &str) -> Result<Outcome, Outcome> {
        let chat = self.chat(delivery)?;
        if body.len() > TEXT_BYTES_MAX {
            let why = format!("{} bytes; {TEXT_BYTES_MAX} fit", body.len());
            return Err(Outcome::refused(RefusedCode::TooLarge, why));
        }
        let id = delivery.op_id.as_str();
        let mut message =
            text(MessageType::Chat, on_device(&chat.speaker), chat.user.clone().into(), id, body);
        message.payloads.push(OriginId { id: id.to_owned() }.into());
        message.payloads.push(receipts::Request.into());
        message.payloads.push(Markable.into());
        let refusal = self.line.await_(Awaited::Message(id.to_owned()));
        self.line.send(message).await?;
        self.worked_off(&chat.speaker, &chat.user).await?;
        match refusal.answer_so_far() {
            Some(Err(error)) => Err(failure::outcome_of(&error)),
            Some(Ok(_)) | None => Ok(Outcome::done_as(event_id::of_operation(&delivery.op_id))),
        }
    }

    /// Asks the user for a subscription, as people do who want to talk. What is said before he answers arrives all the
    /// same.
    pub(crate) async fn open_direct(
        &self,
        puppet: &UserUri,
        with: &NativeUserId,
    ) -> Result<Outcome, Outcome> {
        let speaker = self.puppet(puppet)?;
        let unknown = || Outcome::refused(RefusedCode::UnknownUser, format!("{with} is nobody here"));
        let user = BareJid::new(with.as_str()).map_err(|_| unknown())?;
        if self.names.hostable(&user.clone().into()).is_none() {
            return Err(unknown());
        }
        let room = direct_chat(with, &speaker.as_str().into());
        self.open.open(&room);
        self.show_presence(Type::Subscribe, &Chat { speaker: speaker.clone(), user: user.clone() }).await?;
        self.worked_off(&speaker, &user).await?;
        Ok(Outcome::done_in(room))
    }

    /// Grants the subscription that the user asked for, and is there. If he never asked, nothing happens.
    pub(crate) async fn accept(&self, delivery: &Delivery, puppet: &UserUri) -> Result<Outcome, Outcome> {
        let chat = Chat { speaker: self.puppet(puppet)?, ..self.chat(delivery)? };
        for kind in [Type::Subscribed, Type::None] {
            self.show_presence(kind, &chat).await?;
        }
        self.worked_off(&chat.speaker, &chat.user).await?;
        Ok(Outcome::done())
    }

    /// Ends both subscriptions.
    pub(crate) async fn leave(&self, delivery: &Delivery, user: &UserUri) -> Result<Outcome, Outcome> {
        let chat = Chat { speaker: self.puppet(user)?, ..self.chat(delivery)? };
        self.open.close(&direct_chat(&chat.user.as_str().into(), &chat.speaker.as_str().into()));
        for kind in [Type::Unavailable, Type::Unsubscribed, Type::Unsubscribe] {
            self.show_presence(kind, &chat).await?;
        }
        self.worked_off(&chat.speaker, &chat.user).await?;
        Ok(Outcome::done())
    }

    /// Shows the user how far his message has come, as far as XMPP has a sign for it. That it arrived he knows by the
    /// receipt that he got when it was stored.
    pub(crate) async fn show(
        &self,
        delivery: &Delivery,
        event: &NativeEventId,
        progress: &Progress,
    ) -> Result<Outcome, Outcome> {
        let chat = self.chat(delivery)?;
        let Some(id) = event_id::message_id(event) else { return Ok(Outcome::done()) };
        let message = match progress {
            Progress::Waiting { .. } | Progress::Accepted | Progress::Received(Receipt::Delivered) => {
                return Ok(Outcome::done());
            }
            Progress::Received(Receipt::Read) => {
                let mut sign = Message::chat(Some(chat.user.clone().into()));
                sign.from = Some(on_device(&chat.speaker));
                sign.id = Some(Id(fresh_id()));
                sign.payloads.push(Displayed { id: Id(id) }.into());
                sign
            }
            Progress::Refused { why } => self.not_delivered(delivery, &chat, &id, why),
        };
        self.line.send(message).await?;
        self.worked_off(&chat.speaker, &chat.user).await?;
        Ok(Outcome::done())
    }

    /// The message as it comes back, to the device that sent it; servers drop an error that is for no device. If the
    /// device is not known any more, it is words.
    fn not_delivered(&self, delivery: &Delivery, chat: &Chat, id: &str, why: &str) -> Message {
        let device = delivery.room.as_ref().and_then(|room| self.open.device(room));
        let from = on_device(&chat.speaker);
        if let Some(device) = device {
            let error = no(ErrorType::Cancel, DefinedCondition::RecipientUnavailable, why);
            return message_error(from, device, id, error);
        }
        text(MessageType::Chat, from, chat.user.clone().into(), delivery.op_id.as_str(), why)
    }

    /// Waits until the user's server has worked off what was sent to it so far.
    async fn worked_off(&self, speaker: &BareJid, user: &BareJid) -> Result<(), Outcome> {
        self.line.prove(ping(speaker, &BareJid::from_parts(None, user.domain()))).await
    }

    async fn show_presence(&self, kind: Type, chat: &Chat) -> Result<(), Outcome> {
        let name = self.name_of(&chat.speaker.as_str().into());
        // Presence is a device's, a subscription a user's.
        let from: Jid = match kind {
            Type::None | Type::Unavailable => on_device(&chat.speaker),
            Type::Error
            | Type::Probe
            | Type::Subscribe
            | Type::Subscribed
            | Type::Unsubscribe
            | Type::Unsubscribed => chat.speaker.clone().into(),
        };
        self.line.send(presence(kind, from, chat.user.clone().into(), name.as_deref())).await
    }

    fn chat(&self, delivery: &Delivery) -> Result<Chat, Outcome> {
        let malformed = |why: &str| Outcome::refused(RefusedCode::Malformed, why);
        let room = delivery.room.as_ref().ok_or_else(|| malformed("the operation needs a room"))?;
        let unknown = || Outcome::refused(RefusedCode::UnknownRoom, format!("{room} is no direct chat"));
        let (user, _) = people_of(room).ok_or_else(unknown)?;
        let speaker = match &delivery.speaker {
            Speaker::Puppet(speaker) => self.puppet(speaker)?,
            Speaker::Service => self.names.service(),
        };
        Ok(Chat { speaker, user })
    }

    pub(crate) fn puppet(&self, user: &UserUri) -> Result<BareJid, Outcome> {
        self.names
            .puppet_jid(user)
            .map_err(|why: Unnameable| Outcome::refused(RefusedCode::Unnameable, why.to_string()))
    }
}
