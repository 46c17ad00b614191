//! Speaking in rooms.

use mimi_adapter::{Delivery, Outcome, RefusedCode, Speaker};
use xmpp_parsers::jid::BareJid;
use xmpp_parsers::message::{Id, Lang, Message, MessageType};
use xmpp_parsers::stanza_id::OriginId;

use crate::failure;
use crate::limits::TEXT_BYTES_MAX;
use crate::line::{Answer, Awaited};
use crate::link::Link;
use crate::names::on_device;
use crate::stanza::text;

impl Link {
    /// Says something; done when the room reflects it.
    pub(crate) async fn say_in_room(
        &self,
        delivery: &Delivery,
        room: &BareJid,
        body: &str,
    ) -> Result<Outcome, Outcome> {
        if body.len() > TEXT_BYTES_MAX {
            let why = format!("{} bytes; {TEXT_BYTES_MAX} fit", body.len());
            return Err(Outcome::refused(RefusedCode::TooLarge, why));
        }
        let who = self.speaker(delivery)?;
        self.be_there(room, &who).await?;
        let may_repeat = self.rooms.with(room, |state| !state.has_spoken) != Some(false);
        if (delivery.attempt > 0 || may_repeat)
            && let Some(event) = self.said_before(room, &who, &delivery.op_id).await?
        {
            return Ok(Outcome::done_as(event));
        }
        let id = delivery.op_id.as_str();
        let message = text(MessageType::Groupchat, on_device(&who), room.clone().into(), id, body);
        let given = self.reflected(delivery, message).await?;
        self.rooms.with(room, |state| state.has_spoken = true);
        let event = given.map_err(|no| failure::of_room(&no))?;
        let event = event.and_then(|given| given.attr("id").map(str::to_owned));
        Ok(Outcome::done_as(event.unwrap_or_else(|| id.to_owned()).into()))
    }

    /// Gives a room another topic.
    pub(crate) async fn set_topic(
        &self,
        delivery: &Delivery,
        room: &BareJid,
        topic: Option<&str>,
    ) -> Result<Outcome, Outcome> {
        let who = self.names.service();
        self.be_there(room, &who).await?;
        let mut message = Message::groupchat(Some(room.clone().into()));
        message.from = Some(on_device(&who));
        message.subjects.insert(Lang::new(), topic.unwrap_or_default().to_owned());
        let (is_set, refused) = (
            self.line.await_(Awaited::Topic(room.clone())),
            self.line.await_(Awaited::Message(delivery.op_id.as_str().to_owned())),
        );
        message.id = Some(Id(delivery.op_id.as_str().to_owned()));
        self.line.send(message).await?;
        let answer = tokio::select! {
            answer = is_set.answer() => answer,
            answer = refused.answer() => answer,
        };
        answer?.map_err(|no| failure::of_room(&no))?;
        self.rooms.with(room, |state| state.profile.topic = topic.map(str::to_owned));
        Ok(Outcome::done())
    }

    /// Sends a message under the operation's id, and waits for the room to send it to everybody.
    async fn reflected(&self, delivery: &Delivery, mut message: Message) -> Result<Answer, Outcome> {
        let id = delivery.op_id.as_str().to_owned();
        message.id = Some(Id(id.clone()));
        message.payloads.push(OriginId { id: id.clone() }.into());
        let reflection = self.line.await_(Awaited::Message(id));
        self.line.send(message).await?;
        reflection.answer().await
    }

    pub(crate) fn speaker(&self, delivery: &Delivery) -> Result<BareJid, Outcome> {
        match &delivery.speaker {
            Speaker::Puppet(user) => self.puppet(user),
            Speaker::Service => Ok(self.names.service()),
        }
    }
}
