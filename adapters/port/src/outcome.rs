use std::time::Duration;

use crate::{NativeEventId, NativeRoomId};

/// How a delivery ended, typed by what the gateway does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, as surely as the adapter's guarantee says. Next: the following operation.
    Done {
        /// The native event it became, if it became one.
        event: Option<NativeEventId>,
        /// The native conversation it made or found, if that was the wish.
        room: Option<NativeRoomId>,
    },
    /// Not now. Next: the same operation, after the wait.
    RetryAfter {
        /// How long to wait at least.
        wait: Duration,
    },
    /// The network says no and would say it again. Next: give up this operation, tell whoever asked for it.
    Refused {
        /// What kind of no.
        code: RefusedCode,
        /// What the network said, for people to read.
        text: String,
    },
    /// It may be done or not. Next: the same operation, where the guarantee allows that.
    Unsure {
        /// What happened.
        why: String,
    },
    /// It is not known to be done because the network or the way to it is broken. Next: back off, the same operation.
    Broken {
        /// What happened.
        why: String,
    },
}

impl Outcome {
    /// Done, with nothing to tell.
    pub fn done() -> Self {
        Self::Done { event: None, room: None }
    }

    /// Done; it became this event.
    pub fn done_as(event: NativeEventId) -> Self {
        Self::Done { event: Some(event), room: None }
    }

    /// Done; this is the conversation.
    pub fn done_in(room: NativeRoomId) -> Self {
        Self::Done { event: None, room: Some(room) }
    }

    /// Refused for good.
    pub fn refused(code: RefusedCode, text: impl Into<String>) -> Self {
        Self::Refused { code, text: text.into() }
    }
}

/// The kinds of no that the gateway treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCode {
    /// The speaker is not in the conversation (any more).
    NotMember,
    /// The speaker is there, but may not do this.
    NotAllowed,
    /// There is no such conversation.
    UnknownRoom,
    /// There is no such native user.
    UnknownUser,
    /// More than the network takes in one piece.
    TooLarge,
    /// The MIMI user cannot be named on this network ([`crate::Unnameable`]).
    Unnameable,
    /// The operation makes no sense here: a post without a conversation, a puppet that is none.
    Malformed,
}
