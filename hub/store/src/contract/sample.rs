//! What the tests store.

use mimi_mls::KeyPackageRef;
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};
use mimi_wire::{RequestHash, Timestamp};

use crate::{
    Audience, Claim, Decide, EventKind, LaneChange, NewEvent, NewKeyPackage, RoomRole, RoomState,
    RoomVersion, Seq,
};

/// A room of the hub under test.
pub fn room(name: &str) -> RoomUri {
    RoomUri::parse(&format!("mimi://hub.example/r/{name}")).unwrap()
}

/// A provider.
pub fn provider(name: &str) -> Domain {
    Domain::parse(&format!("{name}.example")).unwrap()
}

/// A reference of a key package.
pub fn reference(number: u8) -> KeyPackageRef {
    KeyPackageRef(vec![number; 32])
}

/// The hash of a request.
pub fn request(number: u64) -> RequestHash {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.to_le_bytes());
    RequestHash(hash)
}

/// The state of a room, told apart by a number.
pub fn state(number: u8) -> RoomState {
    RoomState { header: vec![number; 3], group: vec![number; 300] }
}

/// An application message; its request is named by its place too.
pub fn message(seq: u64) -> NewEvent {
    NewEvent {
        seq: Seq(seq),
        timestamp: Timestamp(1_000 + seq),
        kind: EventKind::Application,
        audience: Audience::Everyone,
        bytes: format!("message {seq}").into_bytes(),
        request_hash: Some(request(seq)),
    }
}

/// A hub room is founded, with state 1.
pub fn founding(name: &str) -> Decide {
    Decide { state: Some(state(1)), ..Decide::new(room(name), RoomRole::Hub, None) }
}

/// A hub room of version 1 accepts messages.
pub fn accepting(name: &str, events: Vec<NewEvent>) -> Decide {
    Decide { events, ..Decide::new(room(name), RoomRole::Hub, Some(RoomVersion::FIRST)) }
}

/// A hub room of version 1 changes lanes, without changing its state.
pub fn changing(name: &str, lanes: Vec<LaneChange>) -> Decide {
    Decide { lanes, ..Decide::new(room(name), RoomRole::Hub, Some(RoomVersion::FIRST)) }
}

/// A key package for a hosted user.
pub fn key_package(number: u8) -> NewKeyPackage {
    NewKeyPackage {
        reference: reference(number),
        user: UserUri::parse("mimi://hub.example/u/bob").unwrap(),
        client: ClientUri::parse("mimi://hub.example/d/bob/1").unwrap(),
        requester: UserUri::parse("mimi://a.example/u/alice").unwrap(),
        room: RoomUri::parse("mimi://a.example/r/1").unwrap(),
        secret: vec![number; 100],
        not_after: Timestamp(9_000),
    }
}

/// A claim of provider a, at time 1000, whose answer is kept until 2000.
pub fn claim(hash: u64, answer: &str, minted: Vec<NewKeyPackage>) -> Claim {
    Claim {
        peer: provider("a"),
        request_hash: request(hash),
        answer: answer.into(),
        expires: Timestamp(2_000),
        now: Timestamp(1_000),
        minted,
    }
}
