use std::sync::Arc;

use async_trait::async_trait;
use mimi_adapter::{
    Addresses, Delivery, Host, NativeUserId, OpId, Operation, Outcome, RefusedCode, Session, SessionStatus,
    Speaker, Unnameable,
};
use mimi_uri::UserUri;
use ruma::api::client::membership::leave_room;
use ruma::api::client::message::send_message_event;
use ruma::api::error::ErrorKind;
use ruma::events::room::member::MembershipState;
use ruma::events::room::message::RoomMessageEventContent;
use ruma::{OwnedRoomId, OwnedUserId, RoomId, UserId};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::direct::{Opening, membership};
use crate::forgotten::Forgotten;
use crate::homeserver::{Acting, CallFault, Homeserver};
use crate::joining::Joining;
use crate::limits::CLOSE_TIME_MAX;
use crate::puppet::{Puppets, name, user_id};
use crate::repeat::{Spoken, said_before};
use crate::sequence::Sequence;
use crate::{MatrixNames, post};

/// What both directions share.
pub(crate) struct Link {
    pub(crate) names: MatrixNames,
    pub(crate) prefix: String,
    pub(crate) bot: OwnedUserId,
    pub(crate) id: String,
    pub(crate) hs_token: String,
    pub(crate) homeserver: Homeserver,
    pub(crate) puppets: Puppets,
    pub(crate) spoken: Spoken,
    pub(crate) joining: Joining,
    pub(crate) sequence: Sequence,
    pub(crate) forgotten: Forgotten,
    pub(crate) host: Arc<dyn Host>,
    /// Rings when the homeserver may have given us up.
    pub(crate) doubt: Notify,
}

/// An open application service.
pub(crate) struct MatrixSession {
    pub(crate) link: Arc<Link>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// A session that is dropped without being closed stops too.
    pub(crate) _stop_when_dropped: DropGuard,
}

#[async_trait]
impl Session for MatrixSession {
    async fn deliver(&self, delivery: Delivery) -> Outcome {
        let outcome = self.link.do_and_note(&delivery).await.unwrap_or_else(|outcome| outcome);
        if matches!(outcome, Outcome::Broken { .. }) {
            self.link.doubt.notify_one();
        }
        outcome
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        // What takes longer is not acknowledged, so the homeserver tells it again.
        tokio::time::timeout(CLOSE_TIME_MAX, self.tasks.wait()).await.ok();
        self.link.host.status(SessionStatus::Closed);
    }
}

impl Link {
    async fn do_and_note(&self, delivery: &Delivery) -> Result<Outcome, Outcome> {
        let outcome = self.act(delivery).await?;
        self.note_reader(delivery, &outcome).await?;
        Ok(outcome)
    }

    /// Does one operation; both arms are what is answered, so that `?` may end it.
    async fn act(&self, delivery: &Delivery) -> Result<Outcome, Outcome> {
        match &delivery.operation {
            Operation::EnsurePuppet(profile) => {
                let puppet = self.puppet(&profile.user).await?;
                if let Some(called) = &profile.display_name {
                    name(&self.homeserver, &puppet, called).await?;
                }
                Ok(Outcome::done())
            }
            Operation::OpenDirect { puppet, with } => {
                let (puppet, with) = (self.puppet(puppet).await?, user_id(with)?);
                self.open(&delivery.op_id, &puppet, &with).await
            }
            Operation::AcceptInvite { puppet } => {
                let (puppet, room) = (self.puppet(puppet).await?, room_of(delivery)?);
                let outcome = self.come(&puppet, &room).await?;
                let _one_at_a_time = self.joining.order.lock().await;
                self.tell_members(delivery, &puppet).await?;
                Ok(outcome)
            }
            Operation::OpenGroup { group, invite } => self.open_group(delivery, group, invite).await,
            Operation::Invite { .. }
            | Operation::Enter { .. }
            | Operation::Remove { .. }
            | Operation::Ban { .. }
            | Operation::Unban { .. }
            | Operation::SetRole { .. }
            | Operation::Rename(_)
            | Operation::SetTopic(_) => self.in_group(delivery).await,
            Operation::ShowProgress { event, progress } => {
                let shown = (self.speaker(delivery).await?, room_of(delivery)?);
                self.show(delivery, (&shown.0, shown.1), (event, progress)).await
            }
            Operation::Post(prepared) => self.say(delivery, &post::message(prepared)?).await,
            Operation::Leave { user } => {
                let (puppet, room) = (self.puppet(user).await?, room_of(delivery)?);
                self.leave(&puppet, &room).await
            }
            Operation::Notice(text) => self.say(delivery, &post::notice(text)?).await,
        }
    }

    async fn open(&self, op_id: &OpId, puppet: &UserId, with: &UserId) -> Result<Outcome, Outcome> {
        let opening = Opening { homeserver: &self.homeserver, prefix: &self.prefix, op_id, puppet, with };
        opening.open().await.map(Outcome::done_in)
    }

    pub(crate) async fn speaker(&self, delivery: &Delivery) -> Result<OwnedUserId, Outcome> {
        match &delivery.speaker {
            Speaker::Puppet(user) => self.puppet(user).await,
            Speaker::Service => self.ensured(self.bot.clone()).await,
        }
    }

    async fn say(&self, delivery: &Delivery, message: &RoomMessageEventContent) -> Result<Outcome, Outcome> {
        let speaker = self.speaker(delivery).await?;
        let room = room_of(delivery)?;
        if (delivery.attempt > 0 || self.spoken.is_fresh(&room))
            && let Some(event) = said_before(&self.homeserver, &speaker, &room, &delivery.op_id).await?
        {
            return Ok(Outcome::done_as(event.as_str().into()));
        }
        let txn_id = delivery.op_id.as_str().into();
        let request = send_message_event::v3::Request::new(room.clone(), txn_id, message)
            .map_err(|error| Outcome::refused(RefusedCode::Malformed, error.to_string()))?;
        match self.homeserver.call(request, Acting::OnDevice(&speaker)).await {
            Ok(sent) => {
                self.spoken.note(room);
                Ok(Outcome::done_as(sent.event_id.as_str().into()))
            }
            Err(fault) => Err(self.refusal(fault, &speaker, &room).await),
        }
    }

    pub(crate) async fn leave(&self, puppet: &UserId, room: &RoomId) -> Result<Outcome, Outcome> {
        let request = leave_room::v3::Request::new(room.to_owned());
        if let Err(fault) = self.homeserver.call(request, Acting::OnDevice(puppet)).await {
            match self.refusal(fault, puppet, room).await {
                // Who is not there has left.
                Outcome::Refused { code: RefusedCode::NotMember | RefusedCode::UnknownRoom, .. } => {}
                outcome => return Err(outcome),
            }
        }
        self.forget_reader(room, puppet).await;
        self.unmark(room, puppet).await;
        Ok(Outcome::done())
    }

    /// What a fault means to a speaker in a room: Matrix says "forbidden" also to those who are not there.
    async fn refusal(&self, fault: CallFault, speaker: &UserId, room: &RoomId) -> Outcome {
        // Whatever the reason: if the homeserver lost the puppet, the next attempt makes it anew.
        self.puppets.forget(speaker);
        if !fault.is(&ErrorKind::Forbidden) {
            return fault.into();
        }
        match membership(&self.homeserver, room, speaker, speaker).await {
            Ok(Some(MembershipState::Join | MembershipState::Invite)) => fault.into(),
            Ok(_) => Outcome::refused(RefusedCode::NotMember, fault.to_string()),
            Err(unknown) => unknown.into(),
        }
    }

    pub(crate) async fn puppet(&self, user: &UserUri) -> Result<OwnedUserId, Outcome> {
        let puppet: NativeUserId = self
            .names
            .puppet(user)
            .map_err(|why: Unnameable| Outcome::refused(RefusedCode::Unnameable, why.to_string()))?;
        self.ensured(user_id(&puppet)?).await
    }

    pub(crate) async fn ensured(&self, user: OwnedUserId) -> Result<OwnedUserId, Outcome> {
        self.puppets.ensure(&self.homeserver, &user).await?;
        Ok(user)
    }
}

pub(crate) fn room_of(delivery: &Delivery) -> Result<OwnedRoomId, Outcome> {
    let room = delivery.room.as_ref();
    let room = room.ok_or_else(|| Outcome::refused(RefusedCode::Malformed, "the operation needs a room"))?;
    RoomId::parse(room.as_str())
        .map_err(|why| Outcome::refused(RefusedCode::UnknownRoom, format!("{room}: {why}")))
}
