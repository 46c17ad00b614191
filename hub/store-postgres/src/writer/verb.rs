use mimi_store::{Batch, Claim, Decide, RowChange};
use mimi_uri::RoomUri;

/// One of the store's three verbs.
#[derive(Debug)]
pub(crate) enum Verb {
    Decide(Decide),
    Claim(Claim),
    Record(Batch),
}

/// A verb was stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The answer that a claim found, given to the same request before.
    pub(crate) first_answer: Option<Vec<u8>>,
}

impl Verb {
    /// About how many bytes it writes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Decide(decide) => {
                let state = decide.state.as_ref().map_or(0, |state| state.header.len() + state.group.len());
                let events: usize = decide.events.iter().map(|event| event.bytes.len()).sum();
                let trees: usize = decide.trees.iter().map(|(_, tree)| tree.len()).sum();
                state + events + trees
            }
            Self::Claim(claim) => {
                let secrets: usize = claim.minted.iter().map(|minted| minted.secret.len()).sum();
                claim.answer.len() + secrets
            }
            Self::Record(batch) => batch.rows.iter().map(row_size).sum(),
        }
    }

    /// The room whose log it makes longer.
    pub(super) fn grows(&self) -> Option<&RoomUri> {
        match self {
            Self::Decide(decide) => (!decide.events.is_empty()).then_some(&decide.room),
            Self::Claim(_) | Self::Record(_) => None,
        }
    }
}

fn row_size(change: &RowChange) -> usize {
    match change {
        RowChange::Insert { bytes, .. } | RowChange::Put { bytes, .. } => bytes.len(),
        RowChange::Delete { .. } => 0,
    }
}
