use mimi_mls::Epoch;
use mimi_store::{Batch, Claim, Decide, LaneChange, LaneProgress, RoomVersion, RowChange, Stored, Verb};
use rusqlite::Connection;

use super::Undone;
use super::memory::Memory;
use crate::sql::room::Fence;
use crate::sql::{answer, event, key_package, lane, room, route, row, tree};

/// Stores one verb; if it is undone, its transaction or savepoint is to be rolled back.
pub(super) fn store(connection: &Connection, memory: &mut Memory, verb: &Verb) -> Result<Stored, Undone> {
    match verb {
        Verb::Decide(decide) => store_decision(connection, memory, decide),
        Verb::Claim(claim) => store_claim(connection, claim),
        Verb::Record(batch) => store_batch(connection, memory, batch),
    }
}

/// Checks a decision's fence and stores the room's state if it changed; tells the room's id.
fn admit(connection: &Connection, memory: &mut Memory, decide: &Decide) -> Result<i64, Undone> {
    let Decide { room, role, state, .. } = decide;
    let fence = match (memory.fences.of(connection, room)?, decide.fence) {
        (None, None) => {
            let state = state.clone().unwrap_or_default();
            let id = room::found(connection, room, *role, &state)?;
            Fence { id, role: *role, version: RoomVersion::FIRST }
        }
        (Some(known), Some(version)) if known.version == version && known.role == *role => {
            let Some(state) = state else { return Ok(known.id) };
            let version = version.next();
            room::change(connection, known.id, version, state)?;
            Fence { version, ..known }
        }
        (None, Some(_)) | (Some(_), _) => return Err(Undone::Conflict),
    };
    memory.fences.remember(room, fence);
    Ok(fence.id)
}

fn store_decision(connection: &Connection, memory: &mut Memory, decide: &Decide) -> Result<Stored, Undone> {
    let room = admit(connection, memory, decide)?;
    for event in &decide.events {
        if let Some(hash) = event.request_hash {
            memory.requests.add(connection, (room, hash), event.seq)?;
        }
        event::append(connection, room, event)?;
    }
    for change in &decide.lanes {
        match change {
            LaneChange::Open { peer, from } => lane::open(connection, room, peer, *from)?,
            LaneChange::Close { peer, to } => {
                lane::close(connection, room, peer, *to)?;
                lane::delete_delivered(connection, room, peer)?;
            }
        }
    }
    for (reference, peer) in &decide.routes {
        route::store(connection, room, reference, peer)?;
    }
    for (epoch, bytes) in &decide.trees {
        keep_tree(connection, room, *epoch, bytes)?;
    }
    Ok(Stored::default())
}

fn keep_tree(connection: &Connection, room: i64, epoch: Epoch, bytes: &[u8]) -> Result<(), Undone> {
    tree::store(connection, room, epoch, bytes)?;
    tree::delete_old(connection, room, epoch)
}

fn store_claim(connection: &Connection, claim: &Claim) -> Result<Stored, Undone> {
    answer::delete_expired(connection, claim.now)?;
    let first_answer = answer::first(connection, claim)?;
    if first_answer.is_none() {
        answer::insert(connection, claim)?;
        for minted in &claim.minted {
            key_package::insert(connection, &claim.peer, minted)?;
        }
    }
    Ok(Stored { first_answer })
}

fn store_batch(connection: &Connection, memory: &mut Memory, batch: &Batch) -> Result<Stored, Undone> {
    for change in &batch.rows {
        change_row(connection, change)?;
    }
    for progress in &batch.lanes {
        move_lane(connection, memory, progress)?;
    }
    for reference in &batch.used_key_packages {
        key_package::delete(connection, reference)?;
    }
    Ok(Stored::default())
}

fn change_row(connection: &Connection, change: &RowChange) -> Result<(), Undone> {
    match change {
        RowChange::Insert { kind, key, bytes } => row::insert(connection, *kind, key, bytes),
        RowChange::Put { kind, key, expected: None, bytes } => row::put(connection, *kind, key, bytes),
        RowChange::Put { kind, key, expected: Some(version), bytes } => {
            row::compare_and_put(connection, (*kind, key), *version, bytes)
        }
        RowChange::Delete { kind, key, expected: None } => row::delete(connection, *kind, key),
        RowChange::Delete { kind, key, expected: Some(version) } => {
            row::compare_and_delete(connection, *kind, key, *version)
        }
    }
}

fn move_lane(connection: &Connection, memory: &mut Memory, progress: &LaneProgress) -> Result<(), Undone> {
    match progress {
        LaneProgress::BatchEnd { room, peer, from, position, batch_end } => {
            let room = memory.fences.of(connection, room)?.ok_or(Undone::Conflict)?.id;
            lane::set_batch_end(connection, (room, peer, *from), *position, *batch_end)
        }
        LaneProgress::Advance { room, peer, from, position } => {
            let room = memory.fences.of(connection, room)?.ok_or(Undone::Conflict)?.id;
            let ends = lane::advance(connection, room, (peer, *from), *position)?;
            if ends == Some(*position) { lane::delete_delivered(connection, room, peer) } else { Ok(()) }
        }
    }
}
