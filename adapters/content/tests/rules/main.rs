//! What well-formed messages may do, and what becomes of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should panic")]

mod alternatives;
mod discard;
mod fields;
mod frames;
mod revision;

use mimi_content::{MediaType, MessageId, MimiContent, Received};

const ALICE: &str = "mimi://a.example/u/alice";
const BOB: &str = "mimi://b.example/u/bob";
const ROOM: &str = "mimi://a.example/r/room";
const SALT: [u8; 16] = [7; 16];

fn hi() -> MimiContent {
    MimiContent::text(SALT, "hi").between(ALICE, ROOM)
}

fn received(content: &MimiContent) -> Received {
    Received::try_from(content).unwrap()
}

fn id(hash_algorithm: u8) -> MessageId {
    MessageId([hash_algorithm; 32])
}

fn types(texts: &[&str]) -> Vec<MediaType> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}
