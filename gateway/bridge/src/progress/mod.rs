//! How far messages have come, and telling those who sent them.
//!
//! Each message of a link has a state in its row `message` ([`MessageState`]), stored with the commit that causes it.
//! Two kinds of rows say who is still to be told, and have runs of their own, beside the chat:
//!
//! - `showing`: what a native user is to be shown about a post of his. A newer state takes the place of one that was not
//!   shown yet, so a message that is accepted and received at once is shown once.
//! - `receipt`: what the other side of a chat is to be told about a message of theirs. Those of a second go out together,
//!   as one MIMI message status report. Reports are never reported on: they lead to no `receipt`.

mod showing;
mod watch;

use mimi_adapter::{Feature, NativeEventId, NativeRoomId, Operation, Progress, Receipt, Speaker};
use mimi_store::{Batch, Next, RowChange, RowKind};
use serde::{Deserialize, Serialize};

use crate::bridge::Core;
use crate::fault::Fault;
use crate::lane::Incoming;
use crate::rows::{self, EVENT, EventRow, Group, Key, Link, LinkId, Outgoing};
use crate::{op_id, wording};

/// What native users are still to be shown; the key is the link and the native event.
pub(crate) const SHOWING: RowKind = RowKind("showing");

/// What the other side is still to be told; the key is the link and the message.
pub(crate) const RECEIPT: RowKind = RowKind("receipt");

/// How far a message has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MessageState {
    /// A native user's: sealed, on its way to the room's hub.
    Sealed,
    /// A native user's: the hub has it in the room's order.
    Accepted,
    /// A native user's: the other side has it, or read it.
    Received(Receipt),
    /// A native user's: it will not arrive.
    Refused {
        /// Why, for people to read.
        why: String,
    },
    /// From the other side: in the link's outbox.
    Queued,
    /// From the other side: on the native network.
    Done {
        /// Whether the network may show it twice, for a try before was in doubt and the network knows no repetition.
        perhaps_twice: bool,
    },
    /// From the other side: the native network refused it; it lies among the letters.
    SetAside,
}

impl MessageState {
    /// What a native user is shown of it; nothing of what came from the other side.
    pub(crate) fn progress(&self) -> Option<Progress> {
        match self {
            Self::Accepted => Some(Progress::Accepted),
            Self::Received(receipt) => Some(Progress::Received(*receipt)),
            Self::Refused { why } => Some(Progress::Refused { why: why.clone() }),
            Self::Sealed | Self::Queued | Self::Done { .. } | Self::SetAside => None,
        }
    }

    /// Whether a receipt or an error of the other side says more than is known.
    pub(crate) fn can_become(&self, next: &Self) -> bool {
        match (self, next) {
            (Self::Sealed | Self::Accepted, Self::Received(_) | Self::Refused { .. }) => true,
            (Self::Received(Receipt::Delivered), Self::Received(Receipt::Read) | Self::Refused { .. }) => {
                true
            }
            // It was sent again, and arrived.
            (Self::Refused { .. }, Self::Received(_)) => true,
            _ => false,
        }
    }
}

/// A native conversation, and who speaks for us in it.
pub(crate) struct Chat {
    pub(crate) adapter: String,
    /// None until it has been opened.
    pub(crate) room: Option<NativeRoomId>,
    /// The puppet whom it is with, or the gateway itself where there are several.
    pub(crate) speaker: Speaker,
}

impl From<Link> for Chat {
    fn from(link: Link) -> Self {
        Self { adapter: link.adapter, room: link.native_room, speaker: Speaker::Puppet(link.peer) }
    }
}

impl From<Group> for Chat {
    fn from(group: Group) -> Self {
        Self { adapter: group.adapter, room: group.native_room, speaker: Speaker::Service }
    }
}

impl Core {
    /// The conversation of a link, of two or of several people.
    pub(crate) async fn chat(&self, id: &LinkId) -> Result<Option<Chat>, Fault> {
        if let Some((link, _)) = self.link(id).await? {
            return Ok(Some(link.into()));
        }
        Ok(self.group(id).await?.map(|(group, _)| group.into()))
    }

    /// The change that has a native user shown how far his post has come, if his network can show that.
    pub(crate) fn showing(
        &self,
        id: &LinkId,
        adapter: &str,
        event: &NativeEventId,
        progress: &Progress,
    ) -> Option<RowChange> {
        let instance = self.instances.get(adapter)?;
        instance.adapter.manifest().capabilities.can(Feature::Progress).then(|| RowChange::Put {
            kind: SHOWING,
            key: Key::of(&id.0).and(event.as_str().as_bytes()).bytes(),
            expected: None,
            bytes: rows::encode(progress),
        })
    }

    /// A native user received or read what came from the other side.
    pub(crate) async fn take_receipt(
        &self,
        id: &LinkId,
        incoming: &Incoming,
        (event, receipt): (&NativeEventId, Receipt),
    ) -> Result<Next, Fault> {
        let mut changes = vec![incoming.done()];
        let row = self.store.row(EVENT, &incoming.lane.event_key(event.as_str())).await?;
        let known = row.map(|row| rows::decode(EVENT, &row.bytes)).transpose()?;
        // That it was delivered was told when the network had it.
        if let (Some(EventRow::Delivered { message: Some(message) }), Receipt::Read) = (known, receipt) {
            changes.push(put_receipt(id, &message, TheirReceipt::Read));
        }
        self.store.record(Batch { rows: changes, ..Batch::default() }).await?;
        self.wake_report(id.clone());
        Ok(Next::Again)
    }

    /// A notice to a native user that his post did not arrive.
    pub(crate) async fn notice_of(
        &self,
        id: &LinkId,
        speaker: Speaker,
        event: &NativeEventId,
        why: &str,
    ) -> Result<RowChange, Fault> {
        let notice = Outgoing {
            op_id: op_id::for_native(id, event.as_str(), "notice"),
            speaker,
            operation: Operation::Notice(wording::not_accepted(why)),
            message: None,
        };
        self.enqueue(id, &notice).await
    }
}

/// What became of a message from the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TheirReceipt {
    /// The native network, or the native user's client, has it.
    Delivered,
    /// The native user read it.
    Read,
    /// The native network refused it.
    Error,
}

/// The change that has the other side told what became of a message of theirs.
pub(crate) fn put_receipt(id: &LinkId, message: &[u8; 32], receipt: TheirReceipt) -> RowChange {
    RowChange::Put {
        kind: RECEIPT,
        key: Key::of(&id.0).and(message).bytes(),
        expected: None,
        bytes: rows::encode(&receipt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_only_ever_becomes_one_that_says_more() {
        let (delivered, read) =
            (MessageState::Received(Receipt::Delivered), MessageState::Received(Receipt::Read));
        let refused = MessageState::Refused { why: "no".to_owned() };

        assert!(MessageState::Sealed.can_become(&delivered) && delivered.can_become(&read));
        assert!(delivered.can_become(&refused) && refused.can_become(&delivered));
        assert!(!read.can_become(&delivered) && !read.can_become(&refused) && !read.can_become(&read));
        assert!(!MessageState::Queued.can_become(&read), "nobody reports on what he sent himself");
    }
}
