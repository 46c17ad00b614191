//! What may fail while the bridge works; nothing of it loses a row.

use std::time::Duration;

use mimi_client::ClientFault;
use mimi_client::vault::NotOurs;
use mimi_store::{Next, StoreFault};

use crate::rows::Unreadable;

/// The pause before a run that was overtaken begins again.
const OVERTAKEN_PAUSE: Duration = Duration::from_millis(10);

/// Why a run did not finish.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// Another run changed a row first: nothing was stored, the run begins again.
    #[error("a row was changed by somebody else")]
    Overtaken,
    /// The store cannot be reached.
    #[error("the store cannot be used: {0}")]
    Store(String),
    /// A hub or another provider cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// A sealed row does not open: the instance key is not the one it was sealed with.
    #[error(transparent)]
    Sealed(#[from] NotOurs),
    /// The key of that day was destroyed, and its payloads with it.
    #[error("the payloads of day {0} are gone")]
    DayIsGone(u32),
    /// A row does not read.
    #[error(transparent)]
    Row(#[from] Unreadable),
    /// The MLS state of a room does not allow what was asked; it is loaded anew.
    #[error("the group of the room: {0}")]
    Group(String),
}

impl Fault {
    /// How the run that met the fault goes on.
    pub(crate) fn next(&self) -> Next {
        match self {
            // Not at once: two that overtake each other for ever must not cost a core.
            Self::Overtaken => Next::After(OVERTAKEN_PAUSE),
            Self::Store(_)
            | Self::Unreachable(_)
            | Self::Sealed(_)
            | Self::DayIsGone(_)
            | Self::Row(_)
            | Self::Group(_) => Next::BackOff,
        }
    }
}

impl From<ClientFault> for Fault {
    fn from(fault: ClientFault) -> Self {
        Self::Group(fault.to_string())
    }
}

impl From<StoreFault> for Fault {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Conflict => Self::Overtaken,
            StoreFault::Unavailable(why) => Self::Store(why),
        }
    }
}
