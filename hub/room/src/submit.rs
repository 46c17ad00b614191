//! `submitMessage`: an application message (A5). The hot path: nothing here looks at the group.

use mimi_mls::{ContentType, MessageKind, MlsMessage, SafeAad};
use mimi_room_policy::components::ComponentsList;
use mimi_room_policy::{ComponentId, can_send};
use mimi_uri::Domain;
use mimi_wire::{FanoutEvent, ServerFrankingContext, SubmitMessageRequest, SubmitMessageResponse, Timestamp};

use crate::effects::{Audience, Decision, Effects, RoomEvent};
use crate::facts::HubFacts;
use crate::franking;
use crate::header::Header;
use crate::limits::MESSAGE_LENGTH_MAX;
use crate::refusal::{Reason, Refusal};
use crate::room::{Room, Verdict};

impl Room {
    /// Decides whether an application message enters the room.
    pub fn submit(
        &mut self,
        hub: &HubFacts,
        provider: &Domain,
        request: &SubmitMessageRequest,
        now: Timestamp,
    ) -> Verdict<SubmitMessageResponse> {
        let SubmitMessageRequest { app_message: message, sending_user: sender } = request;
        // G2: a provider speaks for its own users.
        if sender.domain() != provider {
            return Err(Reason::NotThatProvider.into());
        }
        self.header.check_message(message)?;
        // PM11: a participant that was removed or banned sends nothing more.
        can_send(&self.header.policy, &self.header.roster, sender)?;
        self.header.check_epoch(request)?;
        let safe_aad = self.header.safe_aad(message)?;
        let tag = franking::tag(&self.header.policy, &hub.franking, safe_aad.as_ref())?;

        let (seq, accepted) = self.head.take_next(now);
        let frank = tag.map(|tag| {
            let (sender, room) = (sender.clone(), self.header.uri.clone());
            let context = ServerFrankingContext { sender, room, accepted_timestamp: accepted };
            franking::frank(&hub.franking, tag, context)
        });
        let event = FanoutEvent::Application { message: message.clone(), frank: frank.clone() };
        let event = RoomEvent::new((seq, accepted), Audience::Everyone, event);
        Ok(Decision {
            answer: SubmitMessageResponse::Accepted { accepted, frank },
            effects: Effects { events: vec![event], ..Effects::default() },
        })
    }
}

impl Header {
    fn check_message(&self, message: &MlsMessage) -> Result<(), Reason> {
        // A5: "an MLSMessage with a WireFormat of PrivateMessage, and a content_type of application".
        if message.kind() != MessageKind::Private(ContentType::Application) {
            return Err(Reason::NotAnApplicationMessage);
        }
        if message.as_bytes().len() > MESSAGE_LENGTH_MAX {
            return Err(Reason::MessageTooLong);
        }
        if message.group_id() != Some(self.group_id.as_bytes()) {
            return Err(Reason::OtherGroup);
        }
        Ok(())
    }

    fn check_epoch(&self, request: &SubmitMessageRequest) -> Result<(), Refusal> {
        let epoch = request.app_message.epoch().ok_or(Reason::NotAnApplicationMessage)?;
        // A5: "nonsensical inputs such as an MLS epoch more recent than the hub's".
        if epoch > self.epoch {
            return Err(Reason::EpochNotBegun(epoch).into());
        }
        if epoch < self.oldest_epoch() {
            return Err(Refusal::EpochTooOld { current: self.epoch });
        }
        if !self.past.was_active(&request.sending_user, epoch) {
            return Err(Reason::NotActiveThen(epoch).into());
        }
        Ok(())
    }

    /// EM6: where the room demands a `SafeAAD`, the authenticated data is one, of components that it or we know.
    fn safe_aad(&self, message: &MlsMessage) -> Result<Option<SafeAad>, Reason> {
        let Some(demanded) = self.policy.component(ComponentId::SAFE_AAD) else { return Ok(None) };
        let safe_aad = SafeAad::decode(message.authenticated_data().unwrap_or_default())?;
        let demanded = ComponentsList::decode(demanded).unwrap_or_default().component_ids;
        let mut components = safe_aad.items().iter().map(|item| item.component);
        match components.find(|it| !demanded.contains(it) && ComponentId(*it).name().is_none()) {
            Some(unknown) => Err(Reason::UnknownAad(unknown)),
            None => Ok(Some(safe_aad)),
        }
    }
}
