use std::sync::Arc;

use async_trait::async_trait;
use mimi_adapter::{Delivery, Operation, Outcome, RefusedCode, Session, SessionStatus};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use xmpp_parsers::jid::BareJid;

use crate::limits::CLOSE_TIME_MAX;
use crate::link::Link;
use crate::names::people_of;

/// An open component.
pub(crate) struct XmppSession {
    pub(crate) link: Arc<Link>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// A session that is dropped without being closed stops too.
    pub(crate) _stop_when_dropped: DropGuard,
}

#[async_trait]
impl Session for XmppSession {
    async fn deliver(&self, delivery: Delivery) -> Outcome {
        self.link.act(&delivery).await.unwrap_or_else(|outcome| outcome)
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        // What takes longer is not receipted, so its sender knows.
        tokio::time::timeout(CLOSE_TIME_MAX, self.tasks.wait()).await.ok();
        self.link.host.status(SessionStatus::Closed);
    }
}

impl Link {
    /// Does one operation; both arms are what is answered, so that `?` may end it.
    async fn act(&self, delivery: &Delivery) -> Result<Outcome, Outcome> {
        let is_of_a_room =
            !matches!(delivery.operation, Operation::EnsurePuppet(_) | Operation::OpenDirect { .. });
        if let Some(room) = room_of(delivery).filter(|_| is_of_a_room) {
            return self.act_in_room(delivery, &room).await;
        }
        match &delivery.operation {
            Operation::EnsurePuppet(profile) => {
                self.puppet(&profile.user)?;
                if let Some(name) = &profile.display_name {
                    self.called.note(&profile.user, name);
                }
                Ok(Outcome::done())
            }
            Operation::OpenGroup { group, invite } => self.open_group(&delivery.op_id, group, invite).await,
            Operation::OpenDirect { puppet, with } => self.open_direct(puppet, with).await,
            Operation::AcceptInvite { puppet } => self.accept(delivery, puppet).await,
            Operation::Leave { user } => self.leave(delivery, user).await,
            Operation::Post(prepared) => self.say(delivery, &prepared.plain).await,
            Operation::Notice(text) => self.say(delivery, text).await,
            Operation::ShowProgress { event, progress } => self.show(delivery, event, progress).await,
            Operation::Invite { .. }
            | Operation::Enter { .. }
            | Operation::Remove { .. }
            | Operation::Ban { .. }
            | Operation::Unban { .. }
            | Operation::SetRole { .. }
            | Operation::Rename(_)
            | Operation::SetTopic(_) => {
                Err(Outcome::refused(RefusedCode::Malformed, "this is done in rooms of several people only"))
            }
        }
    }
}

/// The conversation of several people that an operation is for, if it is for one.
fn room_of(delivery: &Delivery) -> Option<BareJid> {
    let room = delivery.room.as_ref().filter(|room| people_of(room).is_none())?;
    BareJid::new(room.as_str()).ok().filter(|jid| jid.node().is_some())
}
