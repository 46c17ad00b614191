//! A room's effects, as the store takes them.

use mimi_room as room;
use mimi_store::{Audience, Decide, EventKind, LaneChange, NewEvent, Seq};
use mimi_wire::RequestHash;

/// Puts a decision's effects into the change that stores it; the first event carries the request's hash.
pub(crate) fn fill(decide: &mut Decide, effects: room::Effects, request_hash: Option<RequestHash>) {
    let mut hash = request_hash;
    decide.events = effects.events.into_iter().map(|event| stored(event, hash.take())).collect();
    decide.lanes = effects.lanes.into_iter().map(lane).collect();
    decide.routes = effects.routes;
    decide.trees = effects.trees;
}

fn stored(event: room::RoomEvent, request_hash: Option<RequestHash>) -> NewEvent {
    NewEvent {
        seq: Seq(event.seq),
        timestamp: event.timestamp,
        kind: match event.kind {
            room::EventKind::Application => EventKind::Application,
            room::EventKind::Commit => EventKind::Commit,
            room::EventKind::Proposal => EventKind::Proposal,
            room::EventKind::Welcome => EventKind::Welcome,
        },
        audience: match event.audience {
            room::Audience::Everyone => Audience::Everyone,
            room::Audience::Only(provider) => Audience::Only(provider),
        },
        bytes: event.message.encode(),
        request_hash,
    }
}

fn lane(change: room::LaneChange) -> LaneChange {
    match change {
        room::LaneChange::Open { peer, from } => LaneChange::Open { peer, from: Seq(from) },
        room::LaneChange::Close { peer, to } => LaneChange::Close { peer, to: Seq(to) },
    }
}
