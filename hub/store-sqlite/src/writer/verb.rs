use mimi_mls::Epoch;
use mimi_store::{Batch, Claim, Decide, LaneChange, LaneProgress, RoomVersion, RowChange};
use mimi_uri::RoomUri;
use sqlx::SqliteConnection;

use super::Undone;
use super::fences::Fences;
use crate::sql::room::Fence;
use crate::sql::{answer, event, key_package, lane, room, route, row, tree};

/// One of the store's three verbs.
#[derive(Debug)]
pub(crate) enum Verb {
    Decide(Decide),
    Claim(Claim),
    Record(Batch),
}

/// A verb was stored.
#[derive(Debug, Clone, Default)]
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
            Self::Record(batch) => batch
                .rows
                .iter()
                .map(|change| match change {
                    RowChange::Insert { bytes, .. } | RowChange::Put { bytes, .. } => bytes.len(),
                    RowChange::Delete { .. } => 0,
                })
                .sum(),
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

/// Stores one verb; if it is undone, its transaction or savepoint is to be rolled back.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    verb: &Verb,
) -> Result<Stored, Undone> {
    match verb {
        Verb::Decide(decide) => store_decision(connection, fences, decide).await,
        Verb::Claim(claim) => store_claim(connection, claim).await,
        Verb::Record(batch) => store_batch(connection, fences, batch).await,
    }
}

/// Checks a decision's fence and stores the room's state if it changed; tells the room's id.
pub(super) async fn admit(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    decide: &Decide,
) -> Result<i64, Undone> {
    let Decide { room, role, state, .. } = decide;
    let fence = match (fences.of(connection, room).await?, decide.fence) {
        (None, None) => {
            let state = state.clone().unwrap_or_default();
            let id = room::found(connection, room, *role, &state).await?;
            Fence { id, role: *role, version: RoomVersion::FIRST }
        }
        (Some(known), Some(version)) if known.version == version && known.role == *role => {
            let Some(state) = state else { return Ok(known.id) };
            let version = version.next();
            room::change(connection, known.id, version, state).await?;
            Fence { version, ..known }
        }
        (None, Some(_)) | (Some(_), _) => return Err(Undone::Conflict),
    };
    fences.remember(room, fence);
    Ok(fence.id)
}

async fn store_decision(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    decide: &Decide,
) -> Result<Stored, Undone> {
    let room = admit(connection, fences, decide).await?;
    let events: Vec<_> = decide.events.iter().map(|event| (room, event)).collect();
    event::append(connection, &events).await?;
    for change in &decide.lanes {
        match change {
            LaneChange::Open { peer, from } => lane::open(connection, room, peer, *from).await?,
            LaneChange::Close { peer, to } => {
                lane::close(connection, room, peer, *to).await?;
                lane::delete_delivered(connection, room, peer).await?;
            }
        }
    }
    for (reference, peer) in &decide.routes {
        route::store(connection, room, reference, peer).await?;
    }
    for (epoch, bytes) in &decide.trees {
        keep_tree(connection, room, *epoch, bytes).await?;
    }
    Ok(Stored::default())
}

async fn keep_tree(
    connection: &mut SqliteConnection,
    room: i64,
    epoch: Epoch,
    bytes: &[u8],
) -> Result<(), Undone> {
    tree::store(connection, room, epoch, bytes).await?;
    tree::delete_old(connection, room, epoch).await
}

async fn store_claim(connection: &mut SqliteConnection, claim: &Claim) -> Result<Stored, Undone> {
    answer::delete_expired(connection, claim.now).await?;
    let first_answer = answer::first(connection, claim).await?;
    if first_answer.is_none() {
        answer::insert(connection, claim).await?;
        for minted in &claim.minted {
            key_package::insert(connection, &claim.peer, minted).await?;
        }
    }
    Ok(Stored { first_answer })
}

async fn store_batch(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    batch: &Batch,
) -> Result<Stored, Undone> {
    for change in &batch.rows {
        change_row(connection, change).await?;
    }
    for progress in &batch.lanes {
        move_lane(connection, fences, progress).await?;
    }
    for reference in &batch.used_key_packages {
        key_package::delete(connection, reference).await?;
    }
    Ok(Stored::default())
}

async fn change_row(connection: &mut SqliteConnection, change: &RowChange) -> Result<(), Undone> {
    match change {
        RowChange::Insert { kind, key, bytes } => row::insert(connection, *kind, key, bytes).await,
        RowChange::Put { kind, key, expected: None, bytes } => row::put(connection, *kind, key, bytes).await,
        RowChange::Put { kind, key, expected: Some(version), bytes } => {
            row::compare_and_put(connection, (*kind, key), *version, bytes).await
        }
        RowChange::Delete { kind, key, expected: None } => row::delete(connection, *kind, key).await,
        RowChange::Delete { kind, key, expected: Some(version) } => {
            row::compare_and_delete(connection, *kind, key, *version).await
        }
    }
}

async fn move_lane(
    connection: &mut SqliteConnection,
    fences: &mut Fences,
    progress: &LaneProgress,
) -> Result<(), Undone> {
    match progress {
        LaneProgress::BatchEnd { room, peer, from, batch_end } => {
            let room = fences.of(connection, room).await?.ok_or(Undone::Conflict)?.id;
            lane::set_batch_end(connection, room, (peer, *from), *batch_end).await
        }
        LaneProgress::Advance { room, peer, from, position } => {
            let room = fences.of(connection, room).await?.ok_or(Undone::Conflict)?.id;
            let ends = lane::advance(connection, room, (peer, *from), *position).await?;
            if ends == Some(*position) {
                lane::delete_delivered(connection, room, peer).await
            } else {
                Ok(())
            }
        }
    }
}
