use std::sync::Arc;

use async_trait::async_trait;
use mimi_adapter::{Delivery, Operation, Outcome, RefusedCode, Session, SessionStatus};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::limits::CLOSE_TIME_MAX;
use crate::link::Link;

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
        match &delivery.operation {
            Operation::EnsurePuppet(profile) => {
                self.puppet(&profile.user)?;
                if let Some(name) = &profile.display_name {
                    self.called.note(&profile.user, name);
                }
                Ok(Outcome::done())
            }
            Operation::OpenDirect { puppet, with } => self.open_direct(puppet, with).await,
            Operation::AcceptInvite { puppet } => self.accept(delivery, puppet).await,
            Operation::Leave { user } => self.leave(delivery, user).await,
            Operation::Post(prepared) => self.say(delivery, &prepared.plain).await,
            Operation::Notice(text) => self.say(delivery, text).await,
            Operation::ShowProgress { event, progress } => self.show(delivery, event, progress).await,
            Operation::OpenGroup { .. }
            | Operation::Invite { .. }
            | Operation::Enter { .. }
            | Operation::Remove { .. }
            | Operation::Ban { .. }
            | Operation::Unban { .. }
            | Operation::SetRole { .. }
            | Operation::Rename(_)
            | Operation::SetTopic(_) => Err(Outcome::refused(
                RefusedCode::Malformed,
                "an operation that this network does not declare",
            )),
        }
    }
}
